"""The watch over a migration's locks, on a real PostgreSQL."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import psycopg2
import pytest
from sqlalchemy import URL

from infra.operations.as_owner import CONNECT
from infra.operations.lock_watch import IS_WATCHING, NAME, SCRIPT, LockWatch

_PATIENCE = 60  # seconds


@pytest.fixture
def variables(postgres_url: URL) -> dict[str, str]:
    """What the container is given, in libpq's variables."""
    known = {"USER": postgres_url.username, "PASSWORD": postgres_url.password, "DATABASE": postgres_url.database}
    given = {f"PG{name}": str(value) for name, value in {**known, "PORT": postgres_url.query["port"]}.items() if value}
    return {**os.environ, **given, "HOSTS": str(postgres_url.query["host"]), "PGAPPNAME": NAME}


@contextmanager
def watching(variables: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Run the watch, as its container does, once its health check says that it watches."""
    command = [sys.executable, "-c", CONNECT + SCRIPT]
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + _PATIENCE
        while subprocess.run([sys.executable, "-c", CONNECT + IS_WATCHING], env=variables, check=False).returncode:
            assert time.monotonic() < until
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_two_looks(cursor: Any) -> None:
    """Wait until the watch has looked twice more, so once at what is so now."""
    for _ in range(2):
        before = last_look(cursor)
        until = time.monotonic() + _PATIENCE
        while last_look(cursor) == before:
            assert time.monotonic() < until


def last_look(cursor: Any) -> datetime:
    cursor.execute("SELECT pg_stat_clear_snapshot()")
    cursor.execute("SELECT max(query_start) FROM pg_stat_activity WHERE application_name = %s", [NAME])
    (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment


def test_it_tells_whom_each_lock_keeps_waiting(postgres_url: URL, variables: dict[str, str]) -> None:
    url = postgres_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE altered (i int); CREATE TABLE indexed (i int); CREATE TABLE only_read (i int)")
        connection.commit()
        with watching(variables) as process:
            cursor.execute("ALTER TABLE altered ADD j int; CREATE INDEX ON indexed (i); SELECT * FROM only_read")
            cursor.execute("CREATE TABLE nobody_knows (i int)")
            wait_for_two_looks(cursor)
            connection.rollback()
            process.terminate()
            said, _ = process.communicate(timeout=_PATIENCE)
        cursor.execute("DROP TABLE altered, indexed, only_read")
        connection.commit()

    watch = LockWatch(lambda _line: None)
    for line in said.splitlines():
        watch.heard(NAME, line)
    found = {(one.table, one.who) for one in watch.locks}
    assert found == {("public.altered", "readers"), ("public.altered", "writers"), ("public.indexed", "writers")}
    assert all(one.seconds > 0 for one in watch.locks)
    assert watch.seconds > 0
    assert process.returncode == 0
