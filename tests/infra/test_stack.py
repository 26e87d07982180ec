"""The stack made from docker-compose.yml as it is."""

import json
import re

import pytest

from tests.infra.conftest import CONTEXT, Template, Workspace


@pytest.fixture(params=["dev", "prod"])
def template(request: pytest.FixtureRequest) -> Template:
    """Each environment's template in turn."""
    found: Template = request.getfixturevalue(request.param)
    return found


def test_every_long_running_service_is_a_fargate_service_that_rolls_back(template: Template) -> None:
    services = template.resources("ECS::Service")

    assert set(services) == {"api", "ui"}
    for service in services.values():
        assert service["Properties"]["LaunchType"] == "FARGATE"
        assert service["Properties"]["DesiredCount"] == 1
        assert service["Properties"]["DeploymentConfiguration"] == {
            "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
            "MinimumHealthyPercent": 100,
            "MaximumPercent": 200,
        }


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
    assert api["StopTimeout"] == 30
    assert api["ReadonlyRootFilesystem"]
    assert api["LinuxParameters"] == {"InitProcessEnabled": True, "Capabilities": {"Drop": ["ALL"]}}
    assert template.container("ui")["Environment"] == [{"Name": "API_URL", "Value": "http://api:8000"}]


def test_scratch_directories_are_volumes_of_the_task_alone(template: Template) -> None:
    (mount,) = template.container("api")["MountPoints"]

    assert mount["ContainerPath"] == "/tmp"
    assert not mount["ReadOnly"]
    assert {"Name": mount["SourceVolume"]} in template.task("api")["Volumes"]


def test_the_migration_must_succeed_before_the_api_starts(template: Template) -> None:
    migrate, api = template.container("migrate", "api"), template.container("api")

    assert not migrate["Essential"]
    assert migrate["Command"] == ["python", "-m", "app.api.migrate"]
    assert migrate["Image"] == api["Image"]
    assert api["DependsOn"] == [{"ContainerName": "migrate", "Condition": "SUCCESS"}]


@pytest.mark.parametrize("name", ["migrate", "api"])
def test_the_database_reaches_the_tasks_under_the_names_of_the_compose_file(template: Template, name: str) -> None:
    container = template.container(name, "api")
    plain = {variable["Name"]: variable["Value"] for variable in container["Environment"]}
    secret = {variable["Name"]: variable["ValueFrom"]["Fn::Join"][1] for variable in container["Secrets"]}

    assert template.place(plain.pop("PGHOST")) == "Database/Instance"
    assert plain == {"PGPORT": "5432", "PGDATABASE": "catalogue"}
    assert {variable: (template.place(parts[0]), parts[1]) for variable, parts in secret.items()} == {
        "PGUSER": ("Database/Instance/Secret/Attachment", ":username::"),
        "PGPASSWORD": ("Database/Instance/Secret/Attachment", ":password::"),
    }


