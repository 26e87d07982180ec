"""The stack made from docker-compose.yml as it is."""

import json
import re

import pytest

from tests.infra.conftest import ORIGIN_FACING, Template, Workspace, settings

# Actions that IAM cannot limit to a resource.
NAMED_NOWHERE = {
    "ecr:GetAuthorizationToken",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}


@pytest.fixture(params=["dev", "prod"])
def template(request: pytest.FixtureRequest) -> Template:
    """Each environment's template in turn."""
    found: Template = request.getfixturevalue(request.param)
    return found


def test_every_long_running_service_is_a_fargate_service_that_rolls_back(template: Template) -> None:
    services = template.resources("ECS::Service")

    assert set(services) == {"api", "ui"}
    for service in services.values():
        deployment = service["Properties"]["DeploymentConfiguration"]
        assert deployment["DeploymentCircuitBreaker"] == {
            "Enable": True,
            "Rollback": True,
            "ThresholdConfiguration": {"Type": "COUNT", "Value": 2},
            "ResetOnHealthyTask": False,
        }
        assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
        assert service["Properties"]["AvailabilityZoneRebalancing"] == "ENABLED"


def test_the_version_before_can_be_started_again(template: Template) -> None:
    for definition in template.resources("ECS::TaskDefinition").values():
        assert definition["UpdateReplacePolicy"] == "Retain"
        assert definition["DeletionPolicy"] == "Delete"


def test_a_deployment_is_taken_back_when_an_alarm_of_the_service_goes_off(template: Template) -> None:
    stack = template.only("ServiceDiscovery::HttpNamespace")["Name"]
    alarms = {alarm["Properties"]["AlarmName"]: alarm for alarm in template.resources("CloudWatch::Alarm").values()}

    for name in ("api", "ui"):
        names = [f"{stack}-{name}-ServerErrors", f"{stack}-{name}-UnhealthyTasks"]
        deployment = template.service(name)["DeploymentConfiguration"]
        assert deployment["Alarms"] == {"AlarmNames": names, "Enable": True, "Rollback": True}
        for alarm in (alarms[one]["Properties"] for one in names):
            assert alarm["TreatMissingData"] == "notBreaching"
            assert f"LoadBalancer{name}" in json.dumps(alarm)


def test_services_scale_on_cpu_and_the_api_on_requests_too(template: Template) -> None:
    policies = template.resources("ApplicationAutoScaling::ScalingPolicy")
    targets = {
        place.split("/")[0] + ":" + policy["PredefinedMetricSpecification"]["PredefinedMetricType"]: policy
        for place, policy in (
            (place, resource["Properties"]["TargetTrackingScalingPolicyConfiguration"])
            for place, resource in policies.items()
        )
    }

    assert {name: policy["TargetValue"] for name, policy in targets.items()} == {
        "api:ECSServiceAverageCPUUtilization": 60,
        "api:ALBRequestCountPerTarget": 3000,
        "ui:ECSServiceAverageCPUUtilization": 60,
    }
    assert all(policy["ScaleInCooldown"] > policy["ScaleOutCooldown"] for policy in targets.values())
    # A number in the service would take back what the scaling has done.
    assert not any("DesiredCount" in service["Properties"] for service in template.resources("ECS::Service").values())


def test_the_number_of_tasks_is_within_what_the_environment_allows(dev: Template, prod: Template) -> None:
    def counts(template: Template) -> set[tuple[int, int]]:
        targets = template.resources("ApplicationAutoScaling::ScalableTarget").values()
        return {(target["Properties"]["MinCapacity"], target["Properties"]["MaxCapacity"]) for target in targets}

    assert counts(dev) == {(1, 2)}
    assert counts(prod) == {(2, 4)}


def test_dev_runs_on_spot_and_prod_does_not(dev: Template, prod: Template) -> None:
    for name in ("api", "ui"):
        assert dev.service(name)["CapacityProviderStrategy"] == [{"CapacityProvider": "FARGATE_SPOT", "Weight": 100}]
        assert prod.service(name)["CapacityProviderStrategy"] == [{"CapacityProvider": "FARGATE", "Weight": 1}]
        assert "LaunchType" not in prod.service(name)
        # Another division of the tasks is a new value here, without which ECS refuses it.
        nonces = [template.service(name)["ForceNewDeployment"]["ForceNewDeploymentNonce"] for template in (dev, prod)]
        assert nonces == ["spot-100", "spot-0"]


