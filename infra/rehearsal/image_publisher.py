"""What the CDK CLI runs in place of `docker` during a rehearsal: it builds for real, and publishes without a push.

An engine pushes to a registry's host name over HTTPS, and the emulated ECR has neither. So a pushed image is entered in
the emulated ECR, and tasks run the engine's own copy under the same name. Without an engine nothing is built either.
"""

import json
import os
import subprocess
import sys

import boto3


def main(arguments: list[str]) -> int:
    """Run one docker command, given as its arguments; return its exit code."""
    match arguments[0]:
        case "login":
            return 0
        case "push":
            return _publish(arguments[-1])
        case _ if os.environ["REHEARSAL_ENGINE"]:
            return subprocess.run(["docker", *arguments], check=False).returncode
        case "inspect":
            return 1  # there is no such image
        case _:
            return 0


def _publish(image: str) -> int:
    repository, _, tag = image.partition("/")[2].rpartition(":")
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": tag}})
    boto3.client("ecr").put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
