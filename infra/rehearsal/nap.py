"""`make sleep` and `make wake` on a deployed stack."""

import boto3

from infra.operations.asleep import ScaledService, database_status, sleeper, wait_for
from infra.operations.sleep import put_to_sleep
from infra.operations.wake import wake
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.site import Site

_PATIENCE = 120  # seconds: tasks let requests end, and are killed after their stop_grace_period


def nap(session: boto3.Session, stack_name: str, site: Site) -> list[str]:
    """Put the stack to sleep, look that nothing of it runs, wake it, and use it again.

    Returns what happened, a few words each. Raises RehearsalError at the first thing that is not as it should be.
    """
    put_to_sleep(session, stack_name)
    found = sleeper(session, stack_name)
    if database_status(session, found.database) != "stopped":
        raise RehearsalError(f"{stack_name} does not sleep: its database is not stopped")
    wait_for("the last task", lambda: not any(_running(session, service) for service in found.services), _PATIENCE)
    if (status := site.fetch("GET", "/products/")[0]) < 500:
        raise RehearsalError(f"GET /products/ answers {status} while {stack_name} sleeps")
    put_to_sleep(session, stack_name)  # what sleeps may be put to sleep
    wake(session, stack_name)
    # The load balancer asks new tasks for their health first.
    wait_for("the first answer", lambda: site.fetch("GET", "/products/")[0] == 200, _PATIENCE)
    counts = " and ".join(f"{service.name} {service.minimum}" for service in found.services)
    return ["asleep: no task, the database stopped", f"awake: {counts}, the database available"]


def _running(session: boto3.Session, service: ScaledService) -> int:
    answer = session.client("ecs").describe_services(cluster=service.cluster, services=[service.name])
    return answer["services"][0]["runningCount"]
