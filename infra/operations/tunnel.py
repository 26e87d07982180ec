"""Reach what only tasks reach, such as the database, from a port of this machine: -L 5433:db:5432, as in ssh.

It goes through a task that runs, by ECS Exec, or where `services.ecs_exec` is off through one of its own, which is
stopped at the end: nothing is made public, and no machine is kept for it.
"""

import argparse
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from infra.compose.model import DatabaseDefinition
from infra.operations import one_off, session_plugin
from infra.operations.command_line import Output
from infra.operations.deployment import Deployment, OperationError, RunningService
from infra.plan.outputs import TUNNEL_ROLE

_FORWARD = re.compile(r"(?P<local>\d{1,5}):(?P<host>[^:]+):(?P<port>\d{1,5})")
_CERTIFICATES = "app/api/rds-ca.pem"  # of the authorities that RDS's certificates are from, which the image has too
_DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `tunnel` takes."""
    parser.add_argument(
        "-L",
        dest="forward",
        default="5433:db:5432",
        metavar="PORT:HOST:PORT",
        help="a port here, a host as tasks call it (a database's name in the compose file is its RDS instance), and "
        "its port (default: 5433:db:5432)",
    )
    parser.add_argument(
        "--through", metavar="SERVICE", help="a task of this service (default: the first that uses the database)"
    )


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Hold it until Ctrl-C, and say how to use it."""
    found = _FORWARD.fullmatch(options.forward)
    if found is None or not all(0 < int(found[name]) < 65536 for name in ("local", "port")):
        raise OperationError(f"-L {options.forward}: not PORT:HOST:PORT, such as 5433:db:5432")
    database = deployment.plan.project.database
    is_database = database is not None and found["host"] == database.service
    (service,) = deployment.chosen([options.through]) if options.through else _neighbour(deployment)
    session_plugin.require()
    host = _endpoint(deployment) if is_database else found["host"]
    with _task(deployment, service, out) as task:
        target = session_plugin.target(deployment.cluster, task, service.name)
        session = deployment.client("ssm").start_session(
            Target=target,
            DocumentName=_DOCUMENT,
            Parameters={"host": [host], "portNumber": [found["port"]], "localPortNumber": [found["local"]]},
        )
        out.line(f"127.0.0.1:{found['local']} is {host}:{found['port']}, until Ctrl-C.")
        if database is not None and is_database:
            for line in _how_to_sign_in(deployment, database, host, found["local"]):
                out.line(line)
        return session_plugin.hand_over(session, target, deployment.session.region_name or "")


def _task(deployment: Deployment, service: RunningService, out: Output) -> AbstractContextManager[Any]:
    """Return a task of a service that runs, or one of its own where the service's let nobody in."""
    role = deployment.outputs.get(TUNNEL_ROLE)
    if service.described.get("enableExecuteCommand") or role is None:
        return nullcontext(session_plugin.running_task(deployment, service))
    out.line(f"The tasks of {service.name} let nobody in, so one is started for this alone; that takes a minute.")
    return one_off.held(deployment, service, role)


def _endpoint(deployment: Deployment) -> str:
    names = deployment.physical("AWS::RDS::DBInstance")
    (found,) = deployment.client("rds").describe_db_instances(DBInstanceIdentifier=names[0])["DBInstances"]
    if "Endpoint" not in found:
        raise OperationError(f"the database is {found['DBInstanceStatus']}, and has no address: see `status`")
    return str(found["Endpoint"]["Address"])


def _neighbour(deployment: Deployment) -> tuple[RunningService, ...]:
    """Return a service whose tasks the database's security group lets in, alone."""
    for name, task in deployment.plan.tasks.items():
        if task.uses_database and any(service.name == name for service in deployment.services):
            return deployment.chosen([name])
    raise OperationError("no service uses a database: say --through which one the way leads")


def _how_to_sign_in(deployment: Deployment, database: DatabaseDefinition, host: str, port: str) -> Iterator[str]:
    """Yield the line for psql, with the role that signs in by IAM where there is one; else who has the password."""
    by_iam = {user for task in deployment.plan.tasks.values() for user in task.database_users}
    user = min(by_iam, default=database.owner)
    # host is what the certificate has to be for, hostaddr where to connect to (libpq).
    roots = deployment.plan.project.file.resolve().parent / _CERTIFICATES
    verified = f"sslmode=verify-full sslrootcert='{roots}'"
    line = f'psql "host={host} hostaddr=127.0.0.1 port={port} dbname={database.name} user={user} {verified}"'
    if not roots.is_file():
        yield f"{roots} is missing: RDS's User Guide has its bundle (global-bundle.pem); without it psql refuses."
    if by_iam:
        region = deployment.session.region_name
        token = f"aws rds generate-db-auth-token --region {region} --hostname {host} --port 5432 --username {user}"
        yield f'PGPASSWORD="$({token})" {line}'
    else:
        yield f"{line}   # its password is in the stack's secret of the database, in Secrets Manager"
