"""Security groups as what a network interface's namespace is told: nftables rules of its own, as strict as on AWS.

Whatever no rule allows is dropped without a word, as there; answers always pass. So do name servers and the metadata
of tasks, which no security group forbids on AWS. The emulator, where those metadata are, is also whoever comes from
outside: of CloudFront's servers and people's machines, every range and list of a rule that lets them in includes it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.rehearsal.launcher.envoy import ADMIN_PORT, EVERYWHERE, Address
from infra.rehearsal.launcher.internals import ec2

ANYWHERE = "0.0.0.0/0"

Permission = dict[str, Any]


def permissions(groups: Sequence[str]) -> tuple[list[Permission], list[Permission]]:
    """Return what security groups let in and out together, as EC2 has it now."""
    known = [ec2._security_groups[group] for group in groups if group in ec2._security_groups]
    ingress = [one for group in known for one in group["IpPermissions"]]
    return ingress, [one for group in known for one in group["IpPermissionsEgress"]]


def rules(
    ingress: Sequence[Permission],
    egress: Sequence[Permission],
    *,
    emulator: str,
    members: Callable[[str], Sequence[str]],
    redirects: Mapping[Address, int],
) -> str:
    """Return the rules of one interface, for nft.

    `members` are the addresses of the interfaces in a security group. What is sent to an address and port in
    `redirects`, from here or, where the address is `EVERYWHERE`, from elsewhere, goes to another port, of a proxy
    here; what is let in is judged by the port that it was sent to.
    """
    inward = [rule for one in ingress for rule in _rules(one, "saddr", members, outside=emulator)]
    outward = [rule for one in egress for rule in _rules(one, "daddr", members, outside=None)]
    to_proxy = {address: f"tcp dport {address[1]} redirect to :{other}" for address, other in sorted(redirects.items())}
    return "\n".join(
        [
            "add table ip interface",
            "delete table ip interface",
            "table ip interface {",
            "chain inward {",
            "type filter hook prerouting priority mangle; policy drop;",
            'iifname "lo" accept',
            "ct state established,related accept",
            f"ip saddr {emulator} tcp dport {ADMIN_PORT} accept",
            *sorted({*inward}),
            "}",
            "chain outward {",
            "type filter hook output priority filter; policy drop;",
            'oifname "lo" accept',
            "ct state established,related accept",
            f"ip daddr {emulator} accept",
            "meta l4proto { tcp, udp } th dport 53 accept",
            *sorted({*outward}),
            "}",
            "chain intercepted_inward {",
            "type nat hook prerouting priority dstnat;",
            *(rule for (address, _port), rule in to_proxy.items() if address == EVERYWHERE),
            "}",
            "chain intercepted_outward {",
            "type nat hook output priority -100;",
            *(f"ip daddr {address} {rule}" for (address, _port), rule in to_proxy.items() if address != EVERYWHERE),
            "}",
            "}",
        ]
    )


def _rules(
    permission: Permission, side: str, members: Callable[[str], Sequence[str]], *, outside: str | None
) -> list[str]:
    ranges = [one["CidrIp"] for one in permission["IpRanges"]]
    if outside and (ranges or permission["PrefixListIds"]):
        ranges.append(outside)
    peers = [address for pair in permission["UserIdGroupPairs"] for address in members(pair["GroupId"])]
    what = _what(permission)
    return [f"{'' if one == ANYWHERE else f'ip {side} {one} '}{what}accept" for one in [*ranges, *peers]]


def _what(permission: Permission) -> str:
    protocol = str(permission["IpProtocol"])
    if protocol == "-1":
        return ""
    if protocol not in ("tcp", "udp"):
        return f"meta l4proto {protocol} "
    return f"{protocol} dport {permission['FromPort']}-{permission['ToPort']} "
