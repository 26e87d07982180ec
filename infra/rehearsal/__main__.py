"""`python -m infra.rehearsal`: rehearse the deployment of one environment."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from infra.plan import PlanError
from infra.rehearsal import engine
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.rehearse import rehearse
from infra.rehearsal.scenarios import ALL

_LOGS = engine.ROOT / ".data/rehearsal"


def main() -> int:
    """Rehearse as the command line asks; return the exit code: 0, 1 with one sentence, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m infra.rehearsal", description="Deploy to an emulated AWS, use it.")
    parser.add_argument("--environment", default="dev", help="an environment of cdk.json (default: dev)")
    parser.add_argument(
        "--control-plane", action="store_true", help="run no containers, even if there is a Docker engine"
    )
    parser.add_argument(
        "--scenarios",
        nargs="*",
        choices=ALL,
        default=ALL,
        metavar="NAME",
        help=f"what to do with what is deployed, which takes containers (default: all of {', '.join(ALL)})",
    )
    parser.add_argument("--keep", action="store_true", help="wait for Ctrl-C before it is destroyed")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # whatever ends us: clean up as after Ctrl-C
    try:
        _LOGS.mkdir(parents=True, exist_ok=True)
        directory = Path(tempfile.mkdtemp(dir=_LOGS))
    except OSError as error:
        print(f"rehearse: cannot write logs to {_LOGS}: {error.strerror}", file=sys.stderr)
        return 1
    containers = engine.answers() and not arguments.control_plane
    try:
        rehearse(
            arguments.environment,
            directory,
            Console(),
            containers=containers,
            scenarios=arguments.scenarios,
            keep=arguments.keep,
        )
    except (RehearsalError, PlanError, BotoCoreError, ClientError) as error:
        print(f"rehearse: {error} (logs: {directory.relative_to(engine.ROOT)})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("rehearse: stopped; the emulated AWS and all it ran are gone", file=sys.stderr)
        code = 130
    else:
        code = 0
    shutil.rmtree(directory)
    return code


if __name__ == "__main__":
    sys.exit(main())
