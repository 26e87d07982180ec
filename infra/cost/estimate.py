"""What each resource of a template costs a month: a rule a type, or it is said to be free."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from infra.cost.prices import HOURS, NoPriceError, Prices
from infra.cost.template import PricedTemplate, Tasks, TemplateResource
from infra.cost.usage import Usage


class Group(StrEnum):
    """What a line is for, in words that need no knowledge of AWS."""

    TASKS = "Containers that run"
    DATABASE = "Database"
    ENTRANCE = "Entrance from the internet"
    WAY_OUT = "Way out to the internet"
    FIREWALL = "Web firewall"
    SECRETS = "Secrets, keys, alarms"
    WATCHING = "Logs and metrics"
    FILES = "Files"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One sum: US$ a month at the fewest and at the most tasks."""

    place: str
    """The resource, in the construct tree."""
    owner: str
    """The service of the compose file that it is for; empty for what all share."""
    group: Group
    what: str
    how: str
    """The sum in figures."""
    minimum: float
    maximum: float
    stops_asleep: bool = False
    """`make sleep` ends it."""
    is_assumed: bool = False
    """It depends on how much the application is used, of which `Usage` assumes something."""


@dataclass(frozen=True)
class CostEstimate:
    """All lines of a template, and the types of resources that no rule knows: their cost is in no sum."""

    region: str
    lines: tuple[Line, ...]
    not_priced: Mapping[str, int]

    @property
    def minimum(self) -> float:
        """US$ a month at the fewest tasks."""
        return sum(line.minimum for line in self.lines)

    @property
    def maximum(self) -> float:
        """US$ a month at the most tasks, all month long."""
        return sum(line.maximum for line in self.lines)

    @property
    def asleep(self) -> float:
        """US$ a month of an environment that sleeps all month."""
        return sum(line.minimum for line in self.lines if not line.stops_asleep)

    def by(self, key: Callable[[Line], str]) -> dict[str, tuple[float, float]]:
        """Return minimum and maximum by what `key` says of a line, in the order of the lines."""
        sums: dict[str, tuple[float, float]] = {}
        for line in self.lines:
            low, high = sums.get(key(line), (0, 0))
            sums[key(line)] = low + line.minimum, high + line.maximum
        return sums


def estimate(body: Mapping[str, Any], prices: Prices, usage: Usage | None = None, database: str = "") -> CostEstimate:
    """Return what a template costs; `database` is what the compose file calls its database.

    Raises:
        NoPriceError: the region has no price for something in the template; the message names all of them.
    """
    template = PricedTemplate(body)
    rules = _Rules(template, prices, usage or Usage(), database)
    lines: list[Line] = []
    not_priced: dict[str, int] = {}
    missing: dict[str, None] = {}
    for resource in template:
        rule = _RULES.get(resource.type)
        if rule is None and resource.type not in FREE:
            not_priced[resource.type] = not_priced.get(resource.type, 0) + 1
        elif rule:
            try:
                lines += rule(rules, resource)
            except NoPriceError as error:
                missing[str(error)] = None
    if missing:
        raise NoPriceError(f"not in infra/cost/prices.toml: {', '.join(missing)}")
    return CostEstimate(prices.region, tuple(lines), not_priced)


