"""Start and stop an emulated AWS account: a container next to the tasks it runs, or without an engine a process."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from infra.rehearsal import engine
from infra.rehearsal.problem import RehearsalError

REGION = "us-east-1"
_PORT, _HTTPS_PORT = 4566, 443  # in the emulator's container
_CERTIFICATES = "/certificates"
_HOUR = "/_rehearsal/an-hour-later"  # infra/rehearsal/launcher/hour.py, which needs the emulator's own packages
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_START_TIMEOUT = 60.0  # seconds; three on an idle machine


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running emulated AWS account, empty at first, and where it answers.

    `url` is where its APIs do. `https_port` is that of what people reach, each by the name of its host, which is an
    address of this machine in no name server: with `containers` only.
    """

    name: str
    account: str
    url: str
    https_port: int | None
    runs_containers: bool
    certificates: Path  # of what answers at the HTTPS port

    def environment(self) -> dict[str, str]:
        """This process's environment with the emulated account, and nothing of a real one."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return ours | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.account,  # the emulator takes a twelve-digit key for the account's number
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }

    def containers(self) -> list[str]:
        """The identities of the containers it runs now."""
        return engine.containers_of(self.name, _PORT) if self.runs_containers else []

    def an_hour_later(self) -> None:
        """Let ECS forget the tasks that stopped, as it does after an hour."""
        with urllib.request.urlopen(f"{self.url}{_HOUR}", timeout=10):  # noqa: S310 - an http address of ours
            pass

    def execute(self, container: str, command: str) -> str | None:
        """Run a shell command in a running container of that name; return what it said if it failed, else None."""
        return engine.execute(self.name, _PORT, container, command)


@contextmanager
def emulated_aws(directory: Path, *, containers: bool) -> Iterator[Emulator]:
    """Run an emulated AWS account with its log in `directory`; nothing of it is left afterwards.

    With `containers` it runs ECS tasks and databases on the Docker engine. Raises RehearsalError if it does not start.
    """
    account = str(100_000_000_000 + secrets.randbelow(900_000_000_000))
    name = f"catalogue-rehearsal-{account}"
    log, certificates = directory / "emulator.log", directory / "certificates"
    with ExitStack() as stack:
        stack.enter_context(_signals_as_before())
        output = stack.enter_context(log.open("wb"))
        if containers:
            image = engine.build_emulator_image()
            stack.callback(engine.remove, name, _PORT, account)
            engine.create_network(name)
            certificates.mkdir()
            variables = _container_variables(name, account) | {"CERTIFICATES_OUTSIDE": str(certificates.resolve())}
            command = engine.run_command(name, image, (_PORT, _HTTPS_PORT), variables, {certificates: _CERTIFICATES})
            process = stack.enter_context(_leashed(command, os.environ, output))
        else:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            process = stack.enter_context(_own_process(listener, account, directory, output))
        port = None if containers else listener.getsockname()[1]
        deadline = time.monotonic() + _START_TIMEOUT
        while not (port and _is_ready(port)):
            if process.poll() is not None or time.monotonic() > deadline:
                reason = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
                raise RehearsalError(f"the emulated AWS did not start: {reason}")
            time.sleep(0.1)
            port = port or engine.published_port(name, _PORT)
        stack.callback(_ignore_signals)  # what is removed from here on, is removed to the end
        yield Emulator(
            name=name,
            account=account,
            url=f"http://127.0.0.1:{port}",
            https_port=engine.published_port(name, _HTTPS_PORT) if containers else None,
            runs_containers=containers,
            certificates=certificates,
        )


@contextmanager
def _signals_as_before() -> Iterator[None]:
    """Leave signals as they were: what is ignored here would be in every program that this one starts afterwards."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _container_variables(name: str, account: str) -> dict[str, str]:
    return {
        "BIND": f"0.0.0.0:{_PORT}",
        "CERTIFICATES": _CERTIFICATES,
        "GATEWAY_PORT": str(_PORT),
        "MINISTACK_HOSTNAME": name,
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": account,  # of requests without a signature, such as those to a load balancer
        "MINISTACK_DOCKER_TIMEOUT": "60",
    }


def _own_process(
    listener: socket.socket, account: str, directory: Path, output: BinaryIO
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    descriptor = listener.fileno()
    environment = {
        **os.environ,
        "BIND": f"fd://{descriptor}",
        "GATEWAY_PORT": str(listener.getsockname()[1]),
        "MINISTACK_ACCOUNT_ID": account,
        "DOCKER_HOST": "unix:///dev/null/none",  # whatever engine there is: not for this emulator
        "TMPDIR": str(directory),
        "S3_DATA_DIR": str(directory / "s3"),
    }
    command = [sys.executable, "-m", "infra.rehearsal.launcher"]
    return _leashed(command, environment, output, keep=(descriptor,))


@contextmanager
def _leashed(
    command: list[str], environment: Mapping[str, str], output: BinaryIO, keep: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that ends when its standard input closes, in a session of its own so that Ctrl-C is ours alone."""
    process = subprocess.Popen(
        command,
        cwd=engine.ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        pass_fds=keep,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(OSError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
