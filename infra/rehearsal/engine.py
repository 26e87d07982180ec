"""The Docker engine of this machine, as far as the rehearsal needs one."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.rehearsal.problem import RehearsalError

ROOT = Path(__file__).parents[2]
LABEL = "catalogue.rehearsal"  # on what we start ourselves; its value is the rehearsal's name
_IMAGE = "catalogue-rehearsal"
_DEFAULT_SOCKET = "unix:///var/run/docker.sock"


def answers() -> bool:
    """Whether an engine is there to run containers."""
    return bool(shutil.which("docker")) and _run("info").returncode == 0


def build_emulator_image() -> str:
    """Build the emulator's image, unless nothing changed, and return its identity."""
    before = _listed("images", "--quiet", "--no-trunc", _IMAGE)
    command = ["build", "--quiet", "--tag", _IMAGE, "--file", "infra/rehearsal/Dockerfile", "."]
    image = _checked("the emulator's image cannot be built", *command).strip()
    if before and before != [image]:
        _run("rmi", *before)
    return image


def create_network(name: str) -> None:
    """Make the network of one rehearsal."""
    _checked("the rehearsal's network cannot be made", "network", "create", "--label", f"{LABEL}={name}", name)


def run_command(
    name: str, image: str, ports: Sequence[int], environment: Mapping[str, str], folders: Mapping[Path, str]
) -> list[str]:
    """The command that runs the emulator on its network, its ports published on free ones of this machine's loopback.

    `folders` of this machine are there under the names given with them.

    It removes itself when it ends, and it ends when the command's standard input closes.
    """
    socket = os.environ.get("DOCKER_HOST", _DEFAULT_SOCKET)
    if not socket.startswith("unix://"):
        raise RehearsalError(
            f"DOCKER_HOST is {socket}: the rehearsal needs an engine on this machine (a unix:// socket)"
        )
    return [
        *("docker", "run", "--rm", "--interactive", "--pull=never", "--label", f"{LABEL}={name}"),
        *("--name", name, "--hostname", name, "--network", name),
        *(f"--publish=127.0.0.1::{port}" for port in ports),
        *(f"--volume={ours}:{theirs}" for ours, theirs in folders.items()),
        *("--volume", f"{socket.removeprefix('unix://')}:/var/run/docker.sock"),
        *(f"--env={variable}={value}" for variable, value in environment.items()),
        image,
    ]


def published_port(name: str, port: int) -> int | None:
    """The loopback port a container's port is published on, or None while it is not running."""
    answer = _run("port", name, str(port))
    return int(answer.stdout.splitlines()[0].rpartition(":")[2]) if answer.returncode == 0 and answer.stdout else None


def containers_of(name: str, port: int) -> list[str]:
    """The containers that the emulator of a rehearsal runs: tasks and databases."""
    return _listed("ps", "--all", "--quiet", "--filter", f"label=ministack.instance={name}:{port}")


def execute(name: str, port: int, container: str, command: str) -> str | None:
    """Run a shell command in a task's container of that name; return what it said if it failed, None if it did not."""
    label = f"label=com.amazonaws.ecs.container-name={container}"
    running = _listed("ps", "--quiet", "--filter", f"label=ministack.instance={name}:{port}", "--filter", label)
    if not running:
        return f"no container {container} is running"
    result = _run("exec", running[0], "sh", "-c", command)
    return (result.stderr or result.stdout).strip() if result.returncode else None


def remove(name: str, port: int, account: str) -> None:
    """Remove all that is left of a rehearsal, however it ended; not an error when nothing is.

    The images stay as this machine's build cache, but not under the names of the emulated account.
    """
    containers = [*containers_of(name, port), *_listed("ps", "--all", "--quiet", "--filter", f"label={LABEL}={name}")]
    if containers:
        _run("rm", "--force", "--volumes", *containers)
    if volumes := _listed("volume", "ls", "--quiet", "--filter", f"label={LABEL}={name}"):
        _run("volume", "rm", "--force", *volumes)
    _run("network", "rm", name)
    images = _listed("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={account}.dkr.ecr.*/*")
    if images:
        _run("rmi", "--no-prune", *images)


def _listed(*arguments: str) -> list[str]:
    return _run(*arguments).stdout.split()


def _checked(problem: str, *arguments: str) -> str:
    result = _run(*arguments)
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["docker says nothing"])[-1]
        raise RehearsalError(f"{problem}: {reason}")
    return result.stdout


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    # In a session of its own: a second Ctrl-C is not to end what cleans up after the first.
    return subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
