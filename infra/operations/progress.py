"""What services do while CloudFormation, which waits for them, says nothing: a line for each change."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from infra.operations.command_line import Output
from infra.operations.deployment import AWS_ERRORS, Deployment, OperationError, sentence
from infra.operations.failures import recent, where
from infra.operations.stopped_tasks import FailedTask
from infra.plan import Plan

_OF_THE_SERVICE = re.compile(r"^\(service \S+\) ")  # how ECS begins what it says of a service
_SKEW = timedelta(minutes=10)  # of clocks, at most
_LOOK_SECONDS = 5.0
_END_SECONDS = 30  # of one look, should AWS be slow to answer


class Progress:
    """What becomes of the services of a stack from now on; `failed` are the tasks that did, oldest first.

    What is new is told by its identity, not its time: the clock here need not be that of AWS. So the first look is
    before anything happens, and what it yields is old.
    """

    def __init__(self, session: boto3.Session, plan: Plan) -> None:
        self.failed: list[FailedTask] = []
        self._session, self._plan = session, plan
        self._started = datetime.now(UTC) - _SKEW
        self._known: set[str] = set()
        self._said: dict[str, str] = {}

    def look(self) -> Iterator[str]:
        """Yield a line for what is new since the last look.

        Raises:
            BotoCoreError, ClientError: AWS refused.
        """
        deployment = Deployment(self._session, self._plan)  # anew, as it remembers what it was told
        try:
            services = deployment.services
        except OperationError:
            return  # there is no stack yet, or no cluster in it
        for service in services:
            for event in reversed(service.described.get("events", [])):  # ECS has the newest first
                if self._is_new(event["id"]):
                    yield f"{service.name}: {_OF_THE_SERVICE.sub('', event['message'])}"
            tasks = _tasks(service.described)
            if self._said.get(service.name) != tasks:
                self._said[service.name] = tasks
                yield f"{service.name}: {tasks}"
        hours = (datetime.now(UTC) - self._started) / timedelta(hours=1)
        for failure in reversed(recent(deployment, hours=hours)):
            if self._is_new(failure.task):
                self.failed.append(failure)
                yield f"{failure.service}: a task failed: {failure.reason} → {where(deployment, failure)}"

    def _is_new(self, identity: str) -> bool:
        is_new = identity not in self._known
        self._known.add(identity)
        return is_new


@contextmanager
def followed(progress: Progress, out: Output) -> Iterator[None]:
    """Print the progress of what is done in the block, as it comes; nothing of it goes on afterwards.

    Where AWS does not let us look, what is done in the block goes on without.
    """
    ended = threading.Event()
    thread = threading.Thread(target=_follow, args=(progress, out, ended), daemon=True)
    try:
        list(progress.look())
        progress.failed.clear()
        thread.start()
    except AWS_ERRORS as error:
        out.line(f"The services are not followed: {sentence(error)}")
    try:
        yield
    finally:
        ended.set()
        if thread.ident is not None:
            thread.join(_END_SECONDS)


def _follow(progress: Progress, out: Output, ended: threading.Event) -> None:
    over = False
    while not over:
        over = ended.wait(_LOOK_SECONDS)  # and one look more: what failed last is why it is over
        try:
            for line in progress.look():
                out.line(f"{datetime.now():%H:%M:%S}  {line}")
        except AWS_ERRORS:
            continue  # it may answer again, and the CDK CLI says what matters


def _tasks(described: Any) -> str:
    """Return how many tasks of which version run, the new one first."""
    parts: list[str] = []
    for one in described["deployments"]:
        version = one["taskDefinition"].rpartition("/")[2].rpartition(":")[2]
        if one["status"] == "PRIMARY":
            starting = f", {one['pendingCount']} starting" if one["pendingCount"] else ""
            failed = f", {one['failedTasks']} failed" if one.get("failedTasks") else ""
            parts.insert(0, f"{one['runningCount']} of {one['desiredCount']} of version {version}{starting}{failed}")
        elif one["runningCount"]:
            parts.append(f"{one['runningCount']} of version {version} still")
    return "; ".join(parts)
