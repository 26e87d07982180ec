"""Numbers and names that the application and its deployment both have are the same, or fit each other.

Neither knows the other, so here is where they meet.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor, wait
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, create_engine, text

from app import probe
from app.api import patience
from app.api import server as api_server
from app.api.main import create_app
from app.api.settings import Settings
from app.ui import serve, settings
from app.ui.client import api_client
from app.ui.files import download
from app.ui.sign_in import middleware
from infra.compose.model import ServiceDefinition
from infra.constructs.sign_in import CALLBACK
from infra.plan import Plan, assemble
from infra.plan.connections import BESIDES_POOL, DEFAULT_POOL_SIZE, POOL_SIZE
from infra.plan.routes import EVERYTHING, listener_rules
from infra.plan.timeouts import CLOUDFRONT_KEEP_ALIVE_SECONDS, DEREGISTRATION_SECONDS, REQUEST_SECONDS
from testkit import server
from testkit.database import API_ROLE, execute, migrate
from testkit.tools import ROOT
from tests.infra.conftest import CONTEXT, Template

OPEN = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = :role")
DOCKERFILE = (ROOT / "app/Dockerfile").read_text()
LIBPQ = {"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSSLMODE", "PGSSLROOTCERT"}
GRACE = {"api": api_server.GRACE_SECONDS, "ui": serve.GRACE_SECONDS}
KEEP_ALIVE = {"api": api_server.KEEP_ALIVE_SECONDS, "ui": serve.KEEP_ALIVE_SECONDS}


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The plan of prod."""
    return assemble(ROOT / "docker-compose.yml", "prod", CONTEXT["environments"])


@pytest.fixture(params=["api", "ui"])
def service(request: pytest.FixtureRequest, plan: Plan) -> ServiceDefinition:
    """Each of the services that run for good."""
    found: ServiceDefinition = plan.project.services[request.param]
    return found


def given(service: ServiceDefinition) -> set[str]:
    """Return the names of all variables that a container has on AWS."""
    return {
        *service.environment,
        *service.database_variables,
        *service.secrets,
        *service.sign_in_variables,
    }


def test_a_process_keeps_as_many_connections_as_are_counted_for_it() -> None:
    assert Settings.model_fields[POOL_SIZE.lower()].default == DEFAULT_POOL_SIZE


def test_a_process_that_everybody_asks_at_once_opens_no_more_connections_than_are_counted(postgres_url: URL) -> None:
    execute(postgres_url, "CREATE DATABASE agreements")
    database = postgres_url.set(database="agreements")
    migrate(database)
    size = Settings.model_fields[POOL_SIZE.lower()].metadata[0].ge
    paths = ["/products/1", "/products/", "/products/export", "/products/summary", "/health/ready"] * size

    with (
        server.api(database, None, **{POOL_SIZE: str(size)}) as api,
        create_engine(database).connect() as lock,
        create_engine(database, isolation_level="AUTOCOMMIT").connect() as watcher,
        ThreadPoolExecutor(len(paths)) as everybody,
    ):
        lock.execute(text("LOCK TABLE products IN ACCESS EXCLUSIVE MODE"))  # all wait
        asked = [everybody.submit(_status, f"{api.url}{path}") for path in paths]
        counts: list[int] = []
        while wait(asked, timeout=0.05).not_done and len(counts) < 60:
            counts.append(watcher.scalar(OPEN, {"role": API_ROLE}))
        lock.rollback()

    assert 0 < max(counts) <= size + BESIDES_POOL


def test_people_who_sign_in_are_sent_where_the_ui_expects_them(prod: Template) -> None:
    client = prod.only("Cognito::UserPoolClient")
    (back,) = client["CallbackURLs"]
    public_url = prod.variables("ui")["PUBLIC_URL"]

    assert middleware.CALLBACK == CALLBACK
    assert back == {"Fn::Join": ["", [*public_url["Fn::Join"][1], CALLBACK]]}
    assert client["LogoutURLs"] == [public_url]
    # What Streamlit asks for where nothing else is said.
    assert {"openid", "email", "profile"} <= {*client["AllowedOAuthScopes"]}


def test_generated_secrets_are_as_long_as_the_application_wants_them(prod: Template) -> None:
    lengths = {
        place: secret["Properties"]["GenerateSecretString"]["PasswordLength"]
        for place, secret in prod.resources("SecretsManager::Secret").items()
        if place.startswith("Secrets/")
    }

    assert lengths.keys() == {"Secrets/service-token", "Secrets/cookie-secret"}
    assert lengths["Secrets/service-token"] >= Settings.model_fields["service_token"].metadata[0].min_length
    assert lengths["Secrets/cookie-secret"] >= settings.COOKIE_SECRET_LENGTH


def test_every_variable_that_a_container_is_given_is_one_that_it_reads(plan: Plan) -> None:
    services = plan.project.services
    read_by_api = {name.upper() for name in Settings.model_fields} | LIBPQ
    read_by_ui = {"API_URL", "LOG_FORMAT", "SERVICE_TOKEN", *settings.SIGN_IN_VARIABLES}

    assert given(services["api"]) - read_by_api == set()
    assert given(services["migrate"]) - read_by_api == set()
    assert given(services["ui"]) - read_by_ui == set()


