"""Get into a task of the deployed application, and through one to its database, as operators do."""

import os
import re
import shlex
import signal
import socket
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import boto3
import psycopg2

from infra.rehearsal.cdk import Cdk
from infra.rehearsal.emulator import Emulator
from infra.rehearsal.launcher.certificates import AUTHORITY
from infra.rehearsal.problem import RehearsalError

_QUERY = "SELECT count(*) FROM products"
_OF_TUNNELS = "-tunnel:"  # how the families of their task definitions end
_PATIENCE = 120  # seconds until a task of its own runs, and the way is open
_ROOTS = re.compile(r"sslrootcert='[^']*'")
_TOKEN = re.compile(r"--hostname (\S+) --port (\d+) --username (\S+)\)")


def get_in(cdk: Cdk, emulator: Emulator, project: Path, service: str, *, is_let_in: bool) -> list[str]:
    """Run a command in a task that runs, and a query through a tunnel; return what was seen.

    `is_let_in` says whether the environment lets operators into its tasks (`services.ecs_exec`).

    Raises:
        RehearsalError: one of them does not do what it should.
    """
    code, said = cdk.operate(project, "exec", service, "--", "sh", "-c", "echo inside; exit 4", variables={})
    if is_let_in and (code != 4 or "inside" not in said):
        raise RehearsalError(f"exec: ended with {code} instead of 4, and said: {' / '.join(said)}")
    if not is_let_in and not (code == 1 and "services.ecs_exec is false" in said[-1]):
        raise RehearsalError(f"exec: was not refused, but said: {' / '.join(said)}")
    asked = _asked_through_a_tunnel(cdk, emulator, project)
    if left := _tunnels_tasks():
        raise RehearsalError(f"tunnel: left {', '.join(left)}")
    return [
        "exec: its output, and its exit code 4" if is_let_in else "exec: nobody is let in",
        f"tunnel: {_QUERY} → {asked}" + ("" if is_let_in else ", through a task of its own, which is gone"),
    ]


def _asked_through_a_tunnel(cdk: Cdk, emulator: Emulator, project: Path) -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with cdk.operating(project, "tunnel", "-L", f"{port}:db:5432") as tunnel:
        said = _until("Port ", tunnel)
        psql = next((line for line in said if " psql " in f" {line}"), "")
        if not psql:
            raise RehearsalError(f"tunnel: did not say how to use it: {' / '.join(said)}")
        # The database's name is verified as told, but its certificate is from the rehearsal's authority, not Amazon's.
        authority = f"sslrootcert='{emulator.certificates / AUTHORITY}'"
        conninfo = _ROOTS.sub(authority, shlex.split(psql[psql.index("psql ") :])[1])
        try:
            with closing(psycopg2.connect(conninfo, password=_password(psql), connect_timeout=20)) as connection:
                cursor = connection.cursor()
                cursor.execute(_QUERY)
                (count,) = cursor.fetchone() or ("nothing",)
        except psycopg2.Error as error:
            raise RehearsalError(f"tunnel: {conninfo} does not lead to the database: {error}") from error
    return str(count)


def _tunnels_tasks() -> list[str]:
    """Return the tasks and the task definitions that tunnels have started or registered, and that are still there."""
    ecs = boto3.client("ecs")
    left = []
    for cluster in ecs.list_clusters()["clusterArns"]:
        if arns := ecs.list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"]:
            described = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
            left += [one["taskArn"] for one in described if _OF_TUNNELS in one["taskDefinitionArn"]]
    registered = ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]
    return left + [arn for arn in registered if _OF_TUNNELS in arn]


def _until(words: str, process: subprocess.Popen[str]) -> list[str]:
    """Return the lines that a program says until one begins with these words."""
    said: list[str] = []
    end = threading.Timer(_PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
    end.start()
    try:
        for line in process.stdout or ():
            said.append(line.rstrip())
            if line.startswith(words):
                return said
    finally:
        end.cancel()
    raise RehearsalError(f"tunnel: ended by itself: {' / '.join(said[-3:])}")


def _password(psql: str) -> str:
    """Make the token that the line tells to make, as the AWS CLI would."""
    found = _TOKEN.search(psql)
    if found is None:
        raise RehearsalError(f"tunnel: says no token: {psql}")
    host, port, user = found.groups()
    client = boto3.client("rds")
    return str(client.generate_db_auth_token(DBHostname=host, Port=int(port), DBUsername=user))
