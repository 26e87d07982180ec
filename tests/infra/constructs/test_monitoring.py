"""Who is told of what, and that there is an answer to each alarm."""

import json
import re
from pathlib import Path

import pytest

from testkit.tools import ROOT
from tests.infra.conftest import Resource, Template, Workspace, settings

RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
ANCHORS = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)}


@pytest.fixture(params=["dev", "prod", "prod_with_domain", "load_balancer_alone"])
def template(request: pytest.FixtureRequest) -> Template:
    """Each kind of environment."""
    found: Template = request.getfixturevalue(request.param)
    return found


def alarms(template: Template) -> dict[str, Resource]:
    """Return the alarms by the end of their names."""
    found = (alarm["Properties"] for alarm in template.resources("CloudWatch::Alarm").values())
    return {re.sub("^catalogue-[a-z-]+?-(?=[A-Z]|api|ui)", "", alarm["AlarmName"]): alarm for alarm in found}


def test_every_alarm_tells_the_topic_and_has_its_paragraph_in_the_runbook(template: Template) -> None:
    (topic,) = template.resources("SNS::Topic")
    for alarm in alarms(template).values():
        for told in (*alarm["AlarmActions"], *alarm["OKActions"]):
            assert template.place(told) == topic
        file, _, anchor = alarm["AlarmDescription"].rpartition(". ")[2].partition("#")
        assert file == "docs/runbook.md"
        assert anchor in ANCHORS, alarm["AlarmDescription"]
        assert alarm["TreatMissingData"] in ("notBreaching", "breaching")


def test_what_ends_a_system_quietly_has_an_alarm(template: Template) -> None:
    found = alarms(template)

    assert {"DatabaseStorage", "DatabaseConnections", "DatabaseCredits", "api-NoHealthyTask", "ui-NoHealthyTask"} <= {
        *found
    }
    assert found["DatabaseStorage"]["MetricName"] == "FreeStorageSpace"
    assert found["DatabaseStorage"]["Threshold"] == 2 * 2**30
    assert found["DatabaseCredits"]["MetricName"] == "CPUSurplusCreditsCharged"
    assert found["api-NoHealthyTask"]["ComparisonOperator"] == "LessThanThreshold"
    for name, alarm in found.items():
        if name.startswith("Database"):
            (dimension,) = alarm["Dimensions"]
            assert template.place(dimension["Value"]) == "Database/Instance"


def test_a_certificate_that_is_not_renewed_is_told_where_there_is_one(
    prod: Template, prod_with_domain: Template
) -> None:
    assert "Certificate" not in alarms(prod)
    alarm = alarms(prod_with_domain)["Certificate"]
    assert (alarm["MetricName"], alarm["Threshold"], alarm["Period"]) == ("DaysToExpiry", 30, 86400)


def test_a_class_that_has_no_credits_has_no_alarm_on_them(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    found = alarms(workspace.template("prod", settings("prod", database={"instance_class": "db.m7g.large"})))
    assert "DatabaseCredits" not in found
    assert found["DatabaseConnections"]["Threshold"] > 500


def test_silence_is_as_bad_as_no_healthy_task_but_where_nights_are_slept(dev: Template, prod: Template) -> None:
    # A target that is gone is measured no more.
    assert alarms(prod)["api-NoHealthyTask"]["TreatMissingData"] == "breaching"
    assert alarms(dev)["api-NoHealthyTask"]["TreatMissingData"] == "notBreaching"


def test_whoever_is_to_be_told_is_subscribed(tmp_path: Path, prod: Template) -> None:
    assert prod.resources("SNS::Subscription") == {}
    told = ["ana@example.com", "bruno@example.com"]
    template = Workspace(tmp_path).template("prod", settings("prod", monitoring={"notify": told}))
    found = [one["Properties"] for one in template.resources("SNS::Subscription").values()]
    assert [(one["Protocol"], one["Endpoint"]) for one in found] == [("email", address) for address in told]


def test_only_what_comes_by_tls_reaches_the_topic(dev: Template) -> None:
    policy = json.dumps(dev.only("SNS::TopicPolicy")["PolicyDocument"])
    assert "aws:SecureTransport" in policy


def test_the_dashboard_shows_every_service_the_database_and_every_alarm(template: Template) -> None:
    body = json.dumps(template.only("CloudWatch::Dashboard")["DashboardBody"])
    for title in ("api: requests", "api: seconds to an answer", "ui: processor and memory", "Database: connections"):
        assert title in body
    shown = re.findall(r"Monitoring[A-Za-z0-9]+|api[A-Za-z]*Alarms[A-Za-z0-9]+|ui[A-Za-z]*Alarms[A-Za-z0-9]+", body)
    assert len(set(shown)) >= len(alarms(template))