def test_with_some_spot_the_fewest_tasks_are_never_on_it(workspace: Workspace) -> None:
    template = workspace.template("prod", settings("prod", services={"spot_percent": 60}))

    assert template.service("ui")["CapacityProviderStrategy"] == [
        {"CapacityProvider": "FARGATE", "Base": 2, "Weight": 40},
        {"CapacityProvider": "FARGATE_SPOT", "Weight": 60},
    ]


def test_a_container_is_what_the_compose_file_says(template: Template) -> None:
    api = template.container("api")

    assert template.task("api") | {"Cpu": "512", "Memory": "1024", "NetworkMode": "awsvpc"} == template.task("api")
    assert api["Essential"]
    assert api["Memory"] == 512
    assert "Command" not in api
    assert api["PortMappings"] == [{"ContainerPort": 8000, "Name": "api", "AppProtocol": "http", "Protocol": "tcp"}]
    assert api["HealthCheck"] == {
        "Command": ["CMD", "python", "-m", "app.probe", "http://127.0.0.1:8000/health/live"],
        "Interval": 5,
        "Timeout": 4,
        "Retries": 3,
        "StartPeriod": 30,
    }
    assert api["StopTimeout"] == 20
    assert api["ReadonlyRootFilesystem"]
    assert api["LinuxParameters"] == {"InitProcessEnabled": True, "Capabilities": {"Drop": ["ALL"]}}
    assert template.variables("ui")["API_URL"] == "http://api:8000"


def test_scratch_directories_are_volumes_of_the_task_alone(template: Template) -> None:
    mount = template.container("api")["MountPoints"][0]

    assert mount["ContainerPath"] == "/tmp"
    assert not mount["ReadOnly"]
    assert {"Name": mount["SourceVolume"]} in template.task("api")["Volumes"]


def test_the_migration_must_succeed_before_the_api_starts(template: Template) -> None:
    migrate, api = template.container("migrate", "api"), template.container("api")

    assert not migrate["Essential"]
    assert migrate["Command"] == ["python", "-m", "app.api.migrate"]
    assert migrate["Image"] == api["Image"]
    assert api["DependsOn"] == [{"ContainerName": "migrate", "Condition": "SUCCESS"}]
    assert migrate["StartTimeout"] == 2 * 60 * 60  # seconds that it may take


def test_layers_of_images_come_from_s3_without_the_internet(template: Template) -> None:
    (endpoint,) = template.resources("EC2::VPCEndpoint").values()
    routes = {template.place(route) for route in endpoint["Properties"]["RouteTableIds"]}

    assert endpoint["Properties"]["VpcEndpointType"] == "Gateway"
    assert endpoint["Properties"]["ServiceName"]["Fn::Join"][1][-1] == ".s3"
    subnets = "tasks" if template.resources("EC2::NatGateway") else "public"
    assert {place for place in routes if f"/{subnets}Subnet" in place}


@pytest.mark.parametrize("name", ["migrate", "api"])
def test_the_database_reaches_the_tasks_under_the_names_of_the_compose_file(template: Template, name: str) -> None:
    variables = template.variables(name, "api")

    assert template.place(variables["PGHOST"]) == "Database/Instance"
    assert (variables["PGPORT"], variables["PGDATABASE"], variables["PGSSLMODE"]) == (
        "5432",
        "catalogue",
        "verify-full",
    )


def test_the_owners_credentials_reach_the_migration_alone(template: Template) -> None:
    given = {
        (container["Name"], variable): place
        for task in ("api", "ui")
        for container in template.task(task)["ContainerDefinitions"]
        for variable, place in template.secrets(container["Name"], task).items()
        if place.startswith("Database")
    }

    assert given == {
        ("migrate", "PGUSER"): "Database/Instance/Secret/Attachment:username::",
        ("migrate", "PGPASSWORD"): "Database/Instance/Secret/Attachment:password::",
    }


