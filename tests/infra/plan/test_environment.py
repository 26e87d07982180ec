"""Settings of an environment: what is accepted, and what is said about the rest."""

import copy
from typing import Any

import pytest

from infra.plan.environment import SettingsError, environment
from tests.infra.conftest import CONTEXT


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings that are accepted, to change."""
    return copy.deepcopy(CONTEXT["environments"]["dev"])


def problems(settings: Any, name: object = "dev") -> list[str]:
    """Return what is said about the settings of dev."""
    with pytest.raises(SettingsError) as raised:
        environment(name, {"dev": settings, "prod": {}})
    return raised.value.problems


def change(settings: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Set what is at a dotted path."""
    *sections, last = path.split(".")
    section = settings
    for name in sections:
        section = section[name]
    section[last] = value
    return settings


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_environments_of_cdk_json_are_valid(name: str) -> None:
    assert environment(name, CONTEXT["environments"]).name == name


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("architecture", "arm", "must be 'x86_64' or 'arm64'; not 'arm'"),
        ("deletion_protection", 1, "must be a valid boolean; not 1"),
        ("web_acl", None, "must be a valid boolean; not None"),
        ("services.min_tasks", 0, "must be greater than or equal to 1; not 0"),
        ("services.max_tasks", 0, "must be greater than or equal to 1; not 0"),
        ("services.spot_percent", 101, "must be less than or equal to 100; not 101"),
        ("services.tasks", 1, "there is no such setting; there are min_tasks, max_tasks, spot_percent, ecs_exec"),
        ("network.nat_gateways", 3, "must be less than or equal to 2; not 3"),
        ("network.nat_gateways", -1, "must be greater than or equal to 0; not -1"),
        ("monitoring.container_insights", True, "must be 'disabled', 'enabled' or 'enhanced'; not True"),
        ("database.instance_class", "t4g.micro", "RDS for PostgreSQL, such as db.t4g.micro"),
        ("database.instance_class", "db.t4g.mirco", "RDS for PostgreSQL, such as db.t4g.micro"),
        ("database.instance_class", "db.m7g.micro", "not 'db.m7g.micro'"),
        ("database.storage_gb", 19, "must be greater than or equal to 20; not 19"),
        ("database.storage_gb", "20", "must be a valid integer; not '20'"),
        ("database.max_storage_gb", 20, "must be at least 10 % more than storage_gb, 20; not 20"),
        ("database.backup_retention_days", 36, "must be less than or equal to 35; not 36"),
        ("database.backup_retention_days", 0, "must be greater than or equal to 1; not 0"),
        ("database.colour", "red", "there is no such setting; there are instance_class, multi_az, storage_gb"),
        ("dns", {}, "there is no such setting; there are architecture, deletion_protection, public_url"),
        ("network", None, "must hold settings; not None"),
    ],
)
def test_a_mistake_is_named_by_its_path_with_what_is_accepted(
    settings: dict[str, Any], path: str, value: Any, said: str
) -> None:
    (problem,) = problems(change(settings, path, value))

    assert problem.startswith(f"cdk.json: context.environments.dev.{path}: ")
    assert said in problem


def test_a_retention_that_cloudwatch_does_not_have_is_refused_with_those_it_has(settings: dict[str, Any]) -> None:
    (problem,) = problems(change(settings, "monitoring.log_retention_days", 13))

    assert "must be 1, 3, 5, 7, 14, 30, 60," in problem
    assert problem.endswith("3288 or 3653; not 13")


@pytest.mark.parametrize(
    ("cidrs", "said"),
    [
        ([], "lets nobody in"),
        (["0.0.0.0/0"], "lets everybody in; if that is meant, set open_to_the_internet: true"),
        (["0.0.0.0/1", "128.0.0.0/1"], "lets everybody in"),
        (["10.0.0.1/8"], "must be IPv4 ranges such as 203.0.113.0/24; 10.0.0.1/8 has host bits set"),
        (["::/0"], "must be IPv4 ranges"),
    ],
)
def test_the_internet_is_let_in_only_by_name(settings: dict[str, Any], cidrs: list[str], said: str) -> None:
    settings["public_url"] = {"mode": "load_balancer", "allowed_cidrs": cidrs}

    (problem,) = problems(settings)

    assert problem.startswith("cdk.json: context.environments.dev.public_url.allowed_cidrs: ")
    assert said in problem


