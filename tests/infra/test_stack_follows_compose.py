"""docker-compose.yml is the only place a container is defined: a change there is a change of the template."""

import pytest

from tests.infra.conftest import Template, Workspace, settings

LIMITS = "{resources: {limits: {cpus: '0.25', memory: 256M}}}"


def test_a_port(workspace: Workspace) -> None:
    workspace.replace(":8000", ":9000")
    template = workspace.template()
    (advertised,) = template.service("api")["ServiceConnectConfiguration"]["Services"]

    assert template.container("api")["PortMappings"][0]["ContainerPort"] == 9000
    assert template.service("api")["LoadBalancers"][0]["ContainerPort"] == 9000
    assert advertised["ClientAliases"] == [{"DnsName": "api", "Port": 9000}]
    assert {flow for flow in template.reachable() if flow[1] == "api"} == {
        ("LoadBalancer", "api", 9000),
        ("ui", "api", 9000),
    }
    assert "8000" not in str(template.body)


def test_a_variable(workspace: Workspace) -> None:
    workspace.replace("API_URL: http://api:8000\n", "API_URL: http://api:8000\n      LOCALE: pt_BR\n")

    assert {"Name": "LOCALE", "Value": "pt_BR"} in workspace.template().container("ui")["Environment"]


def test_a_variable_of_the_database(workspace: Workspace) -> None:
    workspace.replace("PGPASSWORD", "DB_PASSWORD").replace("PGHOST", "DB_HOST").replace("catalogue\n", "shop\n")
    template = workspace.template()

    assert template.secrets("migrate", "api").keys() == {"DB_PASSWORD", "PGUSER"}
    assert {"DB_HOST", "PGDATABASE", "PGPORT", "PGUSER"} <= template.variables("api").keys()
    assert template.only("RDS::DBInstance")["DBName"] == "shop"


def test_a_command_a_user_and_an_entry_point(workspace: Workspace) -> None:
    more = "--verbose]\n    entrypoint: [nice]\n    user: '7:7'\n    working_dir: /srv"
    template = workspace.replace("app.api.migrate]", f"app.api.migrate, {more}").template()
    migrate = template.container("migrate", "api")

    assert migrate["Command"] == ["python", "-m", "app.api.migrate", "--verbose"]
    assert migrate["EntryPoint"] == ["nice"]
    assert (migrate["User"], migrate["WorkingDirectory"]) == ("7:7", "/srv")


def test_a_limit(workspace: Workspace) -> None:
    template = workspace.replace('limits: {cpus: "0.5", memory: 768M}', 'limits: {cpus: "2", memory: 5G}').template()

    assert template.container("ui")["Memory"] == 5120
    assert (template.task("ui")["Cpu"], template.task("ui")["Memory"]) == ("2048", "6144")


def test_a_health_check(workspace: Workspace) -> None:
    workspace.replace("/health/live", "/alive").replace("start_period: 30s", "start_period: 100s").replace(
        "interval: 5s", "interval: 7s"
    )
    template = workspace.template()
    check = template.container("api")["HealthCheck"]
    groups = template.resources("ElasticLoadBalancingV2::TargetGroup")

    assert check["Command"][-1] == "http://127.0.0.1:8000/alive"
    assert (check["StartPeriod"], check["Interval"]) == (100, 7)
    assert groups["LoadBalancer/api"]["Properties"]["HealthCheckPath"] == "/alive"
    assert template.service("api")["HealthCheckGracePeriodSeconds"] == 160


def test_hardening_and_the_time_to_stop(workspace: Workspace) -> None:
    more = "stop_grace_period: 45s\n    ulimits: {nofile: {soft: 1024, hard: 4096}}\n    labels: {team: shop}"
    template = (
        workspace.replace("stop_grace_period: 15s", more).replace("init: true", "cap_add: [SYS_PTRACE]").template()
    )
    ui = template.container("ui")

    assert ui["StopTimeout"] == 45
    assert ui["Ulimits"] == [{"Name": "nofile", "SoftLimit": 1024, "HardLimit": 4096}]
    assert ui["DockerLabels"] == {"team": "shop"}
    assert ui["LinuxParameters"] == {
        "InitProcessEnabled": False,
        "Capabilities": {"Drop": ["ALL"], "Add": ["SYS_PTRACE"]},
    }


def test_replicas(workspace: Workspace) -> None:
    workspace.replace("    deploy:\n", "    deploy:\n      replicas: 2\n")
    workspace.replace("      autoscaling: {max_replicas: 4, cpu_percent: 60}\n", "")
    template = workspace.template("prod", settings("prod", services={"min_tasks": 1}))

    assert template.service("ui")["DesiredCount"] == 2
    (target,) = template.resources("ApplicationAutoScaling::ScalableTarget").values()
    assert (target["Properties"]["MinCapacity"], target["Properties"]["MaxCapacity"]) == (2, 4)