def test_the_api_signs_in_to_the_database_as_itself_without_a_password(template: Template) -> None:
    policy = template.resources("IAM::Policy")["api/Tasks/TaskRole/DefaultPolicy"]["Properties"]["PolicyDocument"]
    (connect,) = [one for one in policy["Statement"] if one["Action"] == "rds-db:connect"]

    assert template.variables("api")["PGUSER"] == "catalogue_api"
    assert template.only("RDS::DBInstance")["EnableIAMDatabaseAuthentication"]
    assert {"Fn::GetAtt": [template.logical("Database/Instance"), "DbiResourceId"]} in connect["Resource"]["Fn::Join"][
        1
    ]
    assert connect["Resource"]["Fn::Join"][1][-1] == "/catalogue_api"


def test_services_share_the_secrets_that_they_name_alike(template: Template) -> None:
    assert template.secrets("api") == {"SERVICE_TOKEN": "Secrets/service-token"}
    assert template.secrets("ui") == {
        "SERVICE_TOKEN": "Secrets/service-token",
        "COOKIE_SECRET": "Secrets/cookie-secret",
        "OIDC_CLIENT_SECRET": "SignIn/ClientSecret",
    }
    for name in ("service-token", "cookie-secret"):
        made = template.resources("SecretsManager::Secret")[f"Secrets/{name}"]["Properties"]["GenerateSecretString"]
        assert made["PasswordLength"] >= 32


def test_only_these_connections_are_allowed(template: Template) -> None:
    assert template.reachable() == {
        (ORIGIN_FACING, "LoadBalancer", 80),
        ("LoadBalancer", "api", 8000),
        ("LoadBalancer", "ui", 8501),
        ("ui", "api", 8000),
        ("api", "Database", 5432),
        ("api", "0.0.0.0/0", 443),
        ("ui", "0.0.0.0/0", 443),
    }


def test_the_ui_reaches_the_api_by_its_name(template: Template) -> None:
    namespace = template.only("ServiceDiscovery::HttpNamespace")["Name"]
    api, ui = (template.service(name)["ServiceConnectConfiguration"] for name in ("api", "ui"))

    assert api["Namespace"] == ui["Namespace"] == namespace
    assert api["Services"] == [
        {
            "PortName": "api",
            "ClientAliases": [{"DnsName": "api", "Port": 8000}],
            "Timeout": {"PerRequestTimeoutSeconds": 0},
        }
    ]
    assert "Services" not in ui


def test_services_start_in_the_order_of_depends_on_and_once_they_may_connect(template: Template) -> None:
    waits = {
        name: {template.place(other) for other in service["DependsOn"]}
        for name, service in template.resources("ECS::Service").items()
    }

    assert "api" in waits["ui"]
    assert not waits["api"] & {"ui"}
    assert "LoadBalancer/Rule1" in waits["api"]  # a service is refused whose target group has no load balancer
    assert {"api/Tasks/ExecutionRole/DefaultPolicy", "api/Tasks/TaskRole/DefaultPolicy"} <= waits["api"]
    assert any(re.fullmatch("api/SecurityGroup/to .*Database.*:5432", place) for place in waits["api"])


def test_paths_lead_to_the_api_and_everything_else_to_the_ui(template: Template) -> None:
    listener, rule = (
        template.only("ElasticLoadBalancingV2::Listener"),
        template.only("ElasticLoadBalancingV2::ListenerRule"),
    )

    assert (listener["Port"], listener["Protocol"]) == (80, "HTTP")
    assert [template.place(action["TargetGroupArn"]) for action in listener["DefaultActions"]] == ["LoadBalancer/ui"]
    assert [template.place(action["TargetGroupArn"]) for action in rule["Actions"]] == ["LoadBalancer/api"]
    assert sorted(rule["Conditions"][0]["PathPatternConfig"]["Values"]) == [
        "/docs",
        "/health/*",
        "/openapi.json",
        "/products",
        "/products/*",
    ]


def test_the_load_balancer_asks_whether_tasks_are_well(template: Template) -> None:
    groups = template.resources("ElasticLoadBalancingV2::TargetGroup")
    asked = {
        place: (group["Properties"]["Port"], group["Properties"]["HealthCheckPath"]) for place, group in groups.items()
    }

    assert asked == {"LoadBalancer/api": (8000, "/health/live"), "LoadBalancer/ui": (8501, "/_stcore/health")}
    assert template.service("api")["HealthCheckGracePeriodSeconds"] == 90
    assert template.service("ui")["HealthCheckGracePeriodSeconds"] == 120


