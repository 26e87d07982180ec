"""AWS's Session Manager plugin, the program that the AWS CLI and this command line hand a session over to."""

import json
import shutil
import signal
import subprocess
from typing import Any

from infra.operations.deployment import Deployment, OperationError, RunningService

_PLUGIN = "session-manager-plugin"


def require() -> str:
    """Return where the plugin is.

    Raises:
        OperationError: it is not installed.
    """
    found = shutil.which(_PLUGIN)
    if found is None:
        raise OperationError(
            f"{_PLUGIN} is not installed: AWS Systems Manager User Guide, “Install the Session Manager plugin for the "
            "AWS CLI”, has a package for each system"
        )
    return found


def running_task(deployment: Deployment, service: RunningService) -> Any:
    """Return a task of the service that a session can be opened in, the newest one.

    Raises:
        OperationError: the environment has ECS Exec off, or no task runs.
    """
    if not service.described.get("enableExecuteCommand"):
        raise OperationError(
            f"services.ecs_exec is false for {deployment.plan.settings.name} in cdk.json, so nobody gets into a task: "
            f"`run {service.name} -- COMMAND` does something in a task of its own"
        )
    tasks = [
        task
        for task in deployment.stopped_and_running("RUNNING")  # as is wished: it may still be starting
        if deployment.service_name(task) == service.name and task.get("lastStatus") == "RUNNING"
    ]
    if not tasks:
        raise OperationError(f"no task of {service.name} runs: see `status` and `failures`")
    return max(tasks, key=lambda task: task["createdAt"])


def target(cluster: str, task: Any, container: str) -> str:
    """Return how Systems Manager names a container of a task.

    Raises:
        OperationError: the task has no such container that runs.
    """
    for one in task["containers"]:
        if one["name"] == container and one.get("runtimeId"):
            return f"ecs:{cluster}_{task['taskArn'].rpartition('/')[2]}_{one['runtimeId']}"
    raise OperationError(f"the task has no container {container} that runs")


def hand_over(session: Any, target: str, region: str) -> int:
    """Have the plugin hold the session until it ends; return its exit code. Ctrl-C is the session's."""
    command = [require(), json.dumps(session), region, "StartSession", "", json.dumps({"Target": target})]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(
            [*command, f"https://ssm.{region}.amazonaws.com"],
            check=False,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ).returncode
    finally:
        signal.signal(signal.SIGINT, before)
