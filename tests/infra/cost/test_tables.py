"""What people read: the READMEs' figures, differences, and how old the prices are."""

import datetime

import pytest

from infra.cost import tables
from infra.cost.alternatives import savings
from infra.cost.estimate import CostEstimate, estimate
from infra.cost.prices import prices
from infra.cost.readme import ENGLISH, PORTUGUESE, passage
from infra.cost.usage import Usage
from testkit.tools import ROOT
from tests.infra.conftest import Template, Workspace, settings

N_VIRGINIA = prices("us-east-1")


@pytest.mark.parametrize(("readme", "language"), [("README.md", ENGLISH), ("README.pt-BR.md", PORTUGUESE)])
def test_the_figures_of_the_readmes_are_those_of_the_templates(
    readme: str, language: str, dev: Template, prod: Template
) -> None:
    found = {
        name: (estimate(template.body, N_VIRGINIA), savings(template.body, N_VIRGINIA))
        for name, template in {"dev": dev, "prod": prod}.items()
    }

    assert passage(language, found) in (ROOT / readme).read_text(encoding="utf-8"), (
        "python -m infra.operations.cost --write brings them up to date"
    )


def test_a_difference_names_what_changes_and_nothing_else(workspace: Workspace) -> None:
    services = {"asleep": None, "max_tasks": 2}
    now = workspace.template("dev", settings("dev", services=services))
    larger = workspace.template(
        "dev", settings("dev", database={"multi_az": True}, services={**services, "max_tasks": 3})
    )
    table = tables.difference(estimate(now.body, N_VIRGINIA), estimate(larger.body, N_VIRGINIA))

    assert {row[0] for row in table.rows} >= {"Database/Instance", "api", "ui"}
    assert not {row[0] for row in table.rows} & {"SignIn/ClientSecret", "Secrets/service-token"}
    assert ("Database/Instance", "db.t4g.small", "-23.36", "-23.36") in table.rows
    assert ("Database/Instance", "db.t4g.small and its standby in another zone", "+47.45", "+47.45") in table.rows
    assert table.total[2] == "+26.39"


def test_a_difference_names_what_it_cannot_price(dev: Template) -> None:
    now = estimate(dev.body, N_VIRGINIA)
    body = {"Resources": {**dev.body["Resources"], "A": {"Type": "AWS::Neptune::DBCluster"}}}

    more = tables.difference(now, estimate(body, N_VIRGINIA))
    less = tables.difference(estimate(body, N_VIRGINIA), now)

    assert list(more.rows) == [("AWS::Neptune::DBCluster", "NOT PRICED: +1 of them", "?", "?")]
    assert list(less.rows) == [("AWS::Neptune::DBCluster", "NOT PRICED: -1 of them", "?", "?")]


def test_no_difference_is_no_rows(dev: Template) -> None:
    same = estimate(dev.body, N_VIRGINIA)

    assert list(tables.difference(same, same).rows) == []


def test_before_the_first_deployment_everything_is_new(dev: Template) -> None:
    found = estimate(dev.body, N_VIRGINIA)

    assert tables.difference(CostEstimate("us-east-1", (), {}), found).total[2] == tables.signed(found.minimum)


def test_what_is_not_priced_is_said_first_and_the_age_always() -> None:
    found = estimate({"Resources": {"A": {"Type": "AWS::Neptune::DBCluster"}}}, N_VIRGINIA)
    read = N_VIRGINIA.oldest
    fresh, old = (
        list(tables.notes(found, N_VIRGINIA, Usage(), read + datetime.timedelta(days=days)))
        for days in (10, tables.STALE_DAYS + 1)
    )

    assert fresh[0].startswith("NOT PRICED: AWS::Neptune::DBCluster (1)")
    assert "the oldest 10 days old" in fresh[1]
    assert "may have changed" not in fresh[1]
    assert "may have changed: make prices REGION=us-east-1" in old[1]


def test_markdown_is_a_table(dev: Template) -> None:
    lines = tables.markdown(tables.by_purpose(estimate(dev.body, N_VIRGINIA))).splitlines()

    assert lines[1] == "| --- | --- | --- |"
    assert lines[-1].startswith("| **Together** |")
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize("language", [ENGLISH, PORTUGUESE])
def test_what_goes_beyond_a_goal_can_be_said_in_both_languages(
    language: str, workspace: Workspace, prod: Template
) -> None:
    awake = workspace.template("dev", settings("dev", services={"asleep": None}))
    found = {
        name: (estimate(template.body, N_VIRGINIA), savings(template.body, N_VIRGINIA))
        for name, template in {"dev": awake, "prod": prod}.items()
    }

    assert passage(language, found).count("(without: `" if language == ENGLISH else "(sem isso: `") == 3
