"""Migrations are the only source of the schema, and safe when several processes start at once."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from app.api.database import make_engine, transaction
from app.api.migrate import ADVISORY_LOCK, MigrationError, alembic_config, upgrade
from app.api.models import Base
from app.api.readiness import not_ready_reason
from app.api.revision import newest_revision
from app.api.settings import Settings
from testkit.database import API_ROLE, libpq, run_tool
from testkit.tools import ROOT
from tests.api.conftest import connection

functions = import_module("app.api.migrations.versions.0002_a_million_products")


@contextmanager
def new_database(server: URL) -> Iterator[URL]:
    name = f"test_{uuid.uuid4().hex}"
    with connection(server) as opened:
        opened.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield server.set(database=name)
        finally:
            opened.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def empty_database(postgres_url: URL) -> Iterator[URL]:
    with new_database(postgres_url) as database:
        yield database


def migrate(url: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": url, **variables}
    command = [sys.executable, "-m", "app.api.migrate"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@contextmanager
def at_revision(database: URL, revision: str) -> Iterator[Engine]:
    """An engine, as the migrations and the API have it, of a database that was migrated so far."""
    engine = make_engine(Settings(database_url=libpq(database)), pool_size=4)
    try:
        upgrade(engine, target=revision)
        yield engine
    finally:
        engine.dispose()


def schema(database: URL) -> str:
    """The database's schema as pg_dump writes it, without the lines that are another in every dump."""
    dump = run_tool("pg_dump", "--schema-only", "--no-privileges", libpq(database))
    return "\n".join(line for line in dump.splitlines() if "restrict" not in line)


@pytest.fixture(scope="module")
def newest_schema(postgres_url: URL) -> Iterator[str]:
    with new_database(postgres_url) as database, at_revision(database, "head"):
        yield schema(database)


def test_migrating_from_nothing_gives_exactly_the_models(empty_database: URL) -> None:
    assert migrate(libpq(empty_database)).returncode == 0
    engine = create_engine(empty_database)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_the_newest_by_name_is_the_last_one() -> None:
    assert [newest_revision()] == ScriptDirectory.from_config(alembic_config()).get_heads()


def test_several_at_once_all_succeed(empty_database: URL) -> None:
    url = libpq(empty_database)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(migrate, [url] * 4))
    assert [r.returncode for r in results] == [0] * 4, [r.stderr for r in results]
    assert all(newest_revision() in r.stdout for r in results)
    assert sum("Running upgrade" in r.stderr for r in results) == 1


# What 0002 and 0003 were when every statement of theirs was a transaction of its own: databases that were left in the
# middle of them are out there.
EARLIER = [
    "CREATE TABLE idempotency_keys (caller varchar(255) NOT NULL, key varchar(255) NOT NULL, "
    "request_hash bytea NOT NULL, answer bytea NOT NULL, created_at timestamptz DEFAULT now() NOT NULL, "
    "PRIMARY KEY (caller, key))",
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
    "CREATE TABLE products_summary (id serial CONSTRAINT products_summary_one_row CHECK (id = 1) NOT NULL, "
    "body bytea NOT NULL, computed_at timestamptz NOT NULL, seconds float NOT NULL, PRIMARY KEY (id))",
    "UPDATE products SET description = NULL WHERE description = ''",
    "ALTER TABLE products ADD COLUMN version integer DEFAULT '1' NOT NULL",
    *(function.replace(" OR REPLACE", "") for function in (functions.PLAIN, functions.WORDS, functions.SEARCH)),
    'ALTER TABLE products ALTER COLUMN categoria TYPE varchar(20) COLLATE "C", '
    'ALTER COLUMN email_fornecedor TYPE varchar(254) COLLATE "C", '
    "ADD COLUMN search tsvector GENERATED ALWAYS AS (products_search(name, description)) STORED",
    "CREATE INDEX products_by_name ON products (products_plain(name::text), id)",
    "CREATE INDEX products_by_description ON products "
    "(substr(products_plain(COALESCE(description, ''::character varying)::text), 1, 100), id)",
    *(
        f"CREATE INDEX products_by_{column} ON products ({column}, id)"
        for column in ("price", "categoria", "email_fornecedor", "created_at", "updated_at")
    ),
    "CREATE INDEX products_by_search ON products USING gin (search)",
    "UPDATE alembic_version SET version_num = '0002'",
    "CREATE INDEX products_by_categoria_and_price ON products (categoria, price, id)",
    "UPDATE alembic_version SET version_num = '0003'",
]
SOFAS = (
    "INSERT INTO products (name, description, price, categoria, email_fornecedor) VALUES "
    "('Sofás', NULL, 1, 'Móveis', 'a@example.com'), ('Mesa', '', 2, 'Móveis', 'a@example.com')"
)