def test_the_load_balancer_drops_what_is_no_valid_header(template: Template) -> None:
    balancer = template.only("ElasticLoadBalancingV2::LoadBalancer")
    attributes = {attribute["Key"]: attribute["Value"] for attribute in balancer["LoadBalancerAttributes"]}

    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert attributes["idle_timeout.timeout_seconds"] == "60"


def test_the_databases_subnets_lead_nowhere(template: Template) -> None:
    group = template.only("RDS::DBSubnetGroup")
    subnets = {template.place(subnet).removesuffix("/Subnet") for subnet in group["SubnetIds"]}
    routed = {place.rpartition("/")[0] for place in template.resources("EC2::Route")}

    assert len(subnets) == 2
    assert not subnets & routed


def test_adding_nat_gateways_does_not_move_the_database(dev: Template, prod: Template) -> None:
    def ranges(template: Template) -> set[str]:
        subnets = template.resources("EC2::Subnet")
        return {subnet["Properties"]["CidrBlock"] for place, subnet in subnets.items() if "isolated" in place}

    assert ranges(dev) == ranges(prod)
    assert len(ranges(dev)) == 2


def test_roles_name_each_action_and_all_resources_that_have_a_name(template: Template) -> None:
    statements = [
        statement
        for policy in template.resources("IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    actions = [(action, statement["Resource"]) for statement in statements for action in listed(statement["Action"])]

    clock = {"rds:StartDBInstance", "rds:StopDBInstance"} if template.resources("Scheduler::Schedule") else set()
    assert {action for action, _ in actions} - NAMED_NOWHERE - clock == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "rds-db:connect",
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
    }
    assert {action for action, resource in actions if "*" in json.dumps(resource)} <= NAMED_NOWHERE


def test_a_task_may_read_the_secrets_that_it_names_alone(template: Template) -> None:
    def readable(name: str) -> set[str]:
        policy = template.resources("IAM::Policy")[f"{name}/Tasks/ExecutionRole/DefaultPolicy"]["Properties"]
        (statement,) = [one for one in policy["PolicyDocument"]["Statement"] if "secretsmanager" in json.dumps(one)]
        return {template.place(secret) for secret in statement["Resource"]}

    assert readable("api") == {"Database/Instance/Secret/Attachment", "Secrets/service-token"}
    assert readable("ui") == {"Secrets/service-token", "Secrets/cookie-secret", "SignIn/ClientSecret"}


def test_in_prod_an_application_itself_may_sign_in_to_the_database_and_nothing_else(prod: Template) -> None:
    roles = prod.resources("IAM::Role")

    assert {"api/Tasks/TaskRole", "ui/Tasks/TaskRole"} <= roles.keys()
    # RDS itself writes the operating system's metrics, by AWS's own policy.
    assert {
        place for place, role in roles.items() if {"ManagedPolicyArns", "Policies"} & role["Properties"].keys()
    } == {"Database/Instance/MonitoringRole"}
    assert {place.rpartition("/")[0] for place in prod.resources("IAM::Policy")} == {
        "api/Tasks/ExecutionRole",
        "api/Tasks/TaskRole",
        "ui/Tasks/ExecutionRole",
        "TunnelRole",
    }


def test_a_tasks_role_is_taken_for_tasks_of_this_account_alone(template: Template) -> None:
    trusts = {
        place: role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for place, role in template.resources("IAM::Role").items()
        if place.endswith("/TaskRole") or place == "TunnelRole"
    }

    assert {"api/Tasks/TaskRole", "ui/Tasks/TaskRole"} <= trusts.keys()
    for (statement,) in trusts.values():
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        source = json.dumps(statement["Condition"]["ArnLike"]["aws:SourceArn"])
        assert "AWS::AccountId" in source
        assert "AWS::Region" in source


def test_sessions_reach_in_prod_the_tasks_alone_that_a_tunnel_starts(dev: Template, prod: Template) -> None:
    policies = {place for place, one in prod.resources("IAM::Policy").items() if "ssmmessages" in json.dumps(one)}
    (statement,) = prod.resources("IAM::Policy")["TunnelRole/DefaultPolicy"]["Properties"]["PolicyDocument"][
        "Statement"
    ]

    assert policies == {"TunnelRole/DefaultPolicy"}
    assert {*statement["Action"]} == {one for one in NAMED_NOWHERE if one.startswith("ssmmessages:")}
    assert "TunnelRoleArn" in prod.body["Outputs"]
    assert "TunnelRole" not in json.dumps(dev.body)  # whose tasks let operators in themselves
    for definition in prod.resources("ECS::TaskDefinition").values():
        assert "TunnelRole" not in json.dumps(definition)


def test_a_shell_in_a_container_is_to_be_had_in_dev_alone(dev: Template, prod: Template) -> None:
    mounts = [mount["ContainerPath"] for mount in dev.container("ui")["MountPoints"]]

    assert dev.service("ui")["EnableExecuteCommand"]
    assert mounts == ["/tmp", "/var/lib/amazon", "/var/log/amazon"]  # where its agent has to write
    assert not prod.service("ui").get("EnableExecuteCommand")
    assert [mount["ContainerPath"] for mount in prod.container("ui")["MountPoints"]] == ["/tmp"]


def test_there_is_no_function_that_aws_runs_for_the_stack(template: Template) -> None:
    assert not template.resources("Lambda::Function")
    assert "Custom::" not in json.dumps(template.body)


def test_dev_is_cheap(dev: Template) -> None:
    database, network = dev.only("RDS::DBInstance"), dev.service("api")["NetworkConfiguration"]["AwsvpcConfiguration"]

    assert not dev.resources("EC2::NatGateway")
    assert network["AssignPublicIp"] == "ENABLED"
    assert {dev.place(subnet) for subnet in network["Subnets"]} == {
        "Network/Vpc/publicSubnet1/Subnet",
        "Network/Vpc/publicSubnet2/Subnet",
    }
    assert (database["DBInstanceClass"], database["AllocatedStorage"]) == ("db.t4g.small", "20")
    assert not database["MultiAZ"]
    assert not database["DeletionProtection"]
    assert not {kind for kind in ("WAFv2::WebACL", "EC2::FlowLog", "S3::Bucket", "KMS::Key") if dev.resources(kind)}
    assert dev.only("ECS::Cluster")["ClusterSettings"] == [{"Name": "containerInsights", "Value": "disabled"}]


def test_prod_survives_the_loss_of_a_zone_and_keeps_its_tasks_private(prod: Template) -> None:
    database, network = prod.only("RDS::DBInstance"), prod.service("api")["NetworkConfiguration"]["AwsvpcConfiguration"]

    assert len(prod.resources("EC2::NatGateway")) == 2
    assert network["AssignPublicIp"] == "DISABLED"
    assert {prod.place(subnet) for subnet in network["Subnets"]} == {
        "Network/Vpc/tasksSubnet1/Subnet",
        "Network/Vpc/tasksSubnet2/Subnet",
    }
    assert database["MultiAZ"]
    assert database["DeletionProtection"]
    assert database["BackupRetentionPeriod"] == 14
    assert prod.only("ECS::Cluster")["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enhanced"}]


