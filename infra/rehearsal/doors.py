"""Which connections between the deployed containers come about: those that a security group allows, and no others."""

import boto3

from infra.rehearsal.emulator import Emulator
from infra.rehearsal.problem import RehearsalError

_SECONDS = 2  # in which a connection that is allowed comes about
_API, _UI, _DATABASE = "api", "ui", "the database"
_PORTS = {8000: _API, 8501: _UI}
_DOORS = ((_UI, _API, True), (_API, _DATABASE, True), (_API, _UI, False), (_UI, _DATABASE, False))


def doors(session: boto3.Session, emulator: Emulator) -> list[str]:
    """Try connections from the containers of API and UI; return what was open and what was not.

    Raises RehearsalError at the first that is not as the stack's security groups have it.
    """
    database = session.client("rds").describe_db_instances()["DBInstances"][0]["Endpoint"]
    addresses = {_DATABASE: (database["Address"], database["Port"])}
    elbv2 = session.client("elbv2")
    for group in elbv2.describe_target_groups()["TargetGroups"]:
        healths = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        if group["Port"] in _PORTS:
            addresses[_PORTS[group["Port"]]] = (healths[0]["Target"]["Id"], healths[0]["Target"]["Port"])
    for source, target, is_allowed in _DOORS:
        host, port = addresses[target]
        connect = f"import socket; socket.create_connection(({host!r}, {port}), {_SECONDS})"
        problem = emulator.execute(source, f'python -c "{connect}"')
        if is_allowed and problem is not None:
            raise RehearsalError(f"{source} cannot connect to {target}: {problem}")
        if not is_allowed and "timed out" not in (problem or ""):
            said = problem or "it does"
            raise RehearsalError(
                f"{source} should wait in vain for {target}, to which no security group lets it: {said}"
            )
    return [f"{source} {'connects' if allowed else 'cannot connect'} to {target}" for source, target, allowed in _DOORS]
