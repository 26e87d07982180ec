"""`x-aws.autoscaling`: how many more tasks a service may get, and when."""

from collections.abc import Mapping

from infra.compose import values
from infra.compose.fields import Fields
from infra.compose.model import Autoscaling, Project

_TASKS = values.integer(1, 5000)  # tasks per service, an ECS quota
_PERCENT = values.integer(1, 100)
_REQUESTS = values.integer(1, 1_000_000)


def autoscaling_of(fields: Fields) -> Autoscaling | None:
    """Return how a service grows; None for one whose number of tasks stays `deploy.replicas`."""
    x_aws = fields.within("x-aws")
    if "autoscaling" not in [*x_aws]:
        return None
    scaling = x_aws.within("autoscaling")
    cpu_percent = scaling.get("cpu_percent", _PERCENT, None)
    requests_per_minute = scaling.get("requests_per_minute", _REQUESTS, None)
    if "max_replicas" not in scaling:
        scaling.problem("max_replicas", "is missing", "Write such as max_replicas: 4.")
    if not {"cpu_percent", "requests_per_minute"} & {*scaling}:
        alternative = "Write such as cpu_percent: 60, requests_per_minute: 1000 (per task) or both."
        scaling.problem("", "says nothing of when there are to be more tasks", alternative)
    return Autoscaling(
        max_replicas=scaling.get("max_replicas", _TASKS, 1),
        cpu_percent=cpu_percent,
        requests_per_minute=requests_per_minute,
    )


def check(project: Project, services: Mapping[str, Fields]) -> None:
    """Note autoscaling that has less room than there are tasks, nothing to count, or nothing to scale."""
    one_shots = project.one_shots()
    for name, service in project.services.items():
        scaling, fields = service.autoscaling, services[name].within("x-aws").within("autoscaling")
        if scaling is None:
            continue
        if "max_replicas" in fields and scaling.max_replicas < service.replicas:
            reason = (
                f"{scaling.max_replicas} is less than the {service.replicas} of deploy.replicas, which is the least"
            )
            fields.problem("max_replicas", reason, "Raise it, or lower deploy.replicas.")
        if scaling.requests_per_minute and service.public is None:
            reason = "the load balancer counts requests, and it sends none to this service"
            fields.problem("requests_per_minute", reason, "Write cpu_percent: 60 instead, or make the service public.")
        if service.stops_first:
            reason = "deploy.update_config.order is stop-first, so there is never a second task"
            fields.problem("", reason, "Drop the key, or write start-first.")
        if name in one_shots:
            reason = "others wait for this service to complete, so it runs once in each of their tasks"
            fields.problem("", reason, "Drop the key.")
