"""How many tasks of a service run as its load changes."""

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from infra.compose.model import Autoscaling
from infra.plan.task_count import TaskCount

# Load that has come is answered at once; load that has gone may come back.
_SCALE_OUT_COOLDOWN = Duration.minutes(1)
_SCALE_IN_COOLDOWN = Duration.minutes(5)


def scale(
    service: ecs.FargateService,
    autoscaling: Autoscaling | None,
    count: TaskCount,
    target_group: elbv2.ApplicationTargetGroup | None,
) -> ecs.ScalableTaskCount:
    """Keep the tasks of `service` at the targets that the compose file names, whichever needs more of them."""
    tasks = service.auto_scale_task_count(min_capacity=count.minimum, max_capacity=count.maximum)
    if autoscaling is None:
        return tasks
    if autoscaling.cpu_percent is not None:
        tasks.scale_on_cpu_utilization(
            "Cpu",
            target_utilization_percent=autoscaling.cpu_percent,
            scale_in_cooldown=_SCALE_IN_COOLDOWN,
            scale_out_cooldown=_SCALE_OUT_COOLDOWN,
        )
    if autoscaling.requests_per_minute is not None and target_group is not None:
        tasks.scale_on_request_count(
            "Requests",
            requests_per_target=autoscaling.requests_per_minute,
            target_group=target_group,
            scale_in_cooldown=_SCALE_IN_COOLDOWN,
            scale_out_cooldown=_SCALE_OUT_COOLDOWN,
        )
    return tasks
