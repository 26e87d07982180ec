"""Alarms on the tasks of a public service; one that goes off while a deployment runs takes the deployment back."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

_PERIOD = Duration.minutes(1)
_MINUTES = 3  # a new task may be unhealthy for as long as it starts, and one bad minute is no trend

_ERROR_PERCENT = 5
RUNBOOK = "docs/runbook.md"
"""What to do about each alarm; each one's description names its paragraph."""

_FEWEST_REQUESTS = 20  # in a minute: with fewer, a single error would be a large share


class Alarms(Construct):
    """Too large a share of answers that are server errors, and tasks that the load balancer finds unhealthy."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, target_group: elbv2.ApplicationTargetGroup
    ) -> None:
        super().__init__(scope, construct_id)
        metrics, total = target_group.metrics, "Sum"
        errors = metrics.http_code_target(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, period=_PERIOD, statistic=total)
        share = cloudwatch.MathExpression(
            label=f"Server errors of {name} in percent of its answers",
            expression=f"IF(requests >= {_FEWEST_REQUESTS}, 100 * FILL(errors, 0) / requests, 0)",
            using_metrics={"errors": errors, "requests": metrics.request_count(period=_PERIOD, statistic=total)},
            period=_PERIOD,
        )
        unhealthy = metrics.unhealthy_host_count(period=_PERIOD, statistic="Maximum")
        self.names = []
        failing = f"{name}: {_ERROR_PERCENT} % of its answers are server errors"
        ill = f"{name}: a task fails the load balancer's health check"
        for alarm, metric, threshold, description, paragraph in (
            ("ServerErrors", share, _ERROR_PERCENT, failing, "server-errors"),
            ("UnhealthyTasks", unhealthy, 1, ill, "unhealthy-tasks"),
        ):
            self.names.append(f"{Stack.of(self).stack_name}-{name}-{alarm}")
            cloudwatch.Alarm(
                self,
                alarm,
                alarm_name=self.names[-1],
                metric=metric,
                threshold=threshold,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                evaluation_periods=_MINUTES,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
                alarm_description=f"{description}. {RUNBOOK}#{paragraph}",
            )
