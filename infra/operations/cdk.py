"""`python -m infra.operations.cdk …`: the CDK CLI, in the region that all other commands take."""

import os
import subprocess
import sys

from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.session import region


def run(*arguments: str, region: str) -> int:
    """Run a command of the CDK CLI of PATH on this terminal; return its exit code, or 127 when there is no CLI."""
    try:
        return subprocess.run(["cdk", *arguments], env=os.environ | {"AWS_REGION": region}, check=False).returncode
    except FileNotFoundError:
        print("There is no cdk in PATH: run make setup, and this by make", file=sys.stderr)
        return 127


def main(*arguments: str) -> int:
    """Run the command, or say why not."""
    try:
        return run(*arguments, region=region())
    except AWS_ERRORS as error:
        print(f"cdk {arguments[0]}: {sentence(error)}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
