"""How the API reaches its database: as a role with few rights, by IAM token, over TLS it verifies."""

import hmac
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import trustme
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import URL, create_engine, event, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.api.database import make_engine
from app.api.main import create_app
from app.api.migrate import upgrade
from app.api.models import MAX_ID
from app.api.readiness import not_ready_reason
from app.api.settings import Settings
from testkit.tools import ROOT

ROLE = "catalogue_api"
SSL_REQUEST = (80877103).to_bytes(4, "big")  # the code of PostgreSQL's SSLRequest message


@pytest.fixture(scope="module")
def api_role_url(postgres_url: URL) -> URL:
    """The database's URL as the API's role signs in."""
    engine = create_engine(postgres_url)
    for _ in range(2):  # again changes nothing
        upgrade(engine, api_user=ROLE, api_password=SecretStr("test-api-password"))
    engine.dispose()
    return postgres_url.set(username=ROLE)


def test_the_role_is_enough_for_every_operation(api_role_url: URL, product: dict[str, Any]) -> None:
    settings = Settings(database_url=api_role_url.render_as_string(hide_password=False))
    with TestClient(create_app(settings)) as client:
        made = client.post("/products/", json=product).json()
        assert client.get("/products/").status_code == 200
        assert client.put(f"/products/{made['id']}", json={"price": 1}).status_code == 200
        assert client.delete(f"/products/{made['id']}").status_code == 200
        assert client.get("/health/ready").status_code == 200


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE other (id int)",
        "ALTER TABLE products ADD COLUMN other int",
        "DROP TABLE products",
        "TRUNCATE products",
        "UPDATE alembic_version SET version_num = 'x'",
        "CREATE ROLE other",
    ],
)
def test_the_role_can_change_no_table_and_no_role(api_role_url: URL, statement: str) -> None:
    engine = create_engine(api_role_url)
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_on_rds_the_role_signs_in_by_iam(postgres_url: URL) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE rds_iam"))  # every RDS server has it
    upgrade(engine, api_user="by_iam")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_has_role('by_iam', 'rds_iam', 'member')"))
    engine.dispose()


