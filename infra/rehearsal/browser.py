"""A browser at the public URL, which the tests' own journey drives: in a program of its own, as visitors are."""

import os
import secrets
import subprocess
import sys
from urllib.parse import urlsplit

import boto3

from infra.operations import stacks
from infra.operations.invite import invite
from infra.rehearsal.emulator import Emulator
from infra.rehearsal.engine import ROOT
from infra.rehearsal.problem import RehearsalError

_JOURNEY = "tests.end_to_end.public_journey"
_TIMEOUT = 240  # seconds
_EMAIL = "ana@example.com"
_OF_EVERY_KIND = "aA1!"  # what the user pool's rule for passwords asks for


def journey(emulator: Emulator, session: boto3.Session, stack_name: str) -> list[str]:
    """Invite somebody, who in a browser signs in, creates, finds, changes and deletes a product; return what was done.

    Raises:
        RehearsalError: the journey came to an end before its own.
    """
    if emulator.https_port is None:
        raise RehearsalError("a browser needs the containers")
    url, password = invite(session, stack_name, _EMAIL), secrets.token_urlsafe() + _OF_EVERY_KIND
    _set_temporary_password(session, stack_name, password)
    where = {
        "PUBLIC_URL": url,
        "ADDRESS": f"127.0.0.1:{emulator.https_port}",
        "EMAIL": _EMAIL,
        "TEMPORARY_PASSWORD": password,
        "SECOND_FACTOR": "required" if _requires_second_factor(session, stack_name) else "",
    }
    host = urlsplit(url).netloc
    try:
        result = subprocess.run(
            [sys.executable, "-m", _JOURNEY],
            cwd=ROOT,
            env=os.environ | where,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"the browser at {host} is not done after {_TIMEOUT} s") from None
    if result.returncode != 0:
        said = (result.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RehearsalError(f"the browser at {host} did not get through: {said}")
    return result.stdout.splitlines()


def _set_temporary_password(session: boto3.Session, stack_name: str, password: str) -> None:
    """Have the one invited have this password until they choose their own: nobody gets the e-mail with Cognito's."""
    pool = stacks.outputs(stacks.described(session, stack_name))["UserPoolId"]
    session.client("cognito-idp").admin_set_user_password(
        UserPoolId=pool, Username=_EMAIL, Password=password, Permanent=False
    )


def _requires_second_factor(session: boto3.Session, stack_name: str) -> bool:
    pool = stacks.outputs(stacks.described(session, stack_name))["UserPoolId"]
    answer = session.client("cognito-idp").get_user_pool_mfa_config(UserPoolId=pool)
    return answer.get("MfaConfiguration") == "ON"
