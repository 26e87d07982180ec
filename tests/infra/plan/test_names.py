"""Names that AWS refuses are refused before anything is made, each with who refuses it."""

from typing import Any

import pytest

from infra.plan import PlanError, assemble
from tests.infra.conftest import Template, Workspace, settings


def refused(workspace: Workspace, environment: str = "dev", **changes: Any) -> list[str]:
    """Return what is said about the name of the stack of an environment that has dev's settings."""
    with pytest.raises(PlanError) as raised:
        assemble(workspace.compose_file, environment, {environment: settings("dev", **changes)})
    return raised.value.problems


@pytest.mark.parametrize(
    ("project", "environment", "said"),
    [
        ("my_shop", "dev", "my_shop-dev, and CloudFormation takes letters, digits and hyphens alone"),
        ("1shop", "dev", "1shop-dev, and CloudFormation takes"),
        ("shop-", "dev", "shop--dev, and RDS takes no two hyphens in a row"),
        ("a--b", "dev", "a--b-dev, and RDS takes no two hyphens in a row"),
        ("shop", "dev-", "shop-dev-, and RDS takes no two hyphens in a row and none at the end"),
        ("sthree-shop", "dev", "sthree-shop-dev, and S3 takes no name that begins with xn-- or sthree-"),
        ("awesome-aws", "dev", "awesome-aws-dev, and Cognito takes no name with aws in it"),
        ("shop", "amazon", "shop-amazon, and Cognito takes no name with amazon in it"),
        ("cognito", "dev", "cognito-dev, and Cognito takes no name with cognito in it"),
        ("s" * 51, "dev", "Cognito takes 54 characters of it at most, not 55"),
    ],
)
def test_a_name_that_a_service_refuses_is_said_with_who_refuses_it(
    workspace: Workspace, project: str, environment: str, said: str
) -> None:
    workspace.replace("name: catalogue\n", f"name: {project}\n")

    (problem,) = refused(workspace, environment)

    assert problem.startswith(f"docker-compose.yml: name, and cdk.json: context.environments: {environment}: ")
    assert said in problem
    assert problem.endswith(". Change one of the two names.")


def test_where_nobody_signs_in_the_name_may_be_as_long_as_the_database_takes_it(workspace: Workspace) -> None:
    plain = {"mode": "load_balancer", "allowed_cidrs": ["203.0.113.0/24"]}
    workspace.replace("name: catalogue\n", f"name: {'s' * 59}\n")
    assert assemble(workspace.compose_file, "dev", {"dev": settings("dev", public_url=plain)})

    workspace.replace(f"name: {'s' * 59}\n", f"name: {'s' * 60}\n")
    (problem,) = refused(workspace, public_url=plain)
    assert "RDS takes 63 characters of it at most, not 64" in problem


def test_several_reasons_are_said_at_once_and_with_what_else_is_wrong(workspace: Workspace) -> None:
    workspace.replace("name: catalogue\n", "name: amazon--aws\n")

    hyphens, words, version = refused(workspace, database={"engine_version": "17.4"})

    assert "RDS takes no two hyphens" in hyphens
    assert "Cognito takes no name with aws or amazon in it" in words
    assert ".database.engine_version: " in version


@pytest.mark.parametrize(
    "name", ["admin", "rdsadmin", "RdsAdmin", "rds_superuser", "pg_owner", "user", "Select", "all"]
)
def test_a_word_that_rds_reserves_names_no_owner(workspace: Workspace, name: str) -> None:
    workspace.replace("POSTGRES_USER: catalogue\n", f"POSTGRES_USER: {name}\n")

    (problem,) = [one for one in refused(workspace) if "POSTGRES_USER: " in one]

    assert f"RDS keeps {name} for itself, as a reserved word. " in problem
    assert problem.endswith(f"Write such as POSTGRES_USER: app_{name.lower()}.")


@pytest.mark.parametrize("name", ["db", "identity", "template1", "table", "catalog"])
def test_a_word_that_rds_reserves_names_no_database(workspace: Workspace, name: str) -> None:
    workspace.replace("POSTGRES_DB: catalogue\n", f"POSTGRES_DB: {name}\n")

    (problem,) = [one for one in refused(workspace) if "POSTGRES_DB: " in one]

    assert f"RDS keeps {name} for itself" in problem


@pytest.mark.parametrize("major", ["9.6", "10", "19"])
def test_a_postgresql_that_rds_does_not_have_is_refused_with_those_it_has(workspace: Workspace, major: str) -> None:
    workspace.replace("postgres:18", f"postgres:{major}")

    (problem,) = [one for one in refused(workspace) if "image: " in one]

    assert f"RDS has no PostgreSQL {major.partition('.')[0]}, but 11 to 18" in problem


@pytest.mark.parametrize("environment", ["dev", "prod", "prod_with_domain", "load_balancer_alone"])
def test_where_names_are_short_or_taken_for_long_cloudformation_makes_them(
    request: pytest.FixtureRequest, environment: str
) -> None:
    template: Template = request.getfixturevalue(environment)
    named = {
        "ElasticLoadBalancingV2::LoadBalancer": "Name",
        "ElasticLoadBalancingV2::TargetGroup": "Name",
        "IAM::Role": "RoleName",
        "S3::Bucket": "BucketName",
        "SecretsManager::Secret": "Name",
    }

    for kind, key in named.items():
        assert all(key not in resource["Properties"] for resource in template.resources(kind).values())
