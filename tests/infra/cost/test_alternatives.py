"""What each safety feature adds, as the difference of two templates; and what it takes to keep to a goal."""

import pytest

from infra.cost.alternatives import savings
from infra.cost.estimate import estimate
from infra.cost.goals import GOALS, beyond
from infra.cost.prices import prices
from tests.infra.conftest import Template, Workspace, settings

N_VIRGINIA = prices("us-east-1")


def saved(template: Template) -> dict[str, float]:
    return {one.alternative.setting: one.usd for one in savings(template.body, N_VIRGINIA)}


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ("network.nat_gateways: 0", {"network": {"nat_gateways": 0}}),
        ("network.nat_gateways: 1", {"network": {"nat_gateways": 1}}),
        ("services.min_tasks: 1", {"services": {"min_tasks": 1}}),
        ("services.spot_percent: 100", {"services": {"spot_percent": 100}}),
        ("architecture: arm64", {"architecture": "arm64"}),
        ("database.multi_az: false", {"database": {"multi_az": False}}),
        ("database.own_key: false", {"database": {"own_key": False}}),
        ("database.insights: false", {"database": {"insights": False}}),
        ("web_acl: false", {"web_acl": False}),
        ("monitoring.container_insights: disabled", {"monitoring": {"container_insights": "disabled"}}),
        ("monitoring.traffic_logs: false", {"monitoring": {"traffic_logs": False}}),
    ],
)
def test_each_saves_what_its_setting_saves(
    setting: str, change: dict[str, object], workspace: Workspace, prod: Template
) -> None:
    # The setting itself, synthesised: the template that the alternative makes up must cost the same.
    changed = workspace.template("prod", settings("prod", **change))
    difference = estimate(prod.body, N_VIRGINIA).minimum - estimate(changed.body, N_VIRGINIA).minimum

    assert difference > 0
    assert saved(prod)[setting] == pytest.approx(difference, abs=0.2)  # with fewer tasks, assumed traffic grows more


def test_what_an_environment_already_does_without_is_not_shown(dev: Template) -> None:
    assert not {"database.multi_az: false", "web_acl: false", "network.nat_gateways: 0"} & set(saved(dev))


def test_sleep_is_proposed_where_nothing_is_protected(workspace: Workspace, prod: Template) -> None:
    awake = workspace.template("dev", settings("dev", services={"asleep": None}))

    assert any(setting.startswith("services.asleep") for setting in saved(awake))
    assert not any(setting.startswith("services.asleep") for setting in saved(prod))


def test_the_most_is_first(prod: Template) -> None:
    amounts = list(saved(prod).values())

    assert amounts == sorted(amounts, reverse=True)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_dollar_beyond_a_goal_is_for_something_that_can_be_done_without(
    name: str, request: pytest.FixtureRequest
) -> None:
    body = request.getfixturevalue(name).body
    goal, minimum = GOALS[name], estimate(body, N_VIRGINIA).minimum

    found = beyond(goal, minimum, savings(body, N_VIRGINIA))

    assert minimum - sum(saving.usd for saving in found) <= goal.usd