def test_logs_are_kept_as_long_as_the_environment_says(dev: Template, prod: Template) -> None:
    def kept(template: Template) -> dict[str, int]:
        groups = [group["Properties"] for group in template.resources("Logs::LogGroup").values()]
        return {group["LogGroupName"]: group["RetentionInDays"] for group in groups}

    groups = {"/catalogue-dev/api", "/catalogue-dev/ui", "/aws/events/catalogue-dev/failures"}
    assert kept(dev) == dict.fromkeys(groups, 7)
    assert kept(prod) == {
        "/aws/events/catalogue-prod/failures": 90,
        "/catalogue-prod/api": 90,
        "/catalogue-prod/ui": 90,
        "/aws/rds/instance/catalogue-prod/postgresql": 90,
        "/aws/rds/instance/catalogue-prod/upgrade": 90,
        "aws-waf-logs-catalogue-prod": 90,
    }


def test_arm64_changes_the_tasks_and_their_images(workspace: Workspace, dev: Template) -> None:
    template = workspace.template("dev", settings("dev", architecture="arm64"))

    assert dev.task("ui")["RuntimePlatform"]["CpuArchitecture"] == "X86_64"
    assert template.task("ui")["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    assert workspace.image_platforms() == {"linux/arm64"}


def listed(value: str | list[str]) -> list[str]:
    """Return what may be one or several as a list."""
    return [value] if isinstance(value, str) else value
