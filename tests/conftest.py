"""What tests share: an embedded PostgreSQL, a running API, and products to send to it."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import URL, create_engine, text

from app.embedded_postgres import embedded_postgres
from benchmarks.database import make_database
from tests.tools import ROOT

API_ROLE = "catalogue_api"


@contextmanager
def server_folder() -> Iterator[Path]:
    """A new folder for a PostgreSQL server's data.

    Not below pytest's own folder: every session of root closes that to other users, and the server runs as one.
    """
    with tempfile.TemporaryDirectory(prefix="catalogue-test-") as folder:
        yield Path(folder) / "postgres"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[URL]:
    """The URL of an empty database on an embedded PostgreSQL 18."""
    with server_folder() as folder, embedded_postgres(folder) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres_url(postgres_url: URL) -> URL:
    """The URL of a database with the newest schema, as its owner."""
    url = postgres_url.render_as_string(hide_password=False)
    environment = {**os.environ, "DATABASE_URL": url, "DATABASE_API_USER": API_ROLE}
    subprocess.run([sys.executable, "-m", "app.api.migrate"], cwd=ROOT, env=environment, check=True)
    return postgres_url


@pytest.fixture(scope="session")
def million_products_url(postgres_url: URL) -> URL:
    """The URL of a database with a million products, as its owner. It takes a minute: tests leave it as it is."""
    return make_database(postgres_url, 1_000_000)


@pytest.fixture(scope="session")
def _running_api(migrated_postgres_url: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # As the role that has no more rights than it needs, so that a missing one fails here.
    environment = {"DATABASE_URL": migrated_postgres_url.set(username=API_ROLE).render_as_string(hide_password=False)}
    log = tmp_path_factory.mktemp("api") / "api.log"
    with running([sys.executable, "-m", "app.api.main"], "API_PORT", "/health/ready", environment, log) as url:
        yield url


@pytest.fixture
def api_url(_running_api: str, migrated_postgres_url: URL) -> str:
    """The URL of a running API whose database holds no products."""
    engine = create_engine(migrated_postgres_url)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE products RESTART IDENTITY"))
    engine.dispose()
    return _running_api


@pytest.fixture
def product() -> dict[str, Any]:
    """The body of a valid create."""
    return {
        "name": "Geladeira Frost Free 375 L",
        "description": "Branca, 110 V",
        "price": 2899.9,
        "categoria": "Eletrodoméstico",
        "email_fornecedor": "vendas@fornecedor.example.com",
    }


def free_port() -> int:
    """Return a TCP port nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: list[str],
    port_variable: str,
    health_path: str,
    environment: dict[str, str],
    log: Path,
    port: int | None = None,
) -> Iterator[str]:
    """Run a server on a free port, given to it as `port_variable`; yield its URL once `health_path` answers."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    env = {**os.environ, **environment, port_variable: str(port)}
    with log.open("wb") as output, subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output) as server:
        try:
            deadline = time.monotonic() + 60
            while not _healthy(url + health_path):
                assert server.poll() is None, f"{command} ended:\n{log.read_text()}"
                assert time.monotonic() < deadline, f"{command} is not healthy:\n{log.read_text()}"
                time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            server.wait(30)


def _healthy(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False
