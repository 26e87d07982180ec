"""`make sleep ENV=dev`: tasks to zero and the database stopped, until `make wake`.

What is not tasks or database hours goes on costing, and is said. RDS starts an instance by itself that was stopped for
seven days: the schedule of `services.asleep` stops it again within a day.
"""

import sys

import boto3

from infra.cost.estimate import estimate
from infra.cost.prices import NoPriceError, prices
from infra.operations import stacks
from infra.operations.asleep import (
    AsleepError,
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

_PATIENCE_SECONDS = 900  # RDS takes five minutes to stop an instance, more when it has much to write


def put_to_sleep(session: boto3.Session, stack_name: str) -> None:
    """Stop all tasks, then the database; again, it does what is left to do.

    Raises:
        AsleepError: there is no such stack, it has no hours asleep, or the database does not stop.
        BotoCoreError, ClientError: AWS refused, or there are no credentials.
    """
    found = sleeper(session, stack_name)
    for service in found.services:
        run_tasks(session, service, asleep=True)
    if not found.database:
        return
    mind_the_clock(session, found.starts, asleep=True)
    # One that is being started, stopped or backed up cannot be stopped yet.
    settled = ("available", "stopped")
    wait_for("the database", lambda: database_status(session, found.database) in settled, _PATIENCE_SECONDS)
    if database_status(session, found.database) == "available":
        session.client("rds").stop_db_instance(DBInstanceIdentifier=found.database)


def still_costs(session: boto3.Session, stack_name: str) -> str:
    """Return, as a sentence, what goes on costing while a stack sleeps.

    Raises:
        NoPriceError: of the region, or of something in the template.
        BotoCoreError, ClientError: AWS refused.
    """
    body = stacks.template(session, stack_name) or {"Resources": {}}
    usd = estimate(body, prices(str(session.region_name))).asleep
    return (
        f"Asleep, it costs {usd:.2f} US$ a month all the same: the load balancer, the database's disk and backups, "
        "secrets and alarms. make destroy ends those too."
    )


def main(environment: str) -> int:
    """Put an environment to sleep, or say why not."""
    try:
        stack_name, session = plan_of(environment).stack_name, open_session()
        put_to_sleep(session, stack_name)
    except (PlanError, AsleepError, *AWS_ERRORS) as error:
        print(f"make sleep: {sentence(error)}", file=sys.stderr)
        return 1
    print(f"{stack_name} sleeps until make wake ENV={environment}: no task runs, and the database stops.")
    try:
        print(still_costs(session, stack_name))
    except (NoPriceError, *AWS_ERRORS) as error:
        print(f"What it costs all the same cannot be said: {sentence(error)}", file=sys.stderr)
    print(
        "After seven days RDS starts the database by itself; the schedule of services.asleep stops it again the same "
        "evening. There are no backups meanwhile, and no maintenance."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