def test_the_api_signs_in_to_the_database_as_the_role_that_migrations_make(plan: Plan) -> None:
    services = plan.project.services

    assert services["api"].database_user == services["migrate"].environment["DATABASE_API_USER"]


def test_services_listen_where_requests_are_sent(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UI_PORT", raising=False)
    api, ui = plan.project.services["api"], plan.project.services["ui"]

    assert api.ports == (Settings.model_fields["api_port"].default,)
    assert ui.ports == (settings.ui_port(),)
    assert re.findall(r"EXPOSE (\d+)", DOCKERFILE) == [str(port) for port in (*api.ports, *ui.ports)]


def test_what_is_asked_for_the_health_answers(plan: Plan, tmp_path: Path) -> None:
    api, ui = plan.project.services["api"], plan.project.services["ui"]
    assert api.public
    assert ui.public

    with server.ui("http://127.0.0.1:1", tmp_path / "ui.log") as running:
        assert _status(running.url + ui.public.health_path) == 200
    assert TestClient(create_app(Settings(database_url="sqlite://"))).get(api.public.health_path).is_success


def test_the_container_and_the_load_balancer_ask_the_same(service: ServiceDefinition) -> None:
    assert service.health_check
    assert service.public

    assert service.health_check.command[-1] == f"http://127.0.0.1:{service.ports[0]}{service.public.health_path}"


def test_a_health_check_gives_the_probe_the_time_it_takes(service: ServiceDefinition) -> None:
    assert service.health_check

    assert probe.TIMEOUT_SECONDS < service.health_check.timeout_seconds < service.health_check.interval_seconds


def test_an_api_that_waits_for_its_database_is_not_replaced_meanwhile(plan: Plan) -> None:
    check = plan.project.services["api"].health_check
    assert check

    wait = Settings.model_fields["database_wait_seconds"].default
    assert wait < check.start_period_seconds + check.retries * check.interval_seconds


def test_what_is_under_way_is_finished_before_a_stopping_container_is_killed(service: ServiceDefinition) -> None:
    assert service.stop_grace_period_seconds

    assert GRACE[service.name] < service.stop_grace_period_seconds
    assert GRACE[service.name] <= DEREGISTRATION_SECONDS


def test_a_server_never_closes_a_connection_that_whoever_is_in_front_of_it_still_uses(
    service: ServiceDefinition, prod: Template
) -> None:
    balancer = prod.only("ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"]
    (idle,) = [int(one["Value"]) for one in balancer if one["Key"] == "idle_timeout.timeout_seconds"]

    assert CLOUDFRONT_KEEP_ALIVE_SECONDS < idle < KEEP_ALIVE[service.name]
    assert idle == REQUEST_SECONDS


def test_a_page_that_nobody_clicks_on_keeps_its_connection() -> None:
    assert serve.PING_SECONDS < REQUEST_SECONDS


def test_an_answer_that_takes_long_is_not_silent_for_long() -> None:
    assert patience.SILENT_SECONDS < REQUEST_SECONDS


def test_each_gives_up_before_whoever_waits_for_it() -> None:
    connect, answer = api_client.TIMEOUT
    statement = Settings.model_fields["statement_timeout_seconds"].default

    assert statement < answer
    assert connect + answer < REQUEST_SECONDS


def test_the_certificates_of_rds_are_where_the_image_has_them(plan: Plan) -> None:
    (workdir,) = re.findall(r"WORKDIR (\S+)", DOCKERFILE)

    for name in ("api", "migrate"):
        certificates = Path(plan.project.services[name].environment["PGSSLROOTCERT"])
        assert (ROOT / certificates.relative_to(workdir)).read_text().count("BEGIN CERTIFICATE")


def test_containers_run_as_the_user_of_their_image(plan: Plan) -> None:
    (user,) = re.findall(r"USER (\S+)", DOCKERFILE)

    assert {service.user for service in plan.project.services.values()} == {user}


def test_every_address_of_the_application_leads_to_the_service_that_has_it(plan: Plan) -> None:
    paths = {name: service.public.paths for name, service in plan.project.services.items() if service.public}
    document = json.loads(json.dumps(create_app(Settings(database_url="sqlite://")).openapi()))
    of_api = {path.replace("{product_id}", "1") for path in document["paths"]} | {"/docs", "/openapi.json"}
    of_ui = {"/", "/overview", download.PATH, middleware.LOGIN, middleware.CALLBACK, middleware.LOGOUT}

    assert {path for path in of_api if _leads_to(path, paths) != "api"} == set()
    assert {path for path in of_ui if _leads_to(path, paths) != "ui"} == set()


def _leads_to(path: str, paths: dict[str, tuple[str, ...]]) -> str:
    """Return the service that the load balancer sends a path to."""
    for service, patterns in listener_rules(paths):
        if any(fnmatchcase(path, pattern) for pattern in patterns):
            return service
    return next(name for name, patterns in paths.items() if EVERYTHING in patterns)


def _status(url: str) -> int:
    try:
        with urlopen(Request(url), timeout=30) as answer:
            answer.read()
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
