"""The environment of a pull request, as cdk.json's `preview` makes it of another one."""

from typing import Any

import pytest

from infra.plan.environment import environment
from infra.plan.preview import PreviewError, with_preview
from tests.infra.conftest import CONTEXT


def context(**changes: Any) -> dict[str, Any]:
    return {**CONTEXT, "preview": {**CONTEXT["preview"], "enabled": True, **changes}}


@pytest.mark.parametrize("like", ["dev", "prod"])
def test_it_is_cheap_whatever_it_begins_with(like: str) -> None:
    found = environment("pr-12", with_preview("pr-12", context(like=like)))

    assert (found.services.min_tasks, found.services.max_tasks, found.services.spot_percent) == (1, 1, 100)
    assert found.network.nat_gateways == 0
    assert [found.deletion_protection, found.web_acl, found.database.multi_az, found.database.own_key] == [False] * 4
    assert found.services.hours_asleep is None
    assert found.public_url == environment(like, CONTEXT["environments"]).public_url


@pytest.mark.parametrize(
    ("like", "cheap"),
    [("db.m7g.large", "db.t4g.small"), ("db.t4g.small", "db.t4g.small"), ("db.t4g.micro", "db.t4g.micro")],
)
def test_its_database_is_the_smallest_that_signs_in_by_iam_or_smaller_still(like: str, cheap: str) -> None:
    dev = CONTEXT["environments"]["dev"]
    environments = {"dev": {**dev, "database": {**dev["database"], "instance_class": like}}}

    found = environment("pr-12", with_preview("pr-12", context() | {"environments": environments}))

    assert found.database.instance_class == cheap


@pytest.mark.parametrize("name", ["pr-0", "pr-", "pr-1x", "PR-1", "pr-12345678", None, "dev"])
def test_other_names_bring_no_environment(name: object) -> None:
    assert with_preview(name, context()) == CONTEXT["environments"]


def test_none_is_there_until_they_are_enabled() -> None:
    assert CONTEXT["preview"]["enabled"] is False
    assert "pr-12" not in with_preview("pr-12", CONTEXT)


@pytest.mark.parametrize(
    "changes", [{"hours": 0}, {"hours": 1000}, {"limit": 0}, {"limit": "3"}, {"more": 1}, {"seed": 1}]
)
def test_what_makes_no_sense_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(PreviewError, match=rf"context\.preview\.{next(iter(changes))}: "):
        with_preview("pr-12", context(**changes))


@pytest.mark.parametrize(
    "seed", [{"service": "api"}, {"service": "api", "command": []}, {"service": "api", "command": "x"}]
)
def test_a_seed_says_whose_task_runs_what(seed: dict[str, Any]) -> None:
    with pytest.raises(PreviewError, match=r"context\.preview\.seed\.command: "):
        with_preview("pr-12", context(seed=seed))
