"""Migrations are the only source of the schema, and safe when several processes start at once."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine, text

from app.api.migrate import alembic_config
from app.api.models import Base
from app.api.revision import newest_revision
from testkit.tools import ROOT


@pytest.fixture
def empty_database(postgres_url: URL) -> Iterator[URL]:
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield postgres_url.set(database=name)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def migrate(url: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": url, **variables}
    command = [sys.executable, "-m", "app.api.migrate"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_migrating_from_nothing_gives_exactly_the_models(empty_database: URL) -> None:
    assert migrate(empty_database.render_as_string(hide_password=False)).returncode == 0
    engine = create_engine(empty_database)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_the_newest_by_name_is_the_last_one() -> None:
    assert [newest_revision()] == ScriptDirectory.from_config(alembic_config()).get_heads()


def test_several_at_once_all_succeed(empty_database: URL) -> None:
    url = empty_database.render_as_string(hide_password=False)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(migrate, [url] * 4))
    assert [r.returncode for r in results] == [0] * 4, [r.stderr for r in results]
    assert all(newest_revision() in r.stdout for r in results)
    assert sum("Running upgrade" in r.stderr for r in results) == 1


def test_no_database_is_one_sentence_without_the_password() -> None:
    result = migrate("postgresql://user:test-password@127.0.0.1:1/catalogue", DATABASE_WAIT_SECONDS="0")
    assert result.returncode == 1
    assert "no answer from postgresql+psycopg2://user:***@127.0.0.1:1/catalogue" in result.stderr
    assert "Traceback" not in result.stderr
    assert "test-password" not in result.stderr


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("not a url", "DATABASE_URL: not a URL"),
        ("mysql://localhost/x", "DATABASE_URL: no driver 'mysql'"),
        ("postgresql+asyncpg://localhost/x", "DATABASE_URL: no driver 'postgresql+asyncpg'"),
    ],
)
def test_a_wrong_database_url_is_one_sentence(url: str, says: str) -> None:
    result = migrate(url)
    assert result.returncode == 1
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_every_wrong_setting_is_named_at_once() -> None:
    result = migrate("", PGPORT="x", DATABASE_POOL_SIZE="0")
    assert result.returncode == 1
    assert "PGPORT" in result.stderr
    assert "DATABASE_POOL_SIZE" in result.stderr
