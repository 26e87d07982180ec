"""Which stopped tasks failed, and what is said of them."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.operations.stopped_tasks import failed_task, has_failed
from infra.plan.records import ENDED, TAKEN
from tests.infra.conftest import Template


def stopped(stop_code: str, exit_code: int, reason: str) -> dict[str, Any]:
    return {
        "taskArn": "arn:aws:ecs:us-east-1:123456789012:task/shop/abc",
        "stopCode": stop_code,
        "stoppedReason": reason,
        "stoppedAt": datetime(2026, 11, 1, tzinfo=UTC),
        "containers": [{"name": "api", "image": "api:1", "exitCode": exit_code}],
    }


def test_each_reason_of_ecs_is_known() -> None:
    ecs: Any = boto3.client("ecs", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    reasons = {*ecs.meta.service_model.shape_for("TaskStopCode").enum}
    assert {*ENDED, *TAKEN} == reasons - {"UserInitiated", "ServiceSchedulerInitiated"}


def test_what_is_written_down_is_what_is_shown(dev: Template) -> None:
    (codes, _) = dev.only("Events::Rule")["EventPattern"]["detail"]["$or"]
    assert all(has_failed(stopped(code, 1, "")) for code in codes["stopCode"])


@pytest.mark.parametrize(
    ("stop_code", "reason", "key"),
    [
        ("SpotInterruption", "Your Spot Task was interrupted.", "services.spot_percent (cdk.json)"),
        ("SpotInterruption", "", "services.spot_percent (cdk.json)"),
        ("InfrastructureHealth", "", ""),
    ],
)
def test_a_task_that_was_taken_away_failed_though_it_ended_well(stop_code: str, reason: str, key: str) -> None:
    task = stopped(stop_code, 0, reason)
    logs = boto3.client("logs", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(logs):  # nothing is asked
        failed = failed_task(logs, task, service="api", log_group="/shop/api")
    assert has_failed(task)
    assert failed.key == key
    assert "another" in failed.advice


@pytest.mark.parametrize("stop_code", ["ServiceSchedulerInitiated", "UserInitiated"])
def test_a_task_that_was_replaced_or_that_somebody_stopped_did_not_fail(stop_code: str) -> None:
    assert not has_failed(stopped(stop_code, 143, "Scaling activity initiated by deployment"))
