"""Security groups become rules that let through what the groups do, and nothing else."""

from infra.rehearsal.launcher.envoy import EVERYWHERE
from infra.rehearsal.launcher.internals import provisioners
from infra.rehearsal.launcher.security_groups import rules

EMULATOR = "172.18.0.2"
MEMBERS = {"sg-tasks": ["172.18.0.5", "172.18.0.6"], "sg-nobody": []}


def rules_of(ingress: list[dict[str, object]], egress: list[dict[str, object]]) -> dict[str, list[str]]:
    """The rules of each chain, without what every interface has."""
    text = rules(
        provisioners._ec2_sg_permissions(ingress),
        provisioners._ec2_sg_permissions(egress),
        emulator=EMULATOR,
        members=lambda group: MEMBERS[group],
        redirects={(EVERYWHERE, 8000): 15000, ("127.255.0.1", 8000): 15500},
    )
    always = {
        'iifname "lo" accept',
        'oifname "lo" accept',
        "ct state established,related accept",
        f"ip saddr {EMULATOR} tcp dport 9901 accept",
        f"ip daddr {EMULATOR} accept",
        "meta l4proto { tcp, udp } th dport 53 accept",
    }
    chains: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("chain "):
            chain = chains.setdefault(line.split()[1], [])
        elif line != "}" and "table" not in line and line not in always:
            chain.append(line)
    return chains


def test_what_no_rule_allows_is_dropped_in_both_directions() -> None:
    chains = rules_of([], [])

    assert chains["inward"] == ["type filter hook prerouting priority mangle; policy drop;"]
    assert chains["outward"] == ["type filter hook output priority filter; policy drop;"]


def test_a_group_stands_for_the_addresses_that_are_in_it_now() -> None:
    port = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    sources = [{**port, "SourceSecurityGroupId": group} for group in MEMBERS]
    others = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 9, "CidrIp": "10.0.0.0/8"}
    chains = rules_of(sources, [{**port, "DestinationSecurityGroupId": "sg-tasks"}, others])

    assert chains["inward"][1:] == [f"ip saddr {one} tcp dport 5432-5432 accept" for one in MEMBERS["sg-tasks"]]
    assert chains["outward"][1:] == [
        "ip daddr 10.0.0.0/8 tcp dport 1-9 accept",
        *(f"ip daddr {one} tcp dport 5432-5432 accept" for one in MEMBERS["sg-tasks"]),
    ]


def test_ranges_and_lists_of_those_outside_include_the_emulator_which_stands_for_them() -> None:
    port = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    listed, ranged, anybody = (
        rules_of([{**port, **source}], [])["inward"][1:]
        for source in ({"SourcePrefixListId": "pl-1"}, {"CidrIp": "203.0.113.0/24"}, {"CidrIp": "0.0.0.0/0"})
    )

    us = f"ip saddr {EMULATOR} tcp dport 80-80 accept"
    assert listed == [us]
    assert ranged == sorted([us, "ip saddr 203.0.113.0/24 tcp dport 80-80 accept"])
    assert "tcp dport 80-80 accept" in anybody


def test_other_protocols_and_all_of_them_have_rules_too() -> None:
    chains = rules_of([], [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}, {"IpProtocol": "icmp", "CidrIp": "10.0.0.0/8"}])

    assert chains["outward"][1:] == ["accept", "ip daddr 10.0.0.0/8 meta l4proto icmp accept"]


def test_a_proxy_stands_in_the_way_of_what_comes_and_of_what_is_sent_to_a_name() -> None:
    chains = rules_of([], [])

    assert chains["intercepted_inward"][1:] == ["tcp dport 8000 redirect to :15000"]
    assert chains["intercepted_outward"][1:] == ["ip daddr 127.255.0.1 tcp dport 8000 redirect to :15500"]
