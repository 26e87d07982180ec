"""What is written down of tasks that fail."""

import json

from tests.infra.conftest import Template


def test_failed_tasks_are_written_to_a_log_group_of_the_stack(dev: Template) -> None:
    rule = dev.only("Events::Rule")
    pattern = rule["EventPattern"]

    assert pattern["source"] == ["aws.ecs"]
    assert pattern["detail-type"] == ["ECS Task State Change"]
    assert dev.place(pattern["detail"]["clusterArn"][0]) == "Cluster"
    assert pattern["detail"]["lastStatus"] == ["STOPPED"]
    assert {"EssentialContainerExited", "TaskFailedToStart"} <= set(pattern["detail"]["$or"][0]["stopCode"])
    assert pattern["detail"]["$or"][1] == {"stoppedReason": [{"prefix": "Task failed"}]}
    group = dev.resources("Logs::LogGroup")["FailureRecords/Logs"]["Properties"]
    assert group == {"LogGroupName": "/aws/events/catalogue-dev/failures", "RetentionInDays": 7, **_tags(group)}
    (target,) = rule["Targets"]
    assert json.dumps(target["Arn"]).endswith(':log-group:/aws/events/catalogue-dev/failures"]]}')


def test_only_eventbridge_may_write_there(dev: Template) -> None:
    document = json.dumps(dev.only("Logs::ResourcePolicy")["PolicyDocument"])

    assert "events.amazonaws.com" in document
    assert "logs:PutLogEvents" in document
    assert "FailureRecordsLogs" in document or "/aws/events/catalogue-dev/failures:*" in document
    assert '\\"*\\"' not in document


def _tags(group: dict[str, object]) -> dict[str, object]:
    return {"Tags": group["Tags"]} if "Tags" in group else {}