def test_http_without_tls_needs_to_be_limited_or_open_by_name(settings: dict[str, Any]) -> None:
    settings["public_url"] = {"mode": "load_balancer"}
    (problem,) = problems(settings)
    assert problem.startswith("cdk.json: context.environments.dev.public_url.allowed_cidrs: lets nobody in")

    settings["public_url"] = {"mode": "load_balancer", "open_to_the_internet": True}
    assert environment("dev", {"dev": settings}).public_url.open_to_the_internet


DOMAIN = {
    "mode": "domain",
    "domain_name": "catalogue.example.com",
    "hosted_zone_name": "example.com",
    "hosted_zone_id": "Z0EXAMPLE",
}


@pytest.mark.parametrize(
    ("public_url", "path", "said"),
    [
        ({}, ".mode", "must be 'cloudfront', 'domain' or 'load_balancer'; not None"),
        ({"mode": "http"}, ".mode", "must be 'cloudfront', 'domain' or 'load_balancer'; not 'http'"),
        (None, "", "not None"),
        (
            {"mode": "cloudfront", "allowed_cidrs": ["10.0.0.0/8"]},
            ".allowed_cidrs",
            "there is no such setting; there are mode, open_to_the_internet",
        ),
        (
            {"mode": "load_balancer", "open_to_the_internet": True, "allowed_cidrs": ["10.0.0.0/8"]},
            ".allowed_cidrs",
            "has no effect with open_to_the_internet: true; set one of the two",
        ),
        ({**DOMAIN, "domain_name": "http://example.com"}, ".domain_name", "must match pattern"),
        ({**DOMAIN, "hosted_zone_id": "example"}, ".hosted_zone_id", "must match pattern"),
        (
            {**DOMAIN, "hosted_zone_name": "example.org"},
            ".hosted_zone_name",
            "must be the zone that domain_name, catalogue.example.com, is in; not 'example.org'",
        ),
        ({**DOMAIN, "allowed_cidrs": ["0.0.0.0/0"]}, ".allowed_cidrs", "lets everybody in; leave it out"),
        ({**DOMAIN, "allowed_cidrs": ["example"]}, ".allowed_cidrs", "must be IPv4 ranges such as 203.0.113.0/24"),
    ],
)
def test_a_public_url_has_the_settings_of_its_mode_alone(
    settings: dict[str, Any], public_url: Any, path: str, said: str
) -> None:
    settings["public_url"] = public_url

    (problem,) = problems(settings)

    assert problem.startswith(f"cdk.json: context.environments.dev.public_url{path}: ")
    assert said in problem


def test_a_zone_may_be_the_domain_itself(settings: dict[str, Any]) -> None:
    settings["public_url"] = {**DOMAIN, "domain_name": "example.com"}

    assert environment("dev", {"dev": settings}).public_url.mode == "domain"


def test_the_most_tasks_are_no_fewer_than_the_fewest(settings: dict[str, Any]) -> None:
    settings["services"] |= {"min_tasks": 3, "max_tasks": 2}

    (problem,) = problems(settings)

    assert problem == "cdk.json: context.environments.dev.services.max_tasks: must be at least min_tasks, 3; not 2"


def test_all_mistakes_are_reported_at_once(settings: dict[str, Any]) -> None:
    del settings["architecture"]
    settings["network"]["nat_gateways"] = 9
    settings["database"] |= {"storage_gb": 100, "max_storage_gb": 50, "instance_class": "huge", "colour": "red"}

    places = [
        problem.removeprefix("cdk.json: context.environments.dev.").split(": ")[0] for problem in problems(settings)
    ]

    assert places == [
        "architecture",
        "network.nat_gateways",
        "database.instance_class",
        "database.max_storage_gb",
        "database.colour",
    ]


@pytest.mark.parametrize("name", ["staging", None, 3])
def test_an_unknown_environment_is_refused_with_the_known_ones(settings: dict[str, Any], name: object) -> None:
    (problem,) = problems(settings, name)

    assert problem.endswith("write --context environment=…, one of: dev, prod")


@pytest.mark.parametrize("environments", [None, {}, "dev", {"dev": 3}])
def test_settings_that_are_no_settings_are_refused(environments: object) -> None:
    with pytest.raises(SettingsError, match=r"^cdk\.json: context\.environments(\.dev)?: must hold"):
        environment("dev", environments)