FREE = frozenset(
    f"AWS::{name}"
    for name in (
        "ApplicationAutoScaling::ScalableTarget",
        "ApplicationAutoScaling::ScalingPolicy",
        "Backup::BackupPlan",
        "Backup::BackupSelection",
        "Backup::BackupVault",
        "CDK::Metadata",
        "CertificateManager::Certificate",
        "CloudFront::Function",  # 2 million calls a month are always free
        "CloudFront::VpcOrigin",
        "Cognito::UserPoolClient",
        "Cognito::UserPoolDomain",
        "EC2::EIPAssociation",
        "EC2::InternetGateway",
        "EC2::Route",
        "EC2::RouteTable",
        "EC2::SecurityGroup",
        "EC2::SecurityGroupEgress",
        "EC2::SecurityGroupIngress",
        "EC2::Subnet",
        "EC2::SubnetRouteTableAssociation",
        "EC2::VPC",
        "EC2::VPCGatewayAttachment",
        "ECS::ClusterCapacityProviderAssociations",
        "ECS::TaskDefinition",  # what runs of it costs; see ECS::Service
        "EFS::AccessPoint",
        "EFS::MountTarget",
        "ElasticLoadBalancingV2::Listener",
        "ElasticLoadBalancingV2::ListenerCertificate",
        "ElasticLoadBalancingV2::ListenerRule",
        "ElasticLoadBalancingV2::TargetGroup",
        "Events::Rule",  # of events that AWS itself sends
        "IAM::ManagedPolicy",
        "IAM::OIDCProvider",
        "IAM::Policy",
        "IAM::Role",
        "KMS::Alias",
        "Logs::ResourcePolicy",
        "RDS::DBParameterGroup",
        "RDS::DBSubnetGroup",
        "Route53::RecordSet",  # an alias; the zone is not of the stack
        "S3::BucketPolicy",
        "SNS::Subscription",
        "SNS::Topic",  # 1,000 e-mails a month are always free
        "SNS::TopicPolicy",
        "SecretsManager::SecretTargetAttachment",
        "ServiceDiscovery::HttpNamespace",
        "WAFv2::LoggingConfiguration",
        "WAFv2::WebACLAssociation",
    )
)
"""Types that cost nothing themselves."""


