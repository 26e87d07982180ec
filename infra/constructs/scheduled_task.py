"""A service of the compose file that runs by the clock (`x-aws.schedule`), each time to its end.

EventBridge Scheduler begins a run; a state machine of AWS Step Functions makes it: EventBridge alone would neither see
whether the run before still goes on, nor what becomes of this one. Its list of executions is what happened so far.
"""

from typing import cast

from aws_cdk import Aws, CfnOutput, Duration, Stack, TimeZone
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IDependable

from infra.compose.model import Schedule
from infra.constructs.alarms import RUNBOOK
from infra.constructs.runs import definition as runs
from infra.constructs.scheduler_principal import scheduler_principal
from infra.constructs.tasks import TaskResources, task_definition, task_security_group
from infra.plan.tasks import Task

# Of an execution that could not be begun: a run that comes hours late is worse than none.
_LATEST = Duration.hours(1)
_ATTEMPTS = 5


class ScheduledTask(Construct):
    """One task at a time, never on Spot, which may end a run in the middle; an alarm tells of runs that failed."""

    def __init__(self, scope: Construct, construct_id: str, *, task: Task, given: TaskResources) -> None:
        super().__init__(scope, construct_id)
        schedule = task.service.schedule
        assert schedule is not None  # noqa: S101 (only such tasks are given to us)
        self.task = task
        self._name = task.service.name
        definition = task_definition(self, task, given)
        self.security_group = task_security_group(self, task, given)
        self.task_role: iam.IRole = definition.task_role
        machine = self._machine(definition, schedule, given)
        role = iam.Role(self, "SchedulerRole", assumed_by=scheduler_principal())
        begins = scheduler.Schedule(
            self,
            "Schedule",
            description=f"{self._name}: x-aws.schedule in the compose file",
            schedule=scheduler.ScheduleExpression.expression(schedule.expression, TimeZone.of(schedule.time_zone)),
            target=cast(
                "scheduler.IScheduleTarget",
                targets.StepFunctionsStartExecution(
                    machine, role=role, retry_attempts=_ATTEMPTS, max_event_age=_LATEST
                ),
            ),
        )
        self._resource = cast("scheduler.CfnSchedule", begins.node.default_child)
        # Policies and rules with them: a run that begins before it may do something fails.
        self._resource.node.add_dependency(
            self.security_group, definition.obtain_execution_role(), definition.task_role, machine.role, role
        )
        self._resource.node.add_dependency(given.cluster, *given.network.way_out)
        self._warn(machine)
        arn = machine.state_machine_arn
        description = f"What became of each run of {self._name}: aws stepfunctions list-executions --state-machine-arn"
        CfnOutput(self, "RunsArn", value=arn, description=description)

    def start_after(self, *others: IDependable) -> None:
        """Run when others, with the rules of their security groups, are there."""
        self._resource.node.add_dependency(*others)

    def _machine(
        self, definition: ecs.FargateTaskDefinition, schedule: Schedule, given: TaskResources
    ) -> sfn.StateMachine:
        network, cluster = given.network, given.cluster.cluster_arn
        states = runs(
            task={
                "TaskDefinition": definition.task_definition_arn,
                "LaunchType": "FARGATE",
                "NetworkConfiguration": {
                    "AwsvpcConfiguration": {
                        "AssignPublicIp": "ENABLED" if network.assign_public_ip else "DISABLED",
                        "SecurityGroups": [self.security_group.security_group_id],
                        "Subnets": network.vpc.select_subnets(subnet_type=network.task_subnets.subnet_type).subnet_ids,
                    }
                },
            },
            cluster=cluster,
            family=definition.family,
            retries=schedule.retries,
            timeout_seconds=schedule.timeout_seconds,
            may_overlap=schedule.may_overlap,
        )
        machine = sfn.StateMachine(
            self,
            "Runs",
            definition_body=sfn.DefinitionBody.from_string(Stack.of(self).to_json_string(states)),
        )
        for statement in _permissions(definition, cluster):
            machine.add_to_role_policy(statement)
        return machine

    def _warn(self, machine: sfn.StateMachine) -> None:
        total, period = "Sum", Duration.minutes(5)
        failures = {
            "failed": machine.metric_failed(period=period, statistic=total),
            "aborted": machine.metric_aborted(period=period, statistic=total),
        }
        cloudwatch.Alarm(
            Construct(self, "Alarms"),
            "RunFailed",
            alarm_name=f"{Stack.of(self).stack_name}-{self._name}-RunFailed",
            metric=cloudwatch.MathExpression(
                label=f"Runs of {self._name} that failed",
                expression=" + ".join(f"FILL({metric}, 0)" for metric in failures),
                using_metrics=failures,
                period=period,
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{self._name}: a run failed, was stopped or took too long. {RUNBOOK}#failed-runs",
        )


def _permissions(definition: ecs.FargateTaskDefinition, cluster: str) -> list[iam.PolicyStatement]:
    """Return what a run takes: this task definition with its roles, the cluster's tasks, Step Functions' own rule."""
    in_cluster = {"ArnEquals": {"ecs:cluster": cluster}}
    execution = definition.obtain_execution_role()
    return [
        iam.PolicyStatement(actions=["ecs:RunTask"], resources=[definition.task_definition_arn], conditions=in_cluster),
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[definition.task_role.role_arn, execution.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        # ListTasks takes no resource but container instances, which Fargate has none of.
        iam.PolicyStatement(
            actions=["ecs:ListTasks", "ecs:DescribeTasks", "ecs:StopTask"], resources=["*"], conditions=in_cluster
        ),
        iam.PolicyStatement(
            actions=["events:PutRule", "events:PutTargets", "events:DescribeRule"],
            resources=[
                f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:rule/StepFunctionsGetEventsForECSTaskRule"
            ],
        ),
    ]
