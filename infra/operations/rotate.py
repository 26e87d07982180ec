"""`make rotate SECRET=…`: gives a secret a new value, and replaces the tasks that have the old one.

SECRET is `database` for the password of the database's owner; the name of one that the stack generated
(`x-aws.secrets: {VARIABLE: name}`); or the name of one of your own (`{existing: name}`), whose value is asked for.
"""

import json
import re
import sys
import time
from collections.abc import Sequence
from typing import Any

import boto3

from infra.operations import stacks
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.project import plan_of
from infra.operations.secret import ask
from infra.operations.session import open_session
from infra.operations.stacks import StackResource
from infra.plan import PlanError

OWNER = "database"

_CHARACTERS = 48  # as many as infra/constructs/secrets.py has generated
_POLL_SECONDS = 5
_PATIENCE_SECONDS = 600  # RDS takes a minute or two for a new password

# Logical names of CDK's end in a hash; that of the owner's secret begins with the stack's name, and has a longer one.
_HASH = "[0-9A-F]{8}"
_OWNERS = "[A-Za-z0-9]*DatabaseInstanceSecret[0-9A-Fa-f]{8,}"
_URLS = f"DatabaseUrl.*{_HASH}"


class RotateError(Exception):
    """The value is not, or not everywhere, the new one; the message says what is to be done."""


def rotate(session: boto3.Session, stack: str, secret: str) -> list[str]:
    """Give `secret` a new value; return the services whose tasks are replaced now.

    Run again after whatever failed, it begins anew: nothing here needs the old value.

    Raises:
        RotateError: there is no such secret or no value, or RDS did not take the password in time.
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    resources = stacks.resources(session, stack)
    if secret == OWNER:
        _rotate_owner(session, stack, resources)
    else:
        _rotate_value(session, resources, secret)
    return _replace_tasks(session, resources)


def owners_secrets(resources: Sequence[StackResource]) -> list[str]:
    """Return the ARN of the secret with the name and the password of the database's owner, in a list, or none."""
    return _secrets(resources, _OWNERS)


def urls_secrets(resources: Sequence[StackResource]) -> list[str]:
    """Return the ARNs of the secrets that hold URLs of the database, with its owner's password."""
    return _secrets(resources, _URLS)


def owners_password(session: boto3.Session, resources: Sequence[StackResource]) -> str:
    """Return the password of the database's owner; raise `LookupError` when the stack has no such secret.

    Raises:
        BotoCoreError, ClientError: AWS refused.
    """
    for arn in owners_secrets(resources):
        known = json.loads(session.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
        return str(known["password"])
    raise LookupError("there is no secret of the database's owner")


def _secrets(resources: Sequence[StackResource], logical: str) -> list[str]:
    """Return the ARNs of the secrets whose logical names match."""
    return [
        one.physical
        for one in resources
        if one.type == "AWS::SecretsManager::Secret" and re.fullmatch(logical, one.logical)
    ]


def _rotate_owner(session: boto3.Session, stack: str, resources: Sequence[StackResource]) -> None:
    secrets = session.client("secretsmanager")
    found = owners_secrets(resources)
    if not found:
        raise RotateError(f"{stack} has no database")
    (owner,) = found
    password = _random(secrets)
    known = json.loads(secrets.get_secret_value(SecretId=owner)["SecretString"])
    values = {owner: json.dumps({**known, "password": password})}
    for url in urls_secrets(resources):
        values[url] = _with_password(secrets.get_secret_value(SecretId=url)["SecretString"], password)
    _tell_database(session, stack, password)
    try:
        for arn, value in values.items():
            secrets.put_secret_value(SecretId=arn, SecretString=value)
    except AWS_ERRORS as error:
        raise RotateError(
            f"the database has a new password, which Secrets Manager has not: {sentence(error)}; run it again"
        ) from (error)


def _tell_database(session: boto3.Session, instance: str, password: str) -> None:
    """Give the owner the password and wait until it holds: tasks that start before would be refused."""
    rds = session.client("rds")
    rds.modify_db_instance(DBInstanceIdentifier=instance, MasterUserPassword=password, ApplyImmediately=True)
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        (found,) = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"]
        is_pending = "MasterUserPassword" in found.get("PendingModifiedValues", {})
        if found["DBInstanceStatus"] == "available" and not is_pending:
            return
    raise RotateError(f"the database {instance} has not taken the new password in {_PATIENCE_SECONDS} s; run it again")


def _with_password(url: str, password: str) -> str:
    """Return the URL with another password; of letters and digits, it needs no escapes."""
    return re.sub(r"(?<=://)([^:/@]+):[^@]*@", lambda found: f"{found[1]}:{password}@", url, count=1)


def _rotate_value(session: boto3.Session, resources: Sequence[StackResource], name: str) -> None:
    secrets = session.client("secretsmanager")
    generated = _secrets(resources, "Secrets" + re.sub("[^A-Za-z0-9]", "", name) + _HASH)
    if generated:
        secrets.put_secret_value(SecretId=generated[0], SecretString=_random(secrets))
        return
    value = ask(name)
    if not value:
        raise RotateError("there was no value; nothing was changed")
    try:
        secrets.put_secret_value(SecretId=name, SecretString=value)
    except secrets.exceptions.ResourceNotFoundException:
        raise RotateError(
            f"there is no secret {name}: neither generated by the stack, nor one of your own, which make secret makes"
        ) from None


def _random(secrets: Any) -> str:
    password: str = secrets.get_random_password(PasswordLength=_CHARACTERS, ExcludePunctuation=True)["RandomPassword"]
    return password


def _replace_tasks(session: boto3.Session, resources: Sequence[StackResource]) -> list[str]:
    ecs = session.client("ecs")
    # arn:aws:ecs:region:account:service/cluster/name
    services = [one.physical.split("/")[-2:] for one in resources if one.type == "AWS::ECS::Service"]
    for cluster, service in services:
        ecs.update_service(cluster=cluster, service=service, forceNewDeployment=True)
    return [service for _, service in services]


def main(environment: str, secret: str) -> int:
    """Rotate, and say what happens next or what went wrong."""
    if not secret:
        print(f"make rotate: say which: make rotate SECRET={OWNER} ENV=prod", file=sys.stderr)
        return 1
    try:
        services = rotate(open_session(), plan_of(environment).stack_name, secret)
    except (RotateError, PlanError, *AWS_ERRORS) as error:
        print(f"make rotate: {sentence(error)}", file=sys.stderr)
        return 1
    print(f"{secret} has a new value. New tasks with it take over in a few minutes: {', '.join(services)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
