"""`make run`: the whole application on this machine, with an embedded PostgreSQL and no container engine."""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `main` there is nothing to end: no traceback for Ctrl-C

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import psutil

from app import running
from app.embedded_postgres import EmbeddedPostgresError, embedded_postgres

ROOT = Path(__file__).parent.parent
DATA = ROOT / ".data"
API_ROLE = "catalogue_api"
START_SECONDS = 90  # a first start on a slow laptop compiles every module
STOP_SECONDS = 25
MARK = "CATALOGUE_RUN_IN"  # the variable by which a process is known as one of ours: it has this folder
DIRECTLY = build_opener(ProxyHandler({}))  # a proxy has no way to this machine's own addresses


class LocalError(Exception):
    """The application cannot run here; the message says why and what to do."""


def main() -> int:
    """Start PostgreSQL, migrate it, start the API and the UI, and stop all of it on Ctrl-C or SIGTERM."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    try:
        with ExitStack() as stack:
            _run(stack)
    except (LocalError, EmbeddedPostgresError) as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


def _run(stack: ExitStack) -> None:
    _warn_of_root()
    _require_folder()
    lock = stack.enter_context(_alone())
    _end_leftovers()
    api_port, ui_port = _free_port("API_PORT", 8000), _free_port("UI_PORT", 8501)
    if api_port == ui_port:
        raise LocalError(f"API_PORT and UI_PORT are both {api_port}; the API and the UI need a port each.")
    api_url, ui_url = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{ui_port}"
    owner = api = {"DATABASE_URL": os.environ.get("DATABASE_URL", "")}
    embedded = ""
    if not owner["DATABASE_URL"]:
        for name in [name for name in os.environ if name.startswith("PG")]:
            del os.environ[name]  # libpq's own: they mean another server
        print("Starting PostgreSQL …", flush=True)
        url = stack.enter_context(embedded_postgres(DATA / "postgres"))
        # Two roles, as in the containers and on AWS: a right that the API lacks shows here already.
        owner = {"DATABASE_URL": url.render_as_string(), "DATABASE_API_USER": API_ROLE}
        api = {"DATABASE_URL": url.set(username=API_ROLE).render_as_string()}
        embedded = api["DATABASE_URL"]
    environment = {
        **os.environ,
        **api,
        "API_URL": api_url,
        "API_PORT": str(api_port),
        "UI_PORT": str(ui_port),
        "NO_PROXY": ",".join(filter(None, ["127.0.0.1", os.environ.get("NO_PROXY", os.environ.get("no_proxy"))])),
        MARK: str(ROOT),
    }
    environment.pop("no_proxy", None)

    print("Migrating the database …", flush=True)
    migrate = [sys.executable, "-m", "app.api.migrate"]
    # A session of its own, as below: Ctrl-C reaches us alone, and what it ends can be run again.
    migration = subprocess.run(migrate, cwd=ROOT, env={**environment, **owner}, check=False, start_new_session=True)
    if migration.returncode:
        raise LocalError("the database could not be migrated; the line above says why.")

    print("Starting the API and the UI …", flush=True)
    api_process = stack.enter_context(_process("api", ["-m", "app.api.main"], environment))
    ui_process = stack.enter_context(_process("ui", ["-m", "app.ui.serve"], environment))
    _wait_until_healthy("api", api_process, f"{api_url}/health/ready")
    running.announce(lock, api_url, embedded)
    _wait_until_healthy("ui", ui_process, f"{ui_url}/_stcore/health")
    print(
        f"\n  UI    {ui_url}\n  API   {api_url}/docs\n\n"
        "`make demo` in another terminal loads example products; logs are in .data/logs/.\nCtrl-C stops everything.",
        flush=True,
    )
    while api_process.poll() is None and ui_process.poll() is None:
        time.sleep(0.5)
    raise _ended("api" if api_process.poll() is not None else "ui")


def _warn_of_root() -> None:
    owner = ROOT.stat().st_uid
    if os.geteuid() == 0 and owner:
        print(
            f"You are root, in a folder of the user {owner}: what is written to {DATA} will not be theirs. Use their "
            f"account, or give it to them afterwards: chown -R {owner} {shlex.quote(str(DATA))}",
            flush=True,
        )


def _require_folder() -> None:
    try:
        DATA.mkdir(parents=True, exist_ok=True)
        running.LOCK.open("a").close()
    except OSError as error:
        raise LocalError(
            f"cannot write {running.LOCK}: {error.strerror}. Make it writable; if root made it, "
            f"`sudo chown -R $(id -u) {shlex.quote(str(DATA))}` does."
        ) from None


@contextmanager
def _alone() -> Iterator[IO[str]]:
    """Be the only one that runs the application of this folder."""
    try:
        with running.alone() as lock:
            yield lock
    except running.AlreadyRunningError as error:
        raise LocalError(
            f"it is running in this folder already, as process {error}; "
            "stop it with Ctrl-C where it was started, or use it."
        ) from None


def _end_leftovers() -> None:
    """End what an earlier run of this folder left behind when it was killed."""
    left = [process for process in psutil.process_iter() if _is_ours(process)]
    if left:
        print("Ending what an earlier run left behind …", flush=True)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, STOP_SECONDS)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, STOP_SECONDS)


def _is_ours(process: psutil.Process) -> bool:
    try:
        return process.environ().get(MARK) == str(ROOT) and process.pid != os.getpid()
    except (psutil.Error, OSError):  # another user's, or gone meanwhile
        return False


def _free_port(variable: str, default: int) -> int:
    value = os.environ.get(variable) or str(default)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise LocalError(f"{variable}={value} is not a port; use a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(value)))
        except OSError as error:
            raise LocalError(
                f"port {value} on 127.0.0.1 is taken ({error.strerror}): stop what listens there, "
                f"or choose another, for example `make run {variable}={int(value) + 100}`."
            ) from None
    return int(value)


@contextmanager
def _process(name: str, arguments: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    log = _log(name)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        output = log.open("wb")
    except OSError as error:
        raise LocalError(f"cannot write {log}: {error.strerror}.") from None
    # A session of its own: Ctrl-C reaches us alone, and we end the processes in the right order.
    with (
        output,
        subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_healthy(name: str, process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _ended(name)
        try:
            with DIRECTLY.open(url, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise LocalError(f"the {name} was not healthy within {START_SECONDS} s. The end of {_log(name)}:\n{_tail(name)}")


def _ended(name: str) -> LocalError:
    return LocalError(f"the {name} ended. The end of {_log(name)}:\n{_tail(name)}")


def _log(name: str) -> Path:
    return DATA / "logs" / f"{name}.log"


def _tail(name: str) -> str:
    return "\n".join(_log(name).read_text(errors="replace").splitlines()[-10:])


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)  # one is enough; what follows is the orderly end
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
