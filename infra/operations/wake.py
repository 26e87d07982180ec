"""`make wake ENV=dev`: the database started and tasks as many as the template says, until the next hour asleep.

With `--if-asleep` it does nothing where all runs or nothing is deployed: `make deploy` needs the database, as new tasks
migrate it.
"""

import sys

import boto3

from infra.operations import stacks
from infra.operations.asleep import (
    AsleepError,
    Sleeper,
    database_status,
    mind_the_clock,
    run_tasks,
    sleeper,
    wait_for,
)
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.project import plan_of
from infra.operations.session import open_session
from infra.plan import PlanError

_PATIENCE_SECONDS = 1200  # RDS takes five to ten minutes to start an instance
IF_ASLEEP = "--if-asleep"
_COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


def wake(session: boto3.Session, stack_name: str) -> Sleeper:
    """Start the database, and when it is there the tasks; again, it does what is left to do.

    Raises:
        AsleepError: there is no such stack, it has no hours asleep, or it does not wake in time.
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    found = sleeper(session, stack_name)
    if found.database:
        mind_the_clock(session, found.starts, asleep=False)
        wait_for("the database", lambda: database_status(session, found.database) != "stopping", _PATIENCE_SECONDS)
        if database_status(session, found.database) == "stopped":
            session.client("rds").start_db_instance(DBInstanceIdentifier=found.database)
        wait_for("the database", lambda: database_status(session, found.database) == "available", _PATIENCE_SECONDS)
    for service in found.services:
        run_tasks(session, service, asleep=False)
    wait_for("the tasks", lambda: _all_run(session, found), _PATIENCE_SECONDS)
    return found


def is_asleep(session: boto3.Session, stack_name: str) -> bool:
    """Say whether a stack is there and sleeps, or is on the way to it."""
    if stacks.status(session, stack_name) not in _COMPLETE:
        return False  # there is none, or not all of it: nothing of that sleeps
    try:
        found = sleeper(session, stack_name)
    except AsleepError:
        return False
    if found.database and database_status(session, found.database) in ("stopping", "stopped", "starting"):
        return True
    return any(_counts(session, service.cluster, service.name)[0] == 0 for service in found.services)


def main(environment: str, *options: str) -> int:
    """Wake an environment, or say why not."""
    try:
        stack_name, session = plan_of(environment).stack_name, open_session()
        if IF_ASLEEP in options and not is_asleep(session, stack_name):
            return 0
        print(f"{stack_name} wakes; the database takes up to ten minutes, then the tasks one or two.")
        found = wake(session, stack_name)
    except (PlanError, AsleepError, *AWS_ERRORS) as error:
        print(f"make wake: {sentence(error)}", file=sys.stderr)
        return 1
    names = ", ".join(service.name for service in found.services)
    print(f"Awake: {names}. It sleeps again when services.asleep of cdk.json says so.")
    return 0


def _all_run(session: boto3.Session, found: Sleeper) -> bool:
    for service in found.services:
        desired, running = _counts(session, service.cluster, service.name)
        if running < max(desired, 1):
            return False
    return True


def _counts(session: boto3.Session, cluster: str, service: str) -> tuple[int, int]:
    """Return how many tasks of a service there should be, and how many there are."""
    (found,) = session.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
    return found["desiredCount"], found["runningCount"]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
