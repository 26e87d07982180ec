"""Signing in by IAM takes memory of the database, which the smallest classes do not have."""

from infra.plan import PlanError, assemble
from tests.infra.conftest import Workspace, settings


def problems(workspace: Workspace, instance_class: str) -> list[str]:
    """Return what is said about dev with this class."""
    try:
        assemble(workspace.compose_file, "dev", {"dev": settings("dev", database={"instance_class": instance_class})})
    except PlanError as error:
        return error.problems
    return []


def test_a_class_without_the_memory_is_refused_with_those_that_have_it(workspace: Workspace) -> None:
    assert problems(workspace, "db.t4g.micro") == [
        "cdk.json: context.environments.dev.database.instance_class: db.t4g.micro has too little memory for signing in "
        "by IAM (x-aws.database_sign_in of api), which takes 300 to 1,000 MiB of it. Choose db.t3.small or "
        "db.t4g.small, or a class with more; or have the service sign in with the password."
    ]
    assert problems(workspace, "db.t4g.small") == []


def test_a_small_class_is_enough_for_those_who_sign_in_with_a_password(workspace: Workspace) -> None:
    workspace.replace("database_sign_in: iam", "environment: {}").replace("        DATABASE_AUTH: iam\n", "")

    assert not [problem for problem in problems(workspace, "db.t4g.micro") if "IAM" in problem]