class _Rules:
    """One method a type of resource; `_RULES` says which."""

    def __init__(self, template: PricedTemplate, prices: Prices, usage: Usage, database: str) -> None:
        self.template, self.prices, self.usage, self.database = template, prices, usage, database
        fewest = sum(tasks.minimum for tasks in template.services.values())
        most = sum(tasks.maximum for tasks in template.services.values())
        self.growth = most / fewest if fewest else 1

    def line(self, resource: TemplateResource, group: Group, what: str, how: str, costs: tuple[float, float]) -> Line:
        return Line(
            place=resource.place,
            owner=self._owner(resource),
            group=group,
            what=what,
            how=how,
            minimum=costs[0],
            maximum=costs[1],
        )

    def while_awake(
        self, resource: TemplateResource, group: Group, what: str, how: str, costs: tuple[float, float]
    ) -> Line:
        """Return a line that `make sleep` ends."""
        return replace(self.line(resource, group, what, how, costs), stops_asleep=True)

    def assumed(self, resource: TemplateResource, group: Group, what: str, how: str, cost: float) -> Line:
        """Return a line that grows with the traffic."""
        found = self.line(resource, group, what, how, (cost, cost * self.growth))
        return replace(found, is_assumed=True)

    def _owner(self, resource: TemplateResource) -> str:
        if resource.owner in self.template.services or resource.owner in self.template.scheduled:
            return resource.owner
        return self.database if resource.owner == "Database" else ""

    def service(self, resource: TemplateResource) -> Iterator[Line]:
        tasks = self.template.services[resource.owner]
        hours = HOURS * tasks.hours_awake / 24
        hourly, spot_share = self._task_hour(tasks), self.prices["fargate_spot_share"]

        def cost(count: int) -> float:
            return hours * hourly * (count - tasks.on_spot(count) * (1 - spot_share))

        spot = "" if tasks.spot_share == 0 else f", on Spot for {spot_share:.0%} of the price"
        size = f"{tasks.vcpu:g} CPU and {tasks.gb:g} GB"
        yield self.while_awake(
            resource,
            Group.TASKS,
            f"{_range(tasks)} of {size}{spot}",
            f"{hours:g} h x {_usd(hourly)} a task{' x ' + f'{spot_share:g}' if spot else ''}",
            (cost(tasks.minimum), cost(tasks.maximum)),
        )
        if tasks.has_public_address:
            price = self.prices["public_ipv4_hour"]
            yield self.while_awake(
                resource,
                Group.WAY_OUT,
                "a public address for each task",
                f"{hours:g} h x {_usd(price)}",
                (tasks.minimum * hours * price, tasks.maximum * hours * price),
            )

    def _task_hour(self, tasks: Tasks) -> float:
        size = f"fargate_{tasks.architecture}"
        return tasks.vcpu * self.prices[f"{size}_vcpu_hour"] + tasks.gb * self.prices[f"{size}_gb_hour"]

    def state_machine(self, resource: TemplateResource) -> Iterator[Line]:
        if resource.owner in self.template.scheduled:
            hours, hourly = self.usage.scheduled_hours, self._task_hour(self.template.scheduled[resource.owner])
            cost = hours * hourly
            found = self.line(resource, Group.TASKS, "runs by the clock", f"{hours:g} h x {_usd(hourly)}", (cost, cost))
            yield replace(found, is_assumed=True)
        thousand = self.prices["step_transition_thousand"]
        yield self.line(
            resource, Group.TASKS, "steps of its runs", f"{_usd(thousand)} for 1,000 after 4,000 a month", (0, 0)
        )

    def schedule(self, resource: TemplateResource) -> Iterator[Line]:
        million = self.prices["scheduler_call_million"]
        how = f"{_usd(million)} for a million after 14 million a month"
        yield self.line(resource, Group.TASKS, "a clock", how, (0, 0))

    def load_balancer(self, resource: TemplateResource) -> Iterator[Line]:
        hour = self.prices["load_balancer_hour"]
        cost = HOURS * hour
        yield self.line(resource, Group.ENTRANCE, "load balancer", f"{HOURS} h x {_usd(hour)}", (cost, cost))
        # A capacity unit is, of what counts here, 1 GB an hour (Elastic Load Balancing pricing).
        unit, gb = self.prices["load_balancer_lcu_hour"], self.usage.answers_gb
        yield self.assumed(
            resource, Group.ENTRANCE, "what passes through it", f"{gb:g} GB x {_usd(unit)} a capacity unit", gb * unit
        )
        if resource.properties.get("Scheme") != "internal":
            address, zones = self.prices["public_ipv4_hour"], len(resource.properties["Subnets"])
            cost = zones * HOURS * address
            how = f"{zones} x {HOURS} h x {_usd(address)}"
            yield self.line(resource, Group.ENTRANCE, "its public addresses", how, (cost, cost))
            if not self.template.of_type("AWS::CloudFront::Distribution"):
                price, paid = self.prices["data_out_gb"], max(gb - 100, 0)
                how = f"{gb:g} GB, of which 100 are free, x {_usd(price)}"
                yield self.assumed(resource, Group.ENTRANCE, "answers sent to the internet", how, paid * price)

    def distribution(self, resource: TemplateResource) -> Iterator[Line]:
        gb, requests = self.usage.answers_gb, self.usage.requests_million

        def cost(factor: float) -> float:
            data = max(gb * factor - 1000, 0) * self.prices["cloudfront_gb"]
            return data + max(requests * factor - 10, 0) * self.prices["cloudfront_request_million"]

        found = self.line(
            resource,
            Group.ENTRANCE,
            "HTTPS on CloudFront's own name",
            f"{gb:g} GB and {requests:g} million requests: 1,000 GB and 10 million a month are free",
            (cost(1), cost(self.growth)),
        )
        yield replace(found, is_assumed=True)

    def nat_gateway(self, resource: TemplateResource) -> Iterator[Line]:
        hour, gb = self.prices["nat_gateway_hour"], self.prices["nat_gateway_gb"]
        cost = HOURS * hour
        yield self.line(resource, Group.WAY_OUT, "NAT gateway", f"{HOURS} h x {_usd(hour)}", (cost, cost))
        fetched = self.usage.fetched_gb / len(self.template.of_type("AWS::EC2::NatGateway"))
        yield self.assumed(
            resource, Group.WAY_OUT, "what passes through it", f"{fetched:g} GB x {_usd(gb)}", fetched * gb
        )

    def address(self, resource: TemplateResource) -> Iterator[Line]:
        price = self.prices["public_ipv4_hour"]
        cost = HOURS * price
        yield self.line(resource, Group.WAY_OUT, "a public address", f"{HOURS} h x {_usd(price)}", (cost, cost))

    def endpoint(self, resource: TemplateResource) -> Iterator[Line]:
        if resource.properties.get("VpcEndpointType", "Gateway") != "Gateway":
            hour, zones = self.prices["interface_endpoint_hour"], len(resource.properties["SubnetIds"])
            cost = zones * HOURS * hour
            how = f"{zones} zones x {HOURS} h x {_usd(hour)}"
            yield self.line(resource, Group.WAY_OUT, "a private way to an AWS service", how, (cost, cost))

    def database_instance(self, resource: TemplateResource) -> Iterator[Line]:
        said = resource.properties
        suffix = "_multi_az" if said.get("MultiAZ") else ""
        both = " and its standby in another zone" if suffix else ""
        hours = HOURS * self.template.database_hours_awake / 24
        hour = self.prices[f"rds_{said['DBInstanceClass']}{suffix}_hour"]
        how = f"{hours:g} h x {_usd(hour)}"
        cost = hours * hour
        yield self.while_awake(resource, Group.DATABASE, f"{said['DBInstanceClass']}{both}", how, (cost, cost))
        gb = self.prices[f"rds_gp3{suffix}_gb_month"]
        least, most = int(said["AllocatedStorage"]), int(said.get("MaxAllocatedStorage", said["AllocatedStorage"]))
        yield self.line(
            resource,
            Group.DATABASE,
            f"its disk, {least} GB that grow to {most}; backups of the same size included",
            f"{least} GB x {_usd(gb)}, {most} GB at most",
            (least * gb, most * gb),
        )
        if said.get("EnableCloudwatchLogsExports") or said.get("MonitoringInterval"):
            price, written = self.prices["log_ingestion_gb"], self.usage.database_log_gb
            yield self.assumed(
                resource, Group.WATCHING, "the database's logs", f"{written:g} GB x {_usd(price)}", written * price
            )

    def secret(self, resource: TemplateResource) -> Iterator[Line]:
        price = self.prices["secret_month"]
        yield self.line(resource, Group.SECRETS, "a secret", _usd(price), (price, price))

    def key(self, resource: TemplateResource) -> Iterator[Line]:
        price = self.prices["kms_key_month"]
        how = f"{_usd(price)}, twice after the first yearly rotation, three times after the second"
        yield self.line(resource, Group.SECRETS, "a key of its own", how, (price, price))

    def alarm(self, resource: TemplateResource) -> Iterator[Line]:
        metrics = [one for one in resource.properties.get("Metrics", []) if "MetricStat" in one]
        count, price = len(metrics) or 1, self.prices["alarm_metric_month"]
        yield self.line(
            resource, Group.SECRETS, "an alarm", f"{count} metrics x {_usd(price)}", (count * price, count * price)
        )

    def dashboard(self, resource: TemplateResource) -> Iterator[Line]:
        price = self.prices["dashboard_month"]
        how = f"free as one of an account's first three, else {_usd(price)}"
        yield self.line(resource, Group.WATCHING, "a dashboard", how, (0, 0))

    def log_group(self, resource: TemplateResource) -> Iterator[Line]:
        services = len(self.template.services)
        if resource.owner not in self.template.services:
            return  # what AWS writes itself is with the resource it writes of
        gb, price = self.usage.request_log_gb / services, self.prices["log_ingestion_gb"]
        months = int(resource.properties.get("RetentionInDays", 30)) / 30
        kept = gb * months * self.prices["log_storage_gb_month"]
        how = f"{gb:.2g} GB x {_usd(price)}, and kept for {months * 30:g} days"
        yield self.assumed(resource, Group.WATCHING, "its logs", how, gb * price + kept)

    def cluster(self, resource: TemplateResource) -> Iterator[Line]:
        said = {one["Name"]: one["Value"] for one in resource.properties.get("ClusterSettings", [])}
        kind = said.get("containerInsights", "disabled")
        if kind == "disabled":
            return
        enhanced = kind == "enhanced"
        price = self.prices["insights_metric_month" if enhanced else "metric_month"]

        def metrics(most: bool) -> int:
            count = self.usage.metrics_per_cluster
            for name, tasks in self.template.services.items():
                each = self.usage.metrics_per_task + self.template.containers(name) * self.usage.metrics_per_container
                count += self.usage.metrics_per_service
                count += each * (tasks.maximum if most else tasks.minimum) if enhanced else 0
            return count

        low, high = metrics(most=False), metrics(most=True)
        found = self.line(
            resource,
            Group.WATCHING,
            "metrics of each task and container" if enhanced else "metrics of each service",
            f"{low} to {high} metrics x {_usd(price)}",
            (low * price, high * price),
        )
        yield replace(found, is_assumed=True)

    def web_acl(self, resource: TemplateResource) -> Iterator[Line]:
        rules, millions = len(resource.properties.get("Rules", [])), self.usage.requests_million
        base, rule = self.prices["waf_web_acl_month"], self.prices["waf_rule_month"]
        cost = base + rules * rule
        yield self.line(
            resource, Group.FIREWALL, "web ACL", f"{_usd(base)} + {rules} rules x {_usd(rule)}", (cost, cost)
        )
        million = self.prices["waf_request_million"]
        how = f"{millions:g} million requests x {_usd(million)}"
        yield self.assumed(resource, Group.FIREWALL, "what it looks at", how, millions * million)

    def bucket(self, resource: TemplateResource) -> Iterator[Line]:
        rules = resource.properties.get("LifecycleConfiguration", {}).get("Rules", [])
        months = max([rule.get("ExpirationInDays", 30) for rule in rules], default=30) / 30
        gb, price = (self.usage.flow_log_gb + self.usage.request_log_gb) * months, self.prices["s3_gb_month"]
        how = f"{gb:.2g} GB x {_usd(price)}"
        yield self.assumed(resource, Group.WATCHING, "kept logs of the traffic", how, gb * price)

    def flow_log(self, resource: TemplateResource) -> Iterator[Line]:
        # To a bucket it is half the price of a log group: remembered, and not looked up.
        gb, price = self.usage.flow_log_gb, self.prices["log_ingestion_gb"] / 2
        yield self.assumed(
            resource, Group.WATCHING, "logs of who connects to whom", f"{gb:g} GB x {_usd(price)}", gb * price
        )

    def user_pool(self, resource: TemplateResource) -> Iterator[Line]:
        price = self.prices["cognito_user_month"]
        paid = max(self.usage.users - 10_000, 0) * price
        how = f"{self.usage.users} people x {_usd(price)}; 10,000 are free"
        yield self.line(resource, Group.ENTRANCE, "sign-in", how, (paid, paid))

    def file_system(self, resource: TemplateResource) -> Iterator[Line]:
        gb, price = self.usage.efs_gb, self.prices["efs_gb_month"]
        found = self.line(resource, Group.FILES, "volumes", f"{gb:g} GB x {_usd(price)}", (gb * price, gb * price))
        yield replace(found, is_assumed=True)