class _PasswordServer(socketserver.ThreadingTCPServer):
    """Asks everybody for a password in clear text, keeps it and hangs up: what RDS does with a wrong token."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _PasswordHandler)
        self.passwords: list[str] = []


class _PasswordHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert self.request.recv(8)[4:] == SSL_REQUEST
        self.request.sendall(b"N")
        self.request.recv(4096)  # the name of user and database
        self.request.sendall(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))
        self.server.passwords.append(self.request.recv(65536)[5:-1].decode())  # type: ignore[attr-defined]


def test_a_pooler_that_refuses_the_settings_of_a_connection_is_named_at_the_start() -> None:
    class Pooler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(8)[4:] == SSL_REQUEST:
                self.request.sendall(b"N")
                self.request.recv(4096)
            fields = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
            self.request.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Pooler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        engine = make_engine(Settings(pghost="127.0.0.1", pgport=server.server_address[1], pguser=ROLE))
        assert "PgBouncer" in (not_ready_reason(engine) or "")
        server.shutdown()


def test_a_pooler_that_drops_the_settings_of_a_connection_is_named_at_the_start(postgres_url: URL) -> None:
    engine = create_engine(postgres_url)  # without them
    assert "PgBouncer" in (not_ready_reason(engine) or "")

    @event.listens_for(engine, "connect")
    def set_what_a_role_may_have(connection: Any, _record: object) -> None:
        connection.cursor().execute("SET statement_timeout = '10s'; SET timezone = utc")
        connection.cursor().execute("SET application_name = 'catalogue-api'")
        connection.commit()

    engine.dispose()
    assert "PgBouncer" in (not_ready_reason(engine) or "")
    engine.dispose()


def test_every_connection_carries_a_fresh_token_signed_for_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "TESTACCESSKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret-key")
    monkeypatch.setenv("AWS_REGION", "sa-east-1")
    with _PasswordServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        settings = Settings(pghost="127.0.0.1", pgport=port, pguser=ROLE, database_auth="iam")
        with TestClient(create_app(settings)) as client:
            for path in ("/products/", "/products/1"):  # in a thread, and in the event loop
                assert client.get(path).status_code == 503
        server.shutdown()
    assert len(server.passwords) == 2
    for password in server.passwords:
        token = urlsplit(f"https://{password}")
        query = {name: values[0] for name, values in parse_qs(token.query).items()}
        assert token.netloc == f"127.0.0.1:{port}"
        assert query["Action"] == "connect"
        assert query["DBUser"] == ROLE
        assert query["X-Amz-Expires"] == "900"
        assert "/sa-east-1/rds-db/aws4_request" in query["X-Amz-Credential"]
        assert query["X-Amz-Signature"] == _signature(token.netloc, query)


def _signature(netloc: str, query: dict[str, str]) -> str:
    """Sign the same request at the same time, as AWS does to compare."""
    canonical_query = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in sorted(query.items())
        if name != "X-Amz-Signature"
    )
    request = "\n".join(["GET", "/", canonical_query, f"host:{netloc}", "", "host", sha256(b"").hexdigest()])
    scope = query["X-Amz-Credential"].split("/", 1)[1]
    text_to_sign = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, sha256(request.encode()).hexdigest()])
    key = b"AWS4test-secret-key"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text_to_sign.encode(), "sha256").hex()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_port(authority: trustme.CA, postgres_url: URL) -> Iterator[int]:
    """A TCP port where a proxy adds TLS, as localhost, to the embedded server, whose build has none."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    class Proxy(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            assert self.request.recv(8)[4:] == SSL_REQUEST, "the client did not ask for TLS"
            self.request.sendall(b"S")
            with (
                suppress(OSError),  # a client that does not trust us hangs up
                context.wrap_socket(self.request, server_side=True) as client,
                socket.socket(socket.AF_UNIX) as server,
            ):
                server.connect(f"{postgres_url.query['host']}/.s.PGSQL.5432")
                upstream = threading.Thread(target=copy, args=(client, server), daemon=True)
                upstream.start()
                copy(server, client)
                upstream.join()  # before closing: the next connection may get the same descriptor

    with Server(("127.0.0.1", 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy.server_address[1]
        proxy.shutdown()


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this system has no IPv6")
@pytest.mark.parametrize("hosts", ["[::1]:{port}", "127.0.0.1:1,[::1]:{port}", "[::1]:1,[::1]:{port}"])
def test_the_database_may_have_an_address_of_ipv6(postgres_url: URL, hosts: str) -> None:
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        address_family = socket.AF_INET6

    class Proxy(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(f"{postgres_url.query['host']}/.s.PGSQL.5432")
                upstream = threading.Thread(target=copy, args=(self.request, server), daemon=True)
                upstream.start()
                copy(server, self.request)
                upstream.join()

    with Server(("::1", 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        address = hosts.format(port=proxy.server_address[1])
        settings = Settings(database_url=SecretStr(f"postgresql://postgres@{address}/{postgres_url.database}"))
        with TestClient(create_app(settings)) as client:
            assert client.get("/products/").status_code == 200  # on psycopg2 or on asyncpg
            assert client.get(f"/products/{MAX_ID}").status_code == 404  # on asyncpg
            assert client.get("/health/ready").status_code == 200
        proxy.shutdown()


def connect(port: int, host: str, ca: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect as the tasks on AWS do, by libpq's variables."""
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGSSLROOTCERT", str(ca))
    engine = make_engine(Settings(pghost=host, pgport=port, pguser="postgres", pgdatabase="postgres"))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        opened: Any = connection.connection.dbapi_connection
        assert opened.info.ssl_in_use
    engine.dispose()


def test_tls_is_used_and_the_server_verified(
    tls_port: int, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    connect(tls_port, "localhost", ca, monkeypatch)
    with pytest.raises(OperationalError, match="does not match host name"):
        connect(tls_port, "127.0.0.1", ca, monkeypatch)
    trustme.CA().cert_pem.write_to_path(ca)
    with pytest.raises(OperationalError, match="certificate verify failed"):
        connect(tls_port, "localhost", ca, monkeypatch)


def test_the_certificates_of_rds_are_there_and_valid_for_years() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ROOT / "app/api/rds-ca.pem")
    certificates: Any = context.get_ca_certs()
    names = {value for c in certificates for ((name, value),) in c["subject"] if name == "commonName"}
    assert {f"Amazon RDS {region} Root CA RSA2048 G1" for region in ("sa-east-1", "us-east-1")} <= names
    assert min(ssl.cert_time_to_seconds(c["notAfter"]) for c in certificates) > time.time() + 2 * 365 * 86400
