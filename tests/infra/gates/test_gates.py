"""Each gate finds what it is there for, and an acknowledgement covers what it names and nothing else."""

import dataclasses
from pathlib import Path

import pytest

from infra.gates.findings import Acknowledgement, Finding, judge
from infra.plan import PlanError
from testkit.tools import require
from tests.infra.conftest import CONTEXT, Workspace, settings

FINDING = Finding("prod", "checkov", "CKV_AWS_1", "Database/Instance", "Ensure something")
ACKNOWLEDGEMENT = Acknowledgement(
    rules=("CKV_AWS_1",), resources=("Database/*",), environments=("prod",), reason="It is meant."
)


def test_a_finding_that_nobody_acknowledged_stands_in_the_way() -> None:
    verdict = judge([FINDING], [])

    assert verdict.unacknowledged == (FINDING,)
    assert not verdict.passes


def test_a_finding_that_is_acknowledged_does_not() -> None:
    verdict = judge([FINDING], [ACKNOWLEDGEMENT])

    assert verdict.acknowledged == (FINDING,)
    assert verdict.passes


@pytest.mark.parametrize(
    "other",
    [
        Finding("dev", "checkov", "CKV_AWS_1", "Database/Instance", ""),
        Finding("prod", "checkov", "CKV_AWS_10", "Database/Instance", ""),
        Finding("prod", "checkov", "CKV_AWS_1", "api/Service", ""),
    ],
    ids=["environment", "rule", "resource"],
)
def test_an_acknowledgement_covers_no_other(other: Finding) -> None:
    assert judge([FINDING, other], [ACKNOWLEDGEMENT]).unacknowledged == (other,)


@pytest.mark.parametrize(
    "more",
    [
        {"rules": ("CKV_AWS_1", "CKV_AWS_2")},
        {"resources": ("Database/*", "Cluster")},
        {"environments": ("dev", "prod")},
    ],
    ids=["rule", "resource", "environment"],
)
def test_an_acknowledgement_of_which_any_part_is_not_found_any_more_is_stale(more: dict[str, tuple[str, ...]]) -> None:
    names = {name: more.get(name, getattr(ACKNOWLEDGEMENT, name)) for name in ("rules", "resources", "environments")}

    verdict = judge([FINDING], [Acknowledgement(**names, reason="It was meant.")])

    assert len(verdict.stale) == 1
    assert not verdict.passes


def test_what_depends_on_the_application_is_not_stale_where_it_is_not_found() -> None:
    acknowledgement = dataclasses.replace(ACKNOWLEDGEMENT, depends_on_application=True)

    assert judge([], [acknowledgement]).passes
    assert judge([FINDING], [acknowledgement]).acknowledged == (FINDING,)


def test_an_environment_that_somebody_does_not_have_makes_nothing_stale() -> None:
    from infra.gates.__main__ import with_domain

    assert judge([], [ACKNOWLEDGEMENT], {"staging": ["Database/Instance"]}).passes
    assert with_domain({"staging": settings("dev")}).keys() == {"staging"}
    assert with_domain({"prod": settings("prod")}).keys() == {"prod", "prod-domain"}


def test_brackets_in_the_name_of_a_rule_are_no_pattern() -> None:
    finding = Finding("prod", "AwsSolutions", "AwsSolutions-IAM5[Resource::*]", "api", "")
    acknowledgement = Acknowledgement(
        rules=(finding.rule,), resources=("api",), environments=("prod",), reason="It takes no resource."
    )

    assert judge([finding], [acknowledgement]).passes


def test_every_gate_looks_at_the_stack(tmp_path: Path) -> None:
    require("checkov")
    import aws_cdk
    from aws_cdk import aws_s3 as s3

    from infra.gates.synthesis import synthesise
    from infra.gates.templates import check

    def careless(app: aws_cdk.App) -> aws_cdk.Stack:
        stack = aws_cdk.Stack(app, "careless")
        bucket = s3.CfnBucket(stack, "Bucket")
        bucket.add_property_override("NoSuchProperty", "x")
        return stack

    synthesis = synthesise("test", careless, tmp_path, CONTEXT)
    findings = [*synthesis.findings, *check({"test": synthesis.template})]

    gates = {finding.gate for finding in findings if finding.resource == "Bucket"}
    assert gates == {"CloudFormation Validate", "AwsSolutions", "NIST.800.53.R5", "checkov", "cfn-lint"}


def test_what_no_deployment_would_accept_is_refused_before_anything_is_synthesised(
    workspace: Workspace, tmp_path: Path
) -> None:
    from infra.gates.__main__ import find

    too_many = settings("prod", services={"max_tasks": 9}, database={"instance_class": "db.t4g.micro"})
    workspace.replace("max_replicas: 4", "max_replicas: 9")

    with pytest.raises(PlanError, match=r"context\.environments\.prod-domain\.database\.instance_class: "):
        find(workspace.compose_file, {"prod-domain": too_many}, CONTEXT, tmp_path / "templates")

    assert not (tmp_path / "templates").exists()


def test_every_acknowledgement_gives_a_reason_and_is_written_once() -> None:
    from infra.gates.acknowledgements import ACKNOWLEDGEMENTS

    combinations = [combination for each in ACKNOWLEDGEMENTS for combination in each.combinations()]

    assert all(each.reason.endswith(".") and len(each.reason.split()) > 8 for each in ACKNOWLEDGEMENTS)
    assert len(set(combinations)) == len(combinations)


def test_what_is_acknowledged_of_a_part_that_an_application_does_not_have_is_not_stale() -> None:
    def stale(*resources: str) -> int:
        instance = Acknowledgement(
            rules=("R",), resources=("Database/Instance",), environments=("prod",), reason="It is."
        )
        return len(judge([], [instance], {"prod": resources}).stale)

    assert stale("Network/Vpc", "api/Service") == 0
    assert stale("Network/Vpc", "Database/SecurityGroup") == 1

    everywhere = Acknowledgement(rules=("R",), resources=("*/Alarms/*",), environments=("prod",), reason="It is meant.")
    assert judge([], [everywhere], {"prod": ["Network/Vpc"]}).passes
    assert not judge([], [everywhere], {"prod": ["api/Alarms/Unhealthy"]}).passes