def test_a_target_of_the_scaling(workspace: Workspace) -> None:
    workspace.replace("requests_per_minute: 3000", "requests_per_minute: 50").replace(
        "max_replicas: 4", "max_replicas: 8"
    )
    template = workspace.template("prod")
    policies = template.resources("ApplicationAutoScaling::ScalingPolicy").values()
    targets = {policy["Properties"]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for policy in policies}
    (most,) = {
        target["Properties"]["MaxCapacity"]
        for target in template.resources("ApplicationAutoScaling::ScalableTarget").values()
    }

    assert (targets, most) == ({50, 60}, 8)


def test_stickiness(workspace: Workspace) -> None:
    template = workspace.replace("        sticky: true # a session lives in one task\n", "").template()

    assert "stickiness.type" not in str(template.resources("ElasticLoadBalancingV2::TargetGroup"))


def test_a_secret(workspace: Workspace) -> None:
    workspace.replace("SERVICE_TOKEN: service-token\n        COOKIE", "TOKEN: service-token\n        COOKIE")
    template = workspace.template()

    assert template.secrets("ui")["TOKEN"] == template.secrets("api")["SERVICE_TOKEN"] == "Secrets/service-token"


def test_a_user_of_the_database(workspace: Workspace) -> None:
    template = workspace.replace("PGUSER: catalogue_api", "PGUSER: shop_api").template()
    policy = template.resources("IAM::Policy")["api/Tasks/TaskRole/DefaultPolicy"]

    assert template.variables("api")["PGUSER"] == "shop_api"
    assert "/shop_api" in str(policy)
    assert "/catalogue_api" not in str(policy)


def test_signing_in_by_password(workspace: Workspace) -> None:
    workspace.replace("      database_sign_in: iam # as PGUSER, with a token for a password\n", "")
    template = workspace.template()

    assert {"PGUSER", "PGPASSWORD"} <= template.secrets("api").keys()
    assert not template.only("RDS::DBInstance").get("EnableIAMDatabaseAuthentication")
    assert "rds-db:connect" not in str(template.body)


def test_the_databases_version(workspace: Workspace) -> None:
    template = workspace.replace("postgres:18", "postgres:17.6-bookworm").template()

    assert template.only("RDS::DBInstance")["EngineVersion"] == "17"


def test_public_paths(workspace: Workspace) -> None:
    workspace.replace("/openapi.json]", "/openapi.json, /redoc, /v2/*]")
    rules = workspace.template().resources("ElasticLoadBalancingV2::ListenerRule")
    by_priority = {
        rule["Properties"]["Priority"]: rule["Properties"]["Conditions"][0]["PathPatternConfig"]["Values"]
        for rule in rules.values()
    }

    assert by_priority == {
        1: ["/openapi.json", "/products", "/redoc", "/docs", "/products/*"],
        2: ["/health/*", "/v2/*"],
    }


@pytest.fixture
def with_three_more(workspace: Workspace) -> Template:
    """The template with a worker, a second public service and a cache that only the worker uses."""
    return workspace.replace(
        "\nvolumes:\n",
        f"""
  worker:
    build: {{context: ., dockerfile: app/Dockerfile, target: api}}
    command: [python, -m, app.worker]
    environment: {{<<: *database-address, PGUSER: catalogue_api, PGPASSWORD: local}}
    depends_on: {{migrate: {{condition: service_completed_successfully}}, cache: {{condition: service_started}}}}
    deploy: {LIMITS}
    x-aws: {{database_sign_in: iam}}

  admin:
    image: public.ecr.aws/nginx/nginx:1.29
    ports: [8080]
    depends_on: [api]
    deploy: {LIMITS}
    x-aws: {{public: {{paths: [/admin/*, /products/admin], health_path: /admin/health}}}}

  cache:
    image: valkey/valkey:9
    expose: [6379]
    deploy: {LIMITS}

volumes:
""",
    ).template()


def test_more_services_need_no_change_but_their_own(with_three_more: Template) -> None:
    assert set(with_three_more.resources("ECS::Service")) == {"api", "ui", "worker", "admin", "cache"}
    assert set(with_three_more.resources("ElasticLoadBalancingV2::TargetGroup")) == {
        "LoadBalancer/api",
        "LoadBalancer/ui",
        "LoadBalancer/admin",
    }