@pytest.mark.parametrize("done", range(len(EARLIER) + 1))
def test_a_database_that_an_earlier_version_left_anywhere_is_finished(
    empty_database: URL, newest_schema: str, done: int
) -> None:
    with at_revision(empty_database, "0001") as engine:
        with engine.connect() as opened:
            for statement in (SOFAS, *EARLIER[:done]):
                opened.exec_driver_sql(statement)
        upgrade(engine)
        assert schema(empty_database) == newest_schema
        with engine.connect() as opened:
            found = opened.exec_driver_sql(
                "SELECT id, description FROM products WHERE search @@ to_tsquery('portuguese', 'sofá') OR id = 2"
            )
            assert sorted(found) == [(1, None), (2, None)]


def test_an_index_that_a_killed_run_left_unfinished_is_made_again(empty_database: URL, newest_schema: str) -> None:
    with at_revision(empty_database, "0004") as engine:
        with engine.connect() as opened:
            opened.exec_driver_sql("CREATE INDEX products_by_price ON products (price, id)")
            opened.exec_driver_sql(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'products_by_price'::regclass"
            )
        upgrade(engine)
        assert schema(empty_database) == newest_schema
        with engine.connect() as opened:
            assert opened.exec_driver_sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid").scalar() == 0


def test_a_migration_that_fails_has_done_nothing(empty_database: URL) -> None:
    with at_revision(empty_database, "0001") as engine:
        before = schema(empty_database)
        with engine.connect() as opened:  # in the way of a late statement of 0002
            opened.exec_driver_sql("CREATE FUNCTION products_search(text, text) RETURNS int RETURN 1")
        with pytest.raises(DBAPIError, match="cannot change return type"):
            upgrade(engine)
        with engine.connect() as opened:
            opened.exec_driver_sql("DROP FUNCTION products_search(text, text)")
        assert schema(empty_database) == before
        upgrade(engine)


def test_reads_are_answered_while_a_migration_waits_for_an_export(empty_database: URL) -> None:
    with at_revision(empty_database, "0001") as engine, ThreadPoolExecutor(1) as pool:
        with engine.connect() as opened:
            opened.exec_driver_sql(SOFAS)
        with transaction(engine) as export:
            export.exec_driver_sql("SELECT * FROM products").all()
            migration = pool.submit(upgrade, engine)
            with engine.connect() as opened:
                waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
                seen = longest = 0.0
                until = time.monotonic() + 60
                while seen < 3 and time.monotonic() < until:  # it has come and gone
                    seen += bool(opened.exec_driver_sql(waiting).scalar())
                    started = time.monotonic()
                    assert opened.exec_driver_sql("SELECT count(*) FROM products").scalar() == 2
                    longest = max(longest, time.monotonic() - started)
            assert seen >= 3
            assert longest < 3  # once the lock's own time, and more on a busy machine; not the export's
            assert not migration.done()
        assert migration.result(60) == newest_revision()


def test_a_migration_that_waits_in_vain_says_for_whom(empty_database: URL) -> None:
    with at_revision(empty_database, "0001") as engine, transaction(engine) as export:
        pid = export.exec_driver_sql("SELECT pg_backend_pid(), count(*) FROM products").scalar()
        with pytest.raises(MigrationError, match=rf"waited in vain for locks that others hold: .*process {pid} "):
            upgrade(engine, wait_seconds=1)


def test_a_migrator_waits_for_another_and_says_for_whom(empty_database: URL) -> None:
    with at_revision(empty_database, "0001") as engine, engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
        pid = other.scalar(text("SELECT pg_backend_pid()"))
        with pytest.raises(MigrationError, match=f"waited in vain for another migrator to end: process {pid} "):
            upgrade(engine, wait_seconds=1)
        other.invalidate()
        assert upgrade(engine) == newest_revision()


