"""An RDS for PostgreSQL instance made by CloudFormation is a running PostgreSQL, under its endpoint's host name.

The emulator only writes such an instance down (it starts a database for CreateDBInstance alone).
"""

import secrets
import shlex
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from infra.rehearsal.launcher import database_tls, snapshots
from infra.rehearsal.launcher.certificates import Authority
from infra.rehearsal.launcher.interfaces import Interface, Interfaces
from infra.rehearsal.launcher.internals import container_reaper, ecs, handlers, rds, replace, stacks
from infra.rehearsal.launcher.snapshots import INSTANCE, SUPERUSER

_TLS = "tls"  # the folder of the certificate
_START_TIMEOUT = 60.0  # seconds; PostgreSQL takes two on an idle machine


def protect() -> None:
    """Let CloudFormation no more delete a protected instance than the RDS API does."""
    instances = handlers(INSTANCE)
    delete_record = instances["delete"]

    def delete(identifier: str, properties: dict[str, Any]) -> None:
        if rds._instances.get(identifier, {}).get("DeletionProtection"):
            raise ValueError(f"Cannot delete protected DB Instance {identifier}, please disable deletion protection")
        delete_record(identifier, properties)

    instances["delete"] = delete


class Servers:
    """The PostgreSQL of each instance: a container, and the interface at which it answers."""

    def __init__(self, engine: Any, interfaces: Interfaces, certificates: Authority) -> None:
        self._engine, self._interfaces, self._certificates = engine, interfaces, certificates
        self._running: dict[str, Interface] = {}

    def start(self, instance: dict[str, Any], snapshot: str | None) -> None:
        """Start that of an instance, with what a snapshot holds."""
        made = _start(self._engine, instance, self._interfaces, self._certificates, snapshot)
        self._running[instance["DBInstanceIdentifier"]], instance["_docker_container_id"] = made

    def remove(self, identifier: str, container: str | None) -> None:
        """Remove that of an instance, should it have one."""
        ecs._remove_docker_container(self._engine, container)
        if identifier in self._running:
            self._interfaces.remove(self._running.pop(identifier))