def test_a_worker_without_ports_has_no_load_balancer(with_three_more: Template) -> None:
    worker = with_three_more.service("worker")

    assert not worker.get("LoadBalancers")
    assert "HealthCheckGracePeriodSeconds" not in worker
    assert "PortMappings" not in with_three_more.container("worker")
    assert with_three_more.container("worker")["DependsOn"] == [{"ContainerName": "migrate", "Condition": "SUCCESS"}]
    assert "PGPASSWORD" in with_three_more.secrets("migrate", "worker")
    assert "rds-db:connect" in str(with_three_more.resources("IAM::Policy")["worker/Tasks/TaskRole/DefaultPolicy"])
    targets = with_three_more.resources("ApplicationAutoScaling::ScalableTarget")
    bounds = targets["worker/Service/TaskCount/Target"]["Properties"]
    assert (bounds["MinCapacity"], bounds["MaxCapacity"]) == (1, 1)  # for its hours asleep
    assert "Alarms" not in worker["DeploymentConfiguration"]


def test_a_second_public_service_gets_its_paths_before_less_specific_ones(with_three_more: Template) -> None:
    rules = with_three_more.resources("ElasticLoadBalancingV2::ListenerRule")
    order = sorted(rules.values(), key=lambda rule: int(rule["Properties"]["Priority"]))
    routes = [
        (with_three_more.place(rule["Properties"]["Actions"][0]["TargetGroupArn"]), path)
        for rule in order
        for path in rule["Properties"]["Conditions"][0]["PathPatternConfig"]["Values"]
    ]

    assert routes.index(("LoadBalancer/admin", "/products/admin")) < routes.index(("LoadBalancer/api", "/products/*"))
    assert ("LoadBalancer/admin", "/admin/*") in routes


def test_only_who_depends_on_a_service_reaches_it(with_three_more: Template) -> None:
    inside = {flow for flow in with_three_more.reachable() if "/" not in flow[0] + flow[1]}

    assert inside == {
        ("LoadBalancer", "api", 8000),
        ("LoadBalancer", "ui", 8501),
        ("LoadBalancer", "admin", 8080),
        ("ui", "api", 8000),
        ("admin", "api", 8000),
        ("worker", "cache", 6379),
        ("api", "Database", 5432),
        ("worker", "Database", 5432),
    }


def test_a_service_that_speaks_no_http_is_reached_by_its_name_too(with_three_more: Template) -> None:
    (advertised,) = with_three_more.service("cache")["ServiceConnectConfiguration"]["Services"]

    assert advertised == {"PortName": "cache", "ClientAliases": [{"DnsName": "cache", "Port": 6379}]}
    assert "AppProtocol" not in with_three_more.container("cache")["PortMappings"][0]


def test_an_image_is_pulled_as_it_is_called(with_three_more: Template) -> None:
    assert with_three_more.container("cache")["Image"] == "valkey/valkey:9"
    assert with_three_more.container("admin")["Image"] == "public.ecr.aws/nginx/nginx:1.29"


def test_a_file_without_database_or_public_service_has_neither_on_aws(workspace: Workspace) -> None:
    workspace.compose_file.write_text(f"name: shop\nservices:\n  worker: {{image: 'busybox:1', deploy: {LIMITS}}}\n")
    template = workspace.template()

    assert template.reachable() == {("worker", "0.0.0.0/0", 443)}
    assert not template.resources("RDS::DBInstance")
    assert not template.resources("ElasticLoadBalancingV2::LoadBalancer")
    assert template.body.get("Outputs") is None
    assert "ServiceConnectConfiguration" not in template.service("worker")
    assert template.only("ServiceDiscovery::HttpNamespace")["Name"] == "shop-dev"


def test_where_a_task_may_connect_to_and_that_there_are_never_two_of_it(workspace: Workspace) -> None:
    limits = '      resources:\n        limits: {cpus: "0.5", memory: 768M}\n'
    workspace.replace(limits, f"      update_config: {{order: stop-first}}\n{limits}")
    scaling = "autoscaling: {max_replicas: 4, cpu_percent: 60}"
    secrets = "\n      secrets:\n        SERVICE_TOKEN: service-token"
    workspace.replace(
        f"{scaling}{secrets}\n        COOKIE", f'egress: [587, "203.0.113.0/24:5432"]{secrets}\n        COOKIE'
    )
    template = workspace.template()
    deployment = template.service("ui")["DeploymentConfiguration"]

    assert {flow[1:] for flow in template.reachable() if flow[0] == "ui"} == {
        ("0.0.0.0/0", 443),
        ("0.0.0.0/0", 587),
        ("203.0.113.0/24", 5432),
        ("api", 8000),
    }
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (0, 100)
    assert template.service("ui")["AvailabilityZoneRebalancing"] == "DISABLED"
    assert template.service("api")["DeploymentConfiguration"]["MaximumPercent"] == 200
