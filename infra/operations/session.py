"""The region of every command, which is the one that the CDK CLI would take, and AWS as seen from there."""

import os
import sys

import boto3

_VARIABLES = ("AWS_REGION", "AMAZON_REGION", "AWS_DEFAULT_REGION", "AMAZON_DEFAULT_REGION")  # in the CLI's order
_LAST_RESORT = "us-east-1"


def region() -> str:
    """Return the region: of the environment variables, else of the profile, else us-east-1; and say which it is.

    boto3 alone reads only one of the variables, and has no last resort.

    Raises:
        BotoCoreError: there is no such profile.
    """
    for variable in _VARIABLES:
        if name := os.environ.get(variable):
            return _said(name, variable)
    if name := boto3.Session().region_name:
        return _said(name, f"the profile {os.environ.get('AWS_PROFILE', 'default')}")
    return _said(_LAST_RESORT, f"neither {_VARIABLES[0]} nor a profile says another")


def open_session() -> boto3.Session:
    """Return AWS in that region, with the credentials of the environment."""
    return boto3.Session(region_name=region())


def _said(name: str, source: str) -> str:
    print(f"Region {name} ({source})", file=sys.stderr)
    return name
