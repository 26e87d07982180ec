"""`make secret NAME=…`: puts a secret into AWS Secrets Manager, for `x-aws.secrets: {VARIABLE: {existing: NAME}}`.

The value comes from a prompt that does not show it, or from standard input; never from an argument, which the shell's
history and the list of processes would keep.
"""

import getpass
import sys

import boto3

from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.session import open_session


def put(session: boto3.Session, name: str, value: str) -> str:
    """Make the secret `name` with this value, or give it a new version; return which of the two was done.

    Raises:
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    client = session.client("secretsmanager")
    try:
        client.put_secret_value(SecretId=name, SecretString=value)
    except client.exceptions.ResourceNotFoundException:
        client.create_secret(Name=name, SecretString=value)
        return "made"
    return "given a new value"


def ask(name: str) -> str:
    """Return the value of the secret `name`, as somebody types it or standard input has it; may be empty."""
    return getpass.getpass(f"Value of {name} (not shown): ") if sys.stdin.isatty() else sys.stdin.read().rstrip("\r\n")


def main(name: str) -> int:
    """Ask for the value, put it there, and say what happens next or what went wrong."""
    if not name:
        print("make secret: say which: make secret NAME=openai_api_key", file=sys.stderr)
        return 1
    value = ask(name)
    if not value:
        print("make secret: there was no value; nothing was changed", file=sys.stderr)
        return 1
    try:
        done = put(open_session(), name, value)
    except AWS_ERRORS as error:
        print(f"make secret: {sentence(error)}", file=sys.stderr)
        return 1
    print(f"{name} was {done}. Tasks get it when they start; make rotate replaces those that run.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