def install(engine: Any, interfaces: Interfaces, certificates: Authority) -> Servers:
    """Start and stop a container with each instance of CloudFormation's."""
    instances = handlers(INSTANCE)
    create_record, delete_record = instances["create"], instances["delete"]
    servers = Servers(engine, interfaces, certificates)

    def create(logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        identifier, attributes = create_record(logical_id, properties, stack_name)
        servers.start(rds._instances[identifier], properties.get("DBSnapshotIdentifier"))
        return identifier, attributes

    def delete(identifier: str, properties: dict[str, Any]) -> None:
        container = rds._instances.get(identifier, {}).get("_docker_container_id")
        delete_record(identifier, properties)
        servers.remove(identifier, container)

    instances["create"], instances["delete"] = create, delete
    run_off_the_loop(INSTANCE)
    replace(rds, "_set_db_instance_status", partial(_pausing, engine))
    return servers


def _pausing(engine: Any, set_status: Callable[..., Any]) -> Callable[..., Any]:
    """Have an instance that is stopped answer nobody until it is started: its data is in its container's memory."""

    def set_and_pause(parameters: Any, status: str, *names: str) -> Any:
        answer = set_status(parameters, status, *names)
        instance = rds._resolve_instance(rds._p(parameters, "DBInstanceIdentifier")) or {}
        if container_id := instance.get("_docker_container_id"):
            container = engine.containers.get(container_id)
            container.pause() if status == "stopped" else container.unpause()
        return answer

    return set_and_pause


def run_off_the_loop(resource_type: str) -> None:
    """Give a resource type's handlers a thread of their own: waiting in one would stop the whole emulator."""

    def or_others(others: Callable[[str], bool]) -> Callable[[str], bool]:
        return lambda requested: requested == resource_type or others(requested)

    replace(stacks, "_runs_on_worker_thread", or_others)


def _start(
    engine: Any, instance: dict[str, Any], interfaces: Interfaces, certificates: Authority, snapshot: str | None
) -> tuple[Interface, str]:
    endpoint = instance["Endpoint"]
    port, own_port = int(endpoint["Port"]), int(endpoint["Port"]) + 1
    interface = interfaces.create(
        [group["VpcSecurityGroupId"] for group in instance["VpcSecurityGroups"]],
        command=f"exec python -m {database_tls.__name__} {port} {own_port} /{_TLS}/server.crt /{_TLS}/server.key",
        aliases=[endpoint["Address"]],
        folder=certificates.archive_for(endpoint["Address"], _TLS),
    )
    container = engine.containers.run(
        f"postgres:{instance['EngineVersion'].split('.')[0]}",
        detach=True,
        environment={
            "POSTGRES_DB": "postgres" if snapshot else instance["DBName"],
            "POSTGRES_USER": SUPERUSER,
            "POSTGRES_PASSWORD": secrets.token_hex(),
            "PGPORT": str(own_port),  # of the server, and of its tools
        },
        command=["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
        labels=container_reaper.own_labels("rds"),
        network_mode=interface.network_mode,
        tmpfs={"/var/lib/postgresql": ""},  # nothing to remove afterwards
    )
    try:
        _prepare(container, instance, snapshot)
    except ValueError:
        ecs._remove_docker_container(engine, container)
        interfaces.remove(interface)
        raise
    return interface, str(container.id)


def _prepare(container: Any, instance: dict[str, Any], snapshot: str | None) -> None:
    # Over TCP, which the image's first start (the one that creates the database) does not listen on.
    ready = ["pg_isready", "--host=127.0.0.1"]
    deadline = time.monotonic() + _START_TIMEOUT
    while container.exec_run(ready).exit_code != 0:
        container.reload()
        if container.status == "exited" or time.monotonic() > deadline:
            log = container.logs(tail=5).decode(errors="replace").strip()
            raise ValueError(f"PostgreSQL did not start for {instance['DBInstanceIdentifier']}: {log}")
        time.sleep(0.1)
    if snapshot:
        snapshots.restore(container, snapshot)
    result = container.exec_run(["sh", "-c", _as_on_rds(instance, is_restored=bool(snapshot))])
    if result.exit_code != 0:
        raise ValueError(f"{instance['DBInstanceIdentifier']} cannot be prepared: {result.output.decode()}")


def _as_on_rds(instance: dict[str, Any], *, is_restored: bool) -> str:
    """A script that makes the owner no superuser, and has members of rds_iam sign in without a password of their own.

    Whoever is no member of rds_iam is refused without one. What the emulator cannot do is check a member's token.
    """
    owner, database = (identifier.replace('"', '""') for identifier in (instance["MasterUsername"], instance["DBName"]))
    password = instance["_MasterUserPassword"].replace("'", "''")
    statements = (
        [f"""ALTER ROLE "{owner}" PASSWORD '{password}'"""]
        if is_restored
        else [
            "CREATE ROLE rds_iam",
            f"""CREATE ROLE "{owner}" LOGIN CREATEDB CREATEROLE PASSWORD '{password}'""",
            f'GRANT rds_iam TO "{owner}" WITH ADMIN OPTION',
            f'ALTER DATABASE "{database}" OWNER TO "{owner}"',
        ]
    )
    statements.append("SELECT pg_reload_conf()")
    psql = [
        "psql",
        f"--username={SUPERUSER}",
        f"--dbname={instance['DBName']}",
    ]
    rules = rf'host all "{owner}" all scram-sha-256\nhost all +rds_iam all trust'
    return f"""
        set -e
        hba=$({shlex.join([*psql, "--tuples-only", "--no-align", "--command=SHOW hba_file"])})
        sed -i {shlex.quote("1i " + rules)} "$hba"
        {shlex.join([*psql, "--quiet", *(f"--command={statement}" for statement in statements)])}
    """
