"""Who is told, and of what: alarms on what ends such a system quietly, a topic that all alarms go to, a dashboard."""

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.constructs.alarms import RUNBOOK
from infra.constructs.service import Service
from infra.plan.connections import max_connections
from infra.plan.environment import Environment

_PERIOD = Duration.minutes(5)
_PERIODS = 3
_GIB = 2**30

# RDS enlarges its storage when less than a tenth is free, not again for six hours, and never beyond the maximum.
_FREE_STORAGE_GIB = 2
_CONNECTIONS_SHARE = 0.8
_CERTIFICATE_DAYS = 30  # ACM renews a certificate 60 days before its end, and this one has not been


class Monitoring(Construct):
    """Alarms beside those that take a deployment back; and whatever alarm the stack has tells the topic."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Environment) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._alarms = Construct(self, "Alarms")
        stack = Stack.of(self).stack_name
        self._dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=stack, default_interval=Duration.hours(24)
        )
        # No key of our own: CloudWatch could not use the account's, and an alarm says nothing that is secret.
        self._topic = sns.Topic(self, "Topic", enforce_ssl=True, display_name=f"{stack}: alarms")
        for address in settings.monitoring.notify:
            self._topic.add_subscription(subscriptions.EmailSubscription(address))

    def watch_database(self, instance: str) -> None:
        """Have alarms on, and pictures of, the database with this identifier."""

        def metric(name: str, statistic: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/RDS",
                metric_name=name,
                dimensions_map={"DBInstanceIdentifier": instance},
                statistic=statistic,
                period=_PERIOD,
            )

        chosen = self._settings.database
        most = max_connections(chosen.instance_class)
        self._alarm(
            "DatabaseStorage",
            metric("FreeStorageSpace", "Minimum"),
            cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            _FREE_STORAGE_GIB * _GIB,
            f"The database has less than {_FREE_STORAGE_GIB} GiB of storage left",
            "storage",
        )
        self._alarm(
            "DatabaseConnections",
            metric("DatabaseConnections", "Maximum"),
            cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            int(most * _CONNECTIONS_SHARE),
            f"More than {_CONNECTIONS_SHARE:.0%} of the database's {most} connections are open",
            "connections",
        )
        if chosen.instance_class.startswith("db.t"):
            # Not the balance: a new instance begins with none, and is as fast without.
            self._alarm(
                "DatabaseCredits",
                metric("CPUSurplusCreditsCharged", "Sum"),
                cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
                0,
                f"The database uses more processor than a {chosen.instance_class} has, and pays for it by the hour",
                "processor-credits",
            )
        self._show(
            "Database: processor, %",
            [metric("CPUUtilization", "Average")],
            right=[metric("CPUCreditBalance", "Average")],
        )
        self._show(
            "Database: connections; free storage, bytes",
            [metric("DatabaseConnections", "Maximum")],
            right=[metric("FreeStorageSpace", "Minimum")],
        )
        self._show(
            "Database: seconds for reading and writing",
            [metric("ReadLatency", "Average"), metric("WriteLatency", "Average")],
        )

    def watch_services(
        self, services: Mapping[str, Service], target_groups: Mapping[str, elbv2.ApplicationTargetGroup]
    ) -> None:
        """Have alarms on, and pictures of, what is public, and pictures of every service."""
        for name, group in target_groups.items():
            metrics = group.metrics
            # Targets that are gone are measured no more, so silence is as bad as a zero; at night it is meant.
            self._alarm(
                f"{name}-NoHealthyTask",
                metrics.healthy_host_count(period=Duration.minutes(1), statistic="Maximum"),
                cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                1,
                f"{name}: no task answers the load balancer's health check, so nobody is served",
                "no-healthy-task",
                silence=cloudwatch.TreatMissingData.NOT_BREACHING
                if self._settings.services.asleep
                else cloudwatch.TreatMissingData.BREACHING,
            )
            codes = elbv2.HttpCodeTarget
            self._show(
                f"{name}: requests, and answers that are errors",
                [metrics.request_count(label="requests")],
                right=[
                    metrics.http_code_target(codes.TARGET_4XX_COUNT, label="4xx"),
                    metrics.http_code_target(codes.TARGET_5XX_COUNT, label="5xx"),
                ],
            )
            self._show(
                f"{name}: seconds to an answer",
                [metrics.target_response_time(statistic=one, label=one) for one in ("p50", "p95", "p99")],
            )
            self._show(
                f"{name}: healthy and unhealthy tasks (deployments are the gaps)",
                [
                    metrics.healthy_host_count(label="healthy", statistic="Maximum"),
                    metrics.unhealthy_host_count(label="unhealthy", statistic="Maximum"),
                ],
            )
        for name, service in services.items():
            ecs = service.ecs_service
            self._show(
                f"{name}: processor and memory, %", [ecs.metric_cpu_utilization(), ecs.metric_memory_utilization()]
            )

    def watch_certificate(self, arn: str) -> None:
        """Have an alarm on a certificate that ACM does not renew."""
        self._alarm(
            "Certificate",
            cloudwatch.Metric(
                namespace="AWS/CertificateManager",
                metric_name="DaysToExpiry",
                dimensions_map={"CertificateArn": arn},
                statistic="Minimum",
                period=Duration.days(1),
            ),
            cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            _CERTIFICATE_DAYS,
            f"The certificate ends in less than {_CERTIFICATE_DAYS} days and was not renewed",
            "certificate",
            periods=1,
        )

    def tell(self) -> None:
        """Have every alarm of the stack tell the topic when it goes on and off, and show them; to be called last."""
        alarms = [one for one in Stack.of(self).node.find_all() if isinstance(one, cloudwatch.Alarm)]
        for alarm in alarms:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
            alarm.add_ok_action(actions.SnsAction(self._topic))
        self._dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24))

    def _alarm(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        operator: cloudwatch.ComparisonOperator,
        threshold: float,
        description: str,
        paragraph: str,
        *,
        periods: int = _PERIODS,
        silence: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        cloudwatch.Alarm(
            self._alarms,
            construct_id,
            alarm_name=f"{Stack.of(self).stack_name}-{construct_id}",
            metric=metric,
            comparison_operator=operator,
            threshold=threshold,
            evaluation_periods=periods,
            treat_missing_data=silence,
            alarm_description=f"{description}. {RUNBOOK}#{paragraph}",
        )

    def _show(
        self, title: str, left: list[cloudwatch.IMetric], *, right: list[cloudwatch.IMetric] | None = None
    ) -> None:
        self._dashboard.add_widgets(cloudwatch.GraphWidget(title=title, left=left, right=right or [], width=12))
