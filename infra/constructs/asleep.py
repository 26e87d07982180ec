"""What puts an environment to sleep and wakes it, by the clock: tasks by their scaling, the database by EventBridge."""

import json

from aws_cdk import Aws, TimeZone
from aws_cdk import aws_applicationautoscaling as appscaling
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.constructs.scheduler_principal import scheduler_principal
from infra.plan.asleep import HoursAsleep, TimeOfDay
from infra.plan.task_count import TaskCount


def put_to_sleep(tasks: ecs.ScalableTaskCount, count: TaskCount, hours: HoursAsleep) -> None:
    """Run no task while the environment sleeps, and as many as before when it wakes."""
    zone = TimeZone.of(hours.time_zone)
    tasks.scale_on_schedule("Sleep", schedule=_at(hours.tasks_stop), time_zone=zone, min_capacity=0, max_capacity=0)
    tasks.scale_on_schedule(
        "Wake",
        schedule=_at(hours.tasks_start),
        time_zone=zone,
        min_capacity=count.minimum,
        max_capacity=count.maximum,
    )


class DatabaseAsleep(Construct):
    """Stops an instance of RDS every evening and starts it every morning.

    Every evening also after `make sleep`: RDS starts an instance by itself that was stopped for seven days.
    """

    def __init__(self, scope: Construct, construct_id: str, *, identifier: str, hours: HoursAsleep) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(self, "Role", assumed_by=scheduler_principal())
        instance = f"arn:{Aws.PARTITION}:rds:{Aws.REGION}:{Aws.ACCOUNT_ID}:db:{identifier}"
        role.add_to_policy(
            iam.PolicyStatement(actions=["rds:StartDBInstance", "rds:StopDBInstance"], resources=[instance])
        )
        for name, time, action in (
            ("Stop", hours.database_stops, "stopDBInstance"),
            ("Start", hours.database_starts, "startDBInstance"),
        ):
            made = scheduler.CfnSchedule(
                self,
                name,
                description=f"services.asleep of the database {identifier}",
                schedule_expression=_at(time).expression_string,
                schedule_expression_timezone=hours.time_zone,
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=f"arn:{Aws.PARTITION}:scheduler:::aws-sdk:rds:{action}",
                    role_arn=role.role_arn,
                    input=json.dumps({"DbInstanceIdentifier": identifier}),
                    # One that is stopped cannot be stopped: that is no reason to try again for a day.
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=3),
                ),
            )
            made.node.add_dependency(role.node.find_child("DefaultPolicy"))


def _at(time: TimeOfDay) -> appscaling.Schedule:
    return appscaling.Schedule.cron(hour=str(time.hour), minute=str(time.minute))
