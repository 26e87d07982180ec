"""The application that is attacked: API and UI, as processes or as containers of their compose sizes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import yaml

from testkit.server import free_port

START_SECONDS = 60
STOP_SECONDS = 30


class Server:
    """A server process, started from the source in `checkout`; what it says goes to a log."""

    def __init__(self, checkout: Path, module: str, port_variable: str, health: str, log: Path) -> None:
        self.checkout = checkout
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.environment: dict[str, str] = {}
        self._module, self._port_variable, self._health = module, port_variable, health
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str], *, wait: bool = True) -> None:
        """Start it with these variables, and wait until its health answers."""
        self.environment = dict(environment)
        self._launch({**self.environment, self._port_variable: str(self.port)})
        deadline = time.monotonic() + START_SECONDS
        while wait and not self.is_healthy():
            if not self.is_running() or time.monotonic() > deadline:
                raise RuntimeError(f"{self._module} did not start:\n{self.tail()}")
            time.sleep(0.02)

    def is_healthy(self) -> bool:
        """Say whether its health address answers well."""
        try:
            with urlopen(self.url + self._health, timeout=3):  # noqa: S310 - our own address
                return True
        except (URLError, OSError):
            return False

    def is_running(self) -> bool:
        """Say whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        """Send SIGTERM."""
        if self._process is not None and self.is_running():
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> float:
        """End it with SIGTERM, or SIGKILL when that takes too long; return the seconds it took."""
        started = time.monotonic()
        self.terminate()
        if self._process is not None:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        return time.monotonic() - started

    def processes(self) -> list[psutil.Process]:
        """Return what runs of it."""
        if self._process is None or not self.is_running():
            return []
        process = psutil.Process(self._process.pid)
        return [process, *process.children(recursive=True)]

    def tail(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def log_size(self) -> int:
        """Return the bytes it has logged."""
        return self.log.stat().st_size

    def _launch(self, environment: Mapping[str, str]) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module],
                cwd=self.checkout,
                env={**_inherited(), **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


class Container(Server):
    """The same in a container of the size that docker-compose.yml gives its service."""

    def __init__(self, checkout: Path, service: str, port_variable: str, health: str, log: Path) -> None:
        super().__init__(checkout, service, port_variable, health, log)
        self._service = service
        self._name = f"catalogue-faults-{service}-{os.getpid()}"
        self._image = f"catalogue-faults-{service}:{checkout.name}"
        named = ["--target", service, "--tag", self._image, "--file", "app/Dockerfile"]
        docker("build", "--quiet", *named, ".", cwd=checkout)
        self.limits = compose_limits(checkout, service)

    def is_running(self) -> bool:
        """Say whether it has not ended; the engine does not start it again."""
        return bool(self._state().get("Running"))

    def was_killed_for_memory(self) -> bool:
        """Say whether the engine saw the kernel end one of its processes for want of memory."""
        return bool(self._state().get("OOMKilled"))

    def kill(self) -> None:
        """End it with SIGKILL."""
        docker("rm", "--force", self._name, check=False)

    def terminate(self) -> None:
        """Send SIGTERM."""
        docker("kill", "--signal", "TERM", self._name, check=False)

    def stop(self) -> float:
        """End it with SIGTERM, or SIGKILL when that takes too long; return the seconds it took."""
        started = time.monotonic()
        docker("stop", "--time", str(STOP_SECONDS), self._name, check=False)
        self._keep_log()
        self.kill()
        return time.monotonic() - started

    def processes(self) -> list[psutil.Process]:
        """Return what runs of it, where the engine's processes are this machine's."""
        try:
            process = psutil.Process(int(self._state().get("Pid", 0)))
            return [process, *process.children(recursive=True)]
        except (psutil.NoSuchProcess, ValueError):
            return []

    def log_size(self) -> int:
        """Return the bytes it has logged."""
        self._keep_log()
        return super().log_size()

    def tail(self) -> str:
        """Return the end of its log."""
        self._keep_log()
        return super().tail()

    def _state(self) -> dict[str, Any]:
        text = docker("inspect", "--format", "{{json .State}}", self._name, check=False)
        state: dict[str, Any] = yaml.safe_load(text) if text else {}
        return state

    def _launch(self, environment: Mapping[str, str]) -> None:
        self.kill()
        host = {"API_HOST": "127.0.0.1", "UI_HOST": "127.0.0.1", "PYTHONUNBUFFERED": "1"}
        variables = [part for name, value in {**host, **environment}.items() for part in ("--env", f"{name}={value}")]
        size = [
            "--cpus",
            self.limits["cpus"],
            "--memory",
            self.limits["memory"],
            "--memory-swap",
            self.limits["memory"],
        ]
        hardening = ["--network", "host", "--init", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]  # noqa: S108
        docker("run", "--detach", "--name", self._name, *size, *hardening, *variables, self._image)

    def _keep_log(self) -> None:
        with self.log.open("wb") as log:
            subprocess.run(["docker", "logs", self._name], stdout=log, stderr=log, check=False)


def compose_limits(checkout: Path, service: str) -> dict[str, str]:
    """Return the CPUs and the memory that docker-compose.yml gives a service."""
    compose = yaml.safe_load((checkout / "docker-compose.yml").read_text(encoding="utf-8"))
    limits = compose["services"][service]["deploy"]["resources"]["limits"]
    return {"cpus": str(limits["cpus"]), "memory": str(limits["memory"])}


def engine_answers() -> bool:
    """Say whether there is a container engine whose containers share this machine's network."""
    if sys.platform != "linux":
        return False
    try:
        docker("info")
    except (OSError, RuntimeError):
        return False
    return True


def docker(*arguments: str, cwd: Path | None = None, check: bool = True) -> str:
    """Run a command of the engine's client and return what it printed."""
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, cwd=cwd, env=environment)
    if done.returncode and check:
        raise RuntimeError(f"docker {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout.strip()


def migrate(checkout: Path, environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Begin to bring a database to the newest schema."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "app.api.migrate"],
            cwd=checkout,
            env={**_inherited(), **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _inherited() -> dict[str, str]:
    """Return this process's own variables without those that would set up the application."""
    ours = ("DATABASE_", "PG", "OIDC_", "SERVICE_TOKEN", "API_", "UI_", "PUBLIC_URL", "COOKIE_SECRET", "IMPORT_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
