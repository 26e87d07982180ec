"""The containers of docker-compose.yml, with the limits it gives them."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from testkit.server import free_port
from testkit.tools import ROOT

PROJECT = "catalogue-bench"  # so that what `make up` started goes on undisturbed


@dataclass(frozen=True)
class Composition:
    """Running containers: where their API and UI are, and their ids by service."""

    api_url: str
    ui_url: str
    ids: dict[str, str]

    def state(self, service: str) -> Any:
        """Return what `docker inspect` says of a service's container."""
        return json.loads(docker("inspect", self.ids[service]))[0]


@contextmanager
def composition() -> Iterator[Composition]:
    """Build and start everything that docker-compose.yml says, and drop all of it afterwards, images too."""
    ports = {"API_PORT": str(free_port()), "UI_PORT": str(free_port())}
    try:
        _compose(ports, "up", "--build", "--wait", "--wait-timeout", "180")
        containers = [json.loads(line) for line in _compose(ports, "ps", "--format", "json").splitlines()]
        yield Composition(
            f"http://127.0.0.1:{ports['API_PORT']}",
            f"http://127.0.0.1:{ports['UI_PORT']}",
            {container["Service"]: container["ID"] for container in containers},
        )
    finally:
        _compose(ports, "down", "--volumes", "--rmi", "local", "--timeout", "30")


def engine_answers() -> bool:
    """Say whether there is a container engine to work with."""
    try:
        docker("info")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def docker(*arguments: str) -> str:
    """Run a command of Docker's in the repository and return what it printed."""
    return subprocess.run(["docker", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


class Watch:
    """What a container takes while the block runs, as the engine says it every few seconds."""

    def __init__(self, container: str) -> None:
        self._container = container
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.mebibytes: list[float] = []
        self.cpus: list[float] = []

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.is_set():
            found = json.loads(docker("stats", "--no-stream", "--format", "{{json .}}", self._container))
            self.mebibytes.append(_mebibytes(found["MemUsage"].partition(" / ")[0]))
            self.cpus.append(float(found["CPUPerc"].rstrip("%")) / 100)


def _mebibytes(text: str) -> float:
    """Return what Docker writes as, for example, 1.5GiB."""
    number = text.rstrip("BGKMi")
    return float(number) * {"GiB": 1024, "MiB": 1, "KiB": 1 / 1024, "B": 1 / 2**20}[text.removeprefix(number)]


def _compose(environment: dict[str, str], *arguments: str) -> str:
    command = ["docker", "compose", "--project-name", PROJECT, *arguments]
    environment = {**os.environ, "DOCKER_BUILDKIT": "1", **environment}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
