"""Ask the database from where the tasks are, as its owner: a script of ours, in a task of its own.

It runs in the container that is given the owner's password, which is the one that migrates, as that knows how to
connect; its image has to have Python and psycopg, of either generation.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.operations import one_off
from infra.operations.deployment import Deployment, OperationError, RunningService
from infra.operations.one_off import Container
from infra.operations.rotate import owners_secrets

CONNECT = """
import json, os, time
try:
    import psycopg2 as driver
except ImportError:
    import psycopg as driver
def connect(host):
    connection = driver.connect(host=host, connect_timeout=30)
    connection.autocommit = True
    return connection.cursor()
"""
"""What scripts begin with: `connect(host)` returns a cursor, each of whose statements is a transaction."""

_COUNTS = """
for host in os.environ["HOSTS"].split():
    cursor = connect(host)
    cursor.execute(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    rows = {}
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT count(*) FROM {table}")
        (rows[table],) = cursor.fetchone()
    print(json.dumps({"host": host, "rows": rows}), flush=True)
"""
_NOT_ALONE = ("dependsOn", "healthCheck", "portMappings", "entryPoint")


def counts(deployment: Deployment, hosts: list[str], say: Callable[[str], None]) -> list[dict[str, int]]:
    """Return how many rows each table has in the database at each of the hosts.

    Raises:
        OperationError: it failed, with what was said; or nobody in the stack has the owner's password.
    """
    service, described = owners_task(deployment)
    found: dict[str, dict[str, int]] = {}
    others: list[str] = []

    def heard(container: str, line: str) -> None:
        if not container:
            say(line)
        elif line.startswith('{"host"'):
            answer = json.loads(line)
            found[answer["host"]] = answer["rows"]
        else:
            others.append(line)

    asking = script(deployment, described, "count", _COUNTS, {"HOSTS": " ".join(hosts)})
    if code := one_off.run_once(deployment, service, described, [asking], heard):
        said = " ".join(others[-2:]) or "it said nothing"
        raise OperationError(
            f"the rows could not be counted, which takes Python and psycopg in the image: {code}: {said}"
        )
    return [found[host] for host in hosts]


def owners_task(deployment: Deployment) -> tuple[RunningService, Any]:
    """Return the service with the container that is given the owner's password, and what ECS says of its definition.

    Raises:
        OperationError: there is none.
    """
    for service in deployment.services:
        described = one_off.definition(deployment, service)
        if any(_owners_variables(deployment, one) for one in described["containerDefinitions"]):
            return service, described
    raise OperationError(
        "no container of the stack is given the name and the password of the database's owner (username and password "
        "in x-aws.rds.variables), as whom a database is looked at"
    )


def owners_container(deployment: Deployment, described: Any) -> Container:
    """Return the container of the task that is given the owner's password, in libpq's variables whatever its own are.

    It is alone: what it waits for, its health check and its ports are left out.
    """
    (own,) = [one for one in described["containerDefinitions"] if _owners_variables(deployment, one)][:1]
    database = deployment.plan.project.database
    assert database is not None  # noqa: S101 (its owner's secret has been found in the stack)
    secrets = {one["name"]: one["valueFrom"] for one in own["secrets"]} | _owners_variables(deployment, own)
    kept = {key: value for key, value in own.items() if key not in _NOT_ALONE}
    kept["secrets"] = [{"name": key, "valueFrom": value} for key, value in secrets.items()]
    return with_variables(kept, {"PGDATABASE": database.name})


def with_variables(container: Container, variables: Mapping[str, str]) -> Container:
    """Return a container with further variables, or other values of those it has."""
    known = {one["name"]: one["value"] for one in container.get("environment", [])}
    return {
        **container,
        "environment": [{"name": key, "value": value} for key, value in {**known, **variables}.items()],
    }


def script(deployment: Deployment, described: Any, name: str, text: str, variables: Mapping[str, str]) -> Container:
    """Return an essential container that runs a script of Python's which may `connect` as the owner."""
    own = with_variables(owners_container(deployment, described), variables)
    logs = own["logConfiguration"]
    options = {**logs["options"], "awslogs-stream-prefix": name}
    return {
        **own,
        "name": name,
        "command": ["python", "-c", CONNECT + text],
        "essential": True,
        "logConfiguration": {**logs, "options": options},
    }


def _owners_variables(deployment: Deployment, container: Container) -> dict[str, str]:
    """Return where libpq's variables for the owner come from, in ECS's spelling; nothing when it has them not."""
    (owner, *_) = owners_secrets(deployment.resources) or [""]
    fields = {"PGUSER": f"{owner}:username:", "PGPASSWORD": f"{owner}:password:"}
    given = [one["valueFrom"] for one in container.get("secrets", [])]
    found = {name: value for name, field in fields.items() for value in given if owner and value.startswith(field)}
    return found if len(found) == len(fields) else {}