def test_only_these_connections_are_allowed(template: Template) -> None:
    assert template.reachable() == {
        ("0.0.0.0/0", "LoadBalancer", 80),
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
            "Timeout": {"PerRequestTimeoutSeconds": 60},
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
    assert "api/Tasks/ExecutionRole/DefaultPolicy" in waits["api"]
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

    assert balancer["Scheme"] == "internet-facing"
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert attributes["idle_timeout.timeout_seconds"] == "60"


def test_the_public_url_is_an_output(template: Template) -> None:
    scheme, host = template.body["Outputs"]["PublicUrl"]["Value"]["Fn::Join"][1]

    assert scheme == "http://"
    assert template.place(host) == "LoadBalancer/LoadBalancer"


def test_the_database_is_private_encrypted_and_leaves_a_snapshot(template: Template) -> None:
    (resource,) = template.resources("RDS::DBInstance").values()
    database = resource["Properties"]

    assert (database["Engine"], database["EngineVersion"]) == ("postgres", "18")
    assert (database["DBName"], database["MasterUsername"]) == ("catalogue", "catalogue")
    assert not database["PubliclyAccessible"]
    assert database["StorageEncrypted"]
    assert database["StorageType"] == "gp3"
    assert "{{resolve:secretsmanager:" in json.dumps(database["MasterUserPassword"])
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Snapshot"


def test_the_databases_subnets_lead_nowhere(template: Template) -> None:
    group = template.only("RDS::DBSubnetGroup")
    subnets = {template.place(subnet).removesuffix("/Subnet") for subnet in group["SubnetIds"]}
    routed = {place.rpartition("/")[0] for place in template.resources("EC2::Route")}

    assert len(subnets) == 2
    assert not subnets & routed


def test_adding_nat_gateways_does_not_move_the_database(dev: Template, prod: Template) -> None:
    def ranges(template: Template) -> set[str]:
        subnets = template.resources("EC2::Subnet")
        return {subnet["Properties"]["CidrBlock"] for place, subnet in subnets.items() if "database" in place}

    assert ranges(dev) == ranges(prod)
    assert len(ranges(dev)) == 2


def test_roles_name_each_action_and_all_resources_that_have_a_name(template: Template) -> None:
    statements = [
        statement
        for policy in template.resources("IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    actions = [(action, statement["Resource"]) for statement in statements for action in listed(statement["Action"])]

    assert {action for action, _ in actions} == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:GetAuthorizationToken",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
    }
    # The one action here that IAM cannot limit to a resource.
    assert {action for action, resource in actions if "*" in json.dumps(resource)} == {"ecr:GetAuthorizationToken"}


def test_only_a_task_that_uses_the_database_may_read_its_secret(template: Template) -> None:
    policies = template.resources("IAM::Policy")

    assert {place for place, policy in policies.items() if "secretsmanager" in json.dumps(policy)} == {
        "api/Tasks/ExecutionRole/DefaultPolicy"
    }


def test_an_application_itself_has_no_rights(template: Template) -> None:
    roles = template.resources("IAM::Role")

    assert {"api/Tasks/TaskRole", "ui/Tasks/TaskRole"} <= roles.keys()
    assert not any(
        "ManagedPolicyArns" in role["Properties"] or "Policies" in role["Properties"] for role in roles.values()
    )
    assert {place.rpartition("/")[0] for place in template.resources("IAM::Policy")} == {
        "api/Tasks/ExecutionRole",
        "ui/Tasks/ExecutionRole",
    }


def test_dev_is_cheap(dev: Template) -> None:
    database, network = dev.only("RDS::DBInstance"), dev.service("api")["NetworkConfiguration"]["AwsvpcConfiguration"]

    assert not dev.resources("EC2::NatGateway")
    assert network["AssignPublicIp"] == "ENABLED"
    assert {dev.place(subnet) for subnet in network["Subnets"]} == {
        "Network/Vpc/publicSubnet1/Subnet",
        "Network/Vpc/publicSubnet2/Subnet",
    }
    assert (database["DBInstanceClass"], database["AllocatedStorage"]) == ("db.t4g.micro", "20")
    assert not database["MultiAZ"]
    assert not database["DeletionProtection"]
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

    assert kept(dev) == {"/catalogue-dev/api": 7, "/catalogue-dev/ui": 7}
    assert kept(prod) == {"/catalogue-prod/api": 90, "/catalogue-prod/ui": 90}


def test_the_load_balancer_answers_the_allowed_ranges_alone(workspace: Workspace) -> None:
    public = {"open_to_the_internet": False, "allowed_cidrs": ["203.0.113.0/24", "198.51.100.7/32"]}
    template = workspace.template(settings={**CONTEXT["environments"]["dev"], "public": public})

    assert {flow for flow in template.reachable() if flow[1] == "LoadBalancer"} == {
        ("203.0.113.0/24", "LoadBalancer", 80),
        ("198.51.100.7/32", "LoadBalancer", 80),
    }


def test_arm64_changes_the_tasks_and_their_images(workspace: Workspace, dev: Template) -> None:
    template = workspace.template(settings={**CONTEXT["environments"]["dev"], "architecture": "arm64"})

    assert dev.task("ui")["RuntimePlatform"]["CpuArchitecture"] == "X86_64"
    assert template.task("ui")["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    assert workspace.image_platforms() == {"linux/arm64"}


def listed(value: str | list[str]) -> list[str]:
    """Return what may be one or several as a list."""
    return [value] if isinstance(value, str) else value