_Rule = Callable[[_Rules, TemplateResource], Iterator[Line]]

_RULES: Mapping[str, _Rule] = {
    "AWS::CloudFront::Distribution": _Rules.distribution,
    "AWS::CloudWatch::Alarm": _Rules.alarm,
    "AWS::CloudWatch::Dashboard": _Rules.dashboard,
    "AWS::Cognito::UserPool": _Rules.user_pool,
    "AWS::EC2::EIP": _Rules.address,
    "AWS::EC2::FlowLog": _Rules.flow_log,
    "AWS::EC2::NatGateway": _Rules.nat_gateway,
    "AWS::EC2::VPCEndpoint": _Rules.endpoint,
    "AWS::ECS::Cluster": _Rules.cluster,
    "AWS::ECS::Service": _Rules.service,
    "AWS::EFS::FileSystem": _Rules.file_system,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _Rules.load_balancer,
    "AWS::KMS::Key": _Rules.key,
    "AWS::Logs::LogGroup": _Rules.log_group,
    "AWS::RDS::DBInstance": _Rules.database_instance,
    "AWS::S3::Bucket": _Rules.bucket,
    "AWS::Scheduler::Schedule": _Rules.schedule,
    "AWS::SecretsManager::Secret": _Rules.secret,
    "AWS::StepFunctions::StateMachine": _Rules.state_machine,
    "AWS::WAFv2::WebACL": _Rules.web_acl,
}


def _range(tasks: Tasks) -> str:
    count = str(tasks.minimum) if tasks.minimum == tasks.maximum else f"{tasks.minimum} to {tasks.maximum}"
    return f"{count} {'task' if tasks.maximum == 1 else 'tasks'}"


def _usd(price: float) -> str:
    return f"${price:.6g}"
