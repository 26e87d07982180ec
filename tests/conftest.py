"""What tests share: an embedded PostgreSQL, a running API, and products to send to it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, text

from app.embedded_postgres import embedded_postgres
from testkit import server
from testkit.database import make_database, migrate, server_folder
from testkit.leaks import refuse_secrets
from tests import needs


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    for name, meaning in needs.MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say what each test needs; with several workers what takes longest comes first, or all wait for it in the end."""
    for item in items:
        needs.mark(item)
    if hasattr(config, "workerinput"):
        items.sort(key=needs.order)


@pytest.fixture(autouse=True)
def _no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look through what the test had logged in this process; testkit.server does it for processes of their own."""
    yield
    for phase in ("setup", "call"):
        refuse_secrets("\n".join(record.getMessage() for record in caplog.get_records(phase)), {}, "the log")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[URL]:
    """The URL of an empty database on an embedded PostgreSQL 18."""
    with server_folder() as folder, embedded_postgres(folder) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres_url(postgres_url: URL) -> URL:
    """The URL of a database with the newest schema, as its owner."""
    migrate(postgres_url)
    return postgres_url


@pytest.fixture(scope="session")
def million_products_url(postgres_url: URL) -> URL:
    """The URL of a database with a million products, as its owner. It takes a minute: tests leave it as it is."""
    return make_database(postgres_url, 1_000_000)


@pytest.fixture(scope="session")
def _running_api(migrated_postgres_url: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # As the role that has no more rights than it needs, so that a missing one fails here.
    with server.api(migrated_postgres_url, tmp_path_factory.mktemp("api") / "api.log") as running:
        yield running.url


@pytest.fixture
def api_url(_running_api: str, migrated_postgres_url: URL) -> str:
    """The URL of a running API whose database holds no products."""
    engine = create_engine(migrated_postgres_url)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE products, deleted_products, product_changes RESTART IDENTITY"))
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
