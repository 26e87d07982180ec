"""`make preview PR=12` deploys a pull request's environment; `make previews` lists them, and which are over.

Each is deleted by a schedule of its own stack (infra/constructs/expiry.py); `make previews ARGS=--expired` removes what
is there all the same. One that is deployed is filled by `preview.seed` of cdk.json, where there is one.
"""

import datetime
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import boto3

from infra.compose import ComposeError, find, read
from infra.operations import cdk
from infra.operations.__main__ import main as operate
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.session import open_session
from infra.plan.preview import (
    EXPIRES,
    EXPIRES_FORMAT,
    PreviewError,
    PreviewSettings,
    Seed,
    is_preview,
    preview_settings,
)


@dataclass(frozen=True)
class Preview:
    """A pull request's environment that is there."""

    environment: str  # such as pr-12
    expires: datetime.datetime | None
    status: str


def previews(session: boto3.Session, project: str) -> list[Preview]:
    """Return those of the project, by number.

    Raises:
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    found = []
    for page in session.client("cloudformation").get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            name = stack["StackName"].removeprefix(f"{project}-")
            if name != stack["StackName"] and is_preview(name) and stack["StackStatus"] != "DELETE_COMPLETE":
                tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
                found.append(Preview(name, _time(tags.get(EXPIRES, "")), stack["StackStatus"]))
    return sorted(found, key=lambda one: int(one.environment.partition("-")[2]))


def up(number: str) -> int:
    """Deploy the environment of a pull request, unless there are as many as there may be."""
    name = f"pr-{number}"
    if not is_preview(name):
        print(f"make preview: PR={number!r} is no number of a pull request", file=sys.stderr)
        return 1
    try:
        settings, project, session = _settings(), read(find()).name, open_session()
        others = [one.environment for one in previews(session, project) if one.environment != name]
    except (PreviewError, ComposeError, *AWS_ERRORS) as error:
        print(f"make preview: {sentence(error)}", file=sys.stderr)
        return 1
    if not settings.enabled:
        print("make preview: previews are off: set context.preview.enabled in cdk.json to true", file=sys.stderr)
        return 1
    if len(others) >= settings.limit:
        print(
            f"make preview: there are {len(others)} already ({', '.join(others)}), and context.preview.limit is "
            f"{settings.limit}: close a pull request, or make destroy ENV={others[0]}",
            file=sys.stderr,
        )
        return 1
    code = operate(["deploy", "--env", name])
    if code == 0 and settings.seed is not None:
        fill(name, settings.seed)
    return code


def fill(environment: str, seed: Seed) -> None:
    """Run the seed, and say when it failed: no failure of the preview, which is there and can be filled by hand."""
    asked = ["--env", environment, seed.service, "--", *seed.command]
    if operate(["run", *asked]):
        print(
            f"make preview: {environment} is deployed, but context.preview.seed of cdk.json did not fill it; why is "
            f"above. Once that is mended: python -m infra.operations run {' '.join(asked)}",
            file=sys.stderr,
        )


def down(number: str) -> int:
    """Remove the environment of a pull request, and say nothing against there being none."""
    name = f"pr-{number}"
    try:
        project, session = read(find()).name, open_session()
        found = [one for one in previews(session, project) if one.environment == name]
    except (ComposeError, *AWS_ERRORS) as error:
        print(f"make preview-down: {sentence(error)}", file=sys.stderr)
        return 1
    if not found:
        print(f"There is no environment {name}.")
    return max((_remove(session, one) for one in found), default=0)


def show(*, remove_expired: bool) -> int:
    """List them; remove those whose time is over, where that is asked for. 1 when one could not be removed."""
    try:
        project, session = read(find()).name, open_session()
        found = previews(session, project)
    except (ComposeError, *AWS_ERRORS) as error:
        print(f"make previews: {sentence(error)}", file=sys.stderr)
        return 1
    now, code = datetime.datetime.now(datetime.UTC), 0
    for one in found:
        is_over = one.expires is None or one.expires <= now
        until = f"until {one.expires:%Y-%m-%d %H:%M} UTC" if one.expires else "has no end"
        print(f"{one.environment:<12} {one.status:<28} {until}{', which is over' if is_over else ''}")
        if is_over and remove_expired:
            code = max(code, _remove(session, one))
    if not found:
        print("There is none.")
    return code


def _remove(session: boto3.Session, one: Preview) -> int:
    named = ("--context", f"environment={one.environment}")
    return cdk.run("destroy", "--force", *named, region=str(session.region_name))


def _settings() -> PreviewSettings:
    context = json.loads(Path("cdk.json").read_text(encoding="utf-8"))["context"]
    return preview_settings(context.get("preview"))


def _time(text: str) -> datetime.datetime | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", text):
        return None
    return datetime.datetime.strptime(text, EXPIRES_FORMAT).replace(tzinfo=datetime.UTC)


def main(*arguments: str) -> int:
    """`up NUMBER`, `down NUMBER`, or nothing but perhaps --expired."""
    match arguments:
        case ("up", number):
            return up(number)
        case ("down", number):
            return down(number)
        case () | ("--expired",):
            return show(remove_expired=bool(arguments))
    print("make previews: takes ARGS=--expired or nothing", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