def test_a_schema_that_is_newer_is_left_as_it_is(empty_database: URL) -> None:
    with at_revision(empty_database, "head") as engine:
        with engine.connect() as opened:
            opened.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        result = migrate(libpq(empty_database), DATABASE_API_USER=API_ROLE)
        assert result.returncode == 0, result.stderr
        assert "the schema is at revision 9999" in result.stdout
        assert f"newer than this version's {newest_revision()}" in result.stderr
        assert not_ready_reason(engine) is None


def test_a_database_of_another_program_is_left_alone(empty_database: URL) -> None:
    with at_revision(empty_database, "head") as engine:
        with engine.connect() as opened:
            opened.exec_driver_sql("UPDATE alembic_version SET version_num = 'ae1027a6acf'")
        result = migrate(libpq(empty_database))
        assert result.returncode == 1
        assert "'ae1027a6acf', which is none of this program's numbers" in result.stderr
        assert "Traceback" not in result.stderr
        assert "none of this program's numbers" in (not_ready_reason(engine) or "")


def test_what_the_database_refuses_is_one_sentence(empty_database: URL) -> None:
    with at_revision(empty_database, "0001") as engine:
        with engine.connect() as opened:
            opened.exec_driver_sql("CREATE FUNCTION products_search(text, text) RETURNS int RETURN 1")
        result = migrate(libpq(empty_database))
        assert result.returncode == 1
        assert "the database refused: cannot change return type" in result.stderr
        assert "Traceback" not in result.stderr


def test_sqlite_is_migrated_all_or_not_at_all(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalogue.db'}"
    engine = make_engine(Settings(database_url=url))
    upgrade(engine, target="0001")
    with engine.connect() as opened:  # as an earlier version may have left it
        opened.exec_driver_sql("ALTER TABLE products ADD COLUMN version integer DEFAULT '1' NOT NULL")
        opened.exec_driver_sql(SOFAS)
        opened.exec_driver_sql(
            "CREATE TRIGGER obstacle BEFORE UPDATE ON products BEGIN SELECT RAISE(ABORT, 'in the way'); END"
        )
    with pytest.raises(DBAPIError, match="in the way"):
        upgrade(engine)
    with engine.connect() as opened:
        assert not inspect(opened).has_table("idempotency_keys")
        opened.exec_driver_sql("DROP TRIGGER obstacle")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(migrate, [url] * 4))
    assert [r.returncode for r in results] == [0] * 4, [r.stderr for r in results]
    engine.dispose()


def test_no_database_is_one_sentence_without_the_password() -> None:
    result = migrate("postgresql://user:test-password@127.0.0.1:1/catalogue", DATABASE_WAIT_SECONDS="0")
    assert result.returncode == 1
    assert "no answer from postgresql+psycopg2://user:***@127.0.0.1:1/catalogue" in result.stderr
    assert "Traceback" not in result.stderr
    assert "test-password" not in result.stderr


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://127.0.0.1:1/catalogue?user=user&password=test-password",
        "postgresql://user:test-password@127.0.0.1:1,127.0.0.1:2/catalogue?sslmode=disable&sslpassword=test-password",
    ],
)
def test_no_part_of_an_address_gives_a_password_away(url: str) -> None:
    result = migrate(url, DATABASE_WAIT_SECONDS="0")
    assert result.returncode == 1
    assert "no answer from postgresql+psycopg2://" in result.stderr
    assert "Traceback" not in result.stderr
    assert "test-password" not in result.stderr


def test_the_first_of_several_hosts_that_answers_is_migrated(empty_database: URL) -> None:
    folder = str(empty_database.query["host"])
    several = f"postgresql://postgres@127.0.0.1:1,{quote(folder, safe='')}/{empty_database.database}"
    result = migrate(f"{several}?options=-c%20work_mem%3D5MB")
    assert result.returncode == 0, result.stderr


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


def test_a_migration_may_take_longer_than_a_request(empty_database: URL) -> None:
    settings = Settings(database_url=libpq(empty_database), statement_timeout_seconds=0.2)
    engine = make_engine(settings)
    upgrade(engine, target="0004")
    with engine.connect() as opened:
        opened.exec_driver_sql(SOFAS)
        opened.exec_driver_sql(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN PERFORM pg_sleep(4); RETURN NEW; END $$"
        )
        opened.exec_driver_sql("UPDATE products SET search = NULL WHERE id = 1")
        opened.exec_driver_sql("CREATE TRIGGER slow BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION slow()")
    assert upgrade(engine) == newest_revision()
    engine.dispose()
