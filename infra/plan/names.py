"""Whether AWS takes the name of the stack, after which much in it is called."""

import re
from collections.abc import Iterator

from infra.compose import Project
from infra.plan.environment import Environment
from infra.plan.exposure import people_sign_in

# Amazon Cognito Developer Guide, "Using the Amazon Cognito domain"; the domain ends in a hyphen and eight digits more.
_NOT_IN_A_SIGN_IN_PAGE = ("aws", "amazon", "cognito")
_LONGEST_SIGN_IN_PAGE = 63 - len("-01234567")

_LONGEST_DATABASE = 63  # Amazon RDS API Reference, "CreateDBInstance": DBInstanceIdentifier
_LONGEST_STACK = 128  # AWS CloudFormation API Reference, "CreateStack"

# Amazon S3 User Guide, "Bucket naming rules"; CloudFormation calls a bucket after its stack.
_NO_BUCKET_BEGINS_WITH = ("xn--", "sthree-", "amzn-s3-demo-")


def name_problems(project: Project, settings: Environment) -> list[str]:
    """Return what is wrong with the name, a sentence each with who refuses it; nothing when all take it."""
    name = f"{project.name}-{settings.name}"
    place = f"{project.file.name}: name, and cdk.json: context.environments: {settings.name}: the stack would be called"
    return [f"{place} {name}, {reason}. Change one of the two names." for reason in _reasons(name, project, settings)]


def _reasons(name: str, project: Project, settings: Environment) -> Iterator[str]:
    signs_in, has_database = people_sign_in(project, settings), project.database is not None
    if not re.fullmatch("[a-z][a-z0-9-]*", name):
        yield "and CloudFormation takes letters, digits and hyphens alone, a letter first"
    elif has_database and ("--" in name or name.endswith("-")):
        yield "and RDS takes no two hyphens in a row and none at the end"
    elif name.startswith(_NO_BUCKET_BEGINS_WITH):
        yield f"and S3 takes no name that begins with {' or '.join(_NO_BUCKET_BEGINS_WITH)}"
    if signs_in and (words := [word for word in _NOT_IN_A_SIGN_IN_PAGE if word in name]):
        yield f"and Cognito takes no name with {' or '.join(words)} in it"
    limits = [(_LONGEST_STACK, "CloudFormation")]
    limits += [(_LONGEST_DATABASE, "RDS")] if has_database else []
    limits += [(_LONGEST_SIGN_IN_PAGE, "Cognito")] if signs_in else []
    longest, who = min(limits)
    if len(name) > longest:
        yield f"and {who} takes {longest} characters of it at most, not {len(name)}"
