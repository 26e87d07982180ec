"""Bring the database's schema to the newest revision: `python -m app.api.migrate`.

One transaction per migration, so that one that is interrupted has done nothing; what cannot be in a transaction is a
migration of its own that can be run again (see migrations/online.py).
"""

import logging
import logging.config
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from psycopg2 import errorcodes
from pydantic import SecretStr
from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.api import deadlines, logs, roles
from app.api.database import make_engine, transaction
from app.api.revision import Relation, current_revision, relation, sentence
from app.api.settings import InvalidSettingsError, Settings, read_settings

ADVISORY_LOCK = 7_262_683  # any number, as long as nothing else in this database locks the same one
WAIT_SECONDS = 1800.0  # for other migrators and for locks on tables; imports and exports end within it
LOCK_MILLISECONDS = 300  # who waits for a lock makes everybody behind wait too: so short, and again after a pause
PAUSE_SECONDS = 1.0
SAY_SECONDS = 30.0  # between two lines of the log that say what is waited for
RECONNECTIONS = 5
STATEMENT_SECONDS = 6 * 3600  # for the index of a very large table
# For the session: a migration may take longer than a request may; the server notices within seconds when we are gone.
SESSION = {
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "transaction_timeout": "0",
    "lock_timeout": f"{LOCK_MILLISECONDS}ms",
    "client_connection_check_interval": "2s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# What another session's work has caused and a moment may cure; nothing was done.
PASSING = {errorcodes.LOCK_NOT_AVAILABLE, errorcodes.DEADLOCK_DETECTED}
CONCURRENTLY_UPDATED = "tuple concurrently updated"  # an internal error of PostgreSQL's, without a code of its own
HOLDERS = text(
    "SELECT string_agg(DISTINCT format('process %s (%s, since %s)', a.pid, coalesce(nullif(a.application_name, ''), "
    "a.usename), to_char(coalesce(a.xact_start, a.backend_start), 'HH24:MI:SS')), ', ') "
    "FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.granted AND a.pid <> pg_backend_pid() AND "
    "((l.locktype = 'advisory' AND l.objid = :key AND :for_turn) OR (NOT :for_turn AND a.datname = current_database() "
    "AND l.relation IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')))"
)
VACUUMED = text(
    "SELECT DISTINCT l.relation::regclass::text FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE a.backend_type = 'autovacuum worker' AND a.datname = current_database() "
    "AND l.mode = 'ShareUpdateExclusiveLock' AND l.relation IN (SELECT oid FROM pg_class WHERE relkind = 'r')"
)
logger = logging.getLogger("migrate")


class MigrationError(Exception):
    """The schema could not be brought to the newest revision; the message says why and what to do."""


def upgrade(
    engine: Engine,
    *,
    api_user: str | None = None,
    api_password: SecretStr | None = None,
    target: str = "head",
    wait_seconds: float = WAIT_SECONDS,
) -> str:
    """Apply the migrations that are missing, give the API's role its rights, and return the revision reached.

    Several processes may call this at once: one works while the others wait, then find nothing left to do. A schema
    that is newer than this version stays as it is.

    Raises:
        MigrationError: the database is another program's, or what is waited for did not end in `wait_seconds`.
        sqlalchemy.exc.DBAPIError: the database failed. No migration is half done: running this again continues.
    """
    with _alone(engine, wait_seconds) as (connection, until_done):
        until_done(lambda: _apply(connection, target))
        if api_user and engine.dialect.name == "postgresql":
            password = api_password.get_secret_value() if api_password else None
            until_done(lambda: roles.grant_api_access(connection, api_user, password))
        return current_revision(connection) or "none"


def alembic_config() -> Config:
    """Return Alembic's configuration, which is where the migrations are."""
    config = Config()
    migrations = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", migrations.replace("%", "%%"))  # which is a sign of configparser's
    return config


def _apply(connection: Connection, target: str) -> None:
    current = current_revision(connection)
    if current is not None and relation(current) is not Relation.OLDER:
        if relation(current) is Relation.FOREIGN:
            raise MigrationError(sentence(current))
        if relation(current) is Relation.NEWER:
            logger.warning(sentence(current))
        return
    if connection.dialect.name == "postgresql":
        connection.commit()  # else Alembic would take the transaction for its caller's, and all migrations into it
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, target)


@contextmanager
def _alone(engine: Engine, wait_seconds: float) -> Iterator[tuple[Connection, Callable[[Callable[[], Any]], None]]]:
    """Open a connection while no other migrator works, and yield it with what tries work until others let it be done.

    The lock is the session's that does the work: where a killed migrator's statement still runs, it is still held.
    """
    deadline = time.monotonic() + wait_seconds
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":  # whose migrations are one transaction, and that is its lock
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection, lambda work: work()
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            return
        connection.execution_options(isolation_level="READ COMMITTED")
        driver = connection.connection.dbapi_connection
        if isinstance(driver, deadlines.DeadlineConnection):
            driver.deadline_seconds = STATEMENT_SECONDS + deadlines.GRACE_SECONDS
        try:
            for name, value in SESSION.items():
                connection.execute(text("SELECT set_config(:name, :value, false)"), {"name": name, "value": value})
            connection.commit()
            _take_turn(connection, deadline)
            yield connection, lambda work: _until_done(connection, work, deadline)
        finally:
            connection.invalidate()  # closing the connection for good gives the lock back, whatever happened


def _take_turn(connection: Connection, deadline: float) -> None:
    # Asked for again and again: waiting in a statement would hold a snapshot, which the other migrator's CREATE INDEX
    # CONCURRENTLY waits for.
    said = 0.0
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCK}):
        said = _wait(connection, deadline, said, "another migrator to end", for_turn=True)
    connection.commit()


def _until_done(connection: Connection, work: Callable[[], Any], deadline: float) -> None:
    said = 0.0
    while True:
        try:
            work()
        except DBAPIError as error:
            if not _passes(error):
                raise
            connection.rollback()
            _interrupt_autovacuum(connection)
            said = _wait(connection, deadline, said, "locks that others hold")
        else:
            connection.commit()
            return


def _interrupt_autovacuum(connection: Connection) -> None:
    """Have the server end the vacuuming of tables, which it does for who waits for longer than `deadlock_timeout`.

    This lock keeps nobody from reading or writing, so that it can be waited for; the migration's own cannot.
    """
    for table in connection.scalars(VACUUMED).all():
        try:
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            connection.execute(text(f"LOCK TABLE ONLY {table} IN SHARE UPDATE EXCLUSIVE MODE"))
        except DBAPIError as error:
            if not _passes(error):
                raise
        connection.rollback()


def _wait(connection: Connection, deadline: float, said: float, what: str, *, for_turn: bool = False) -> float:
    """Pause; now and then say what for. Return when that was said last."""
    now = time.monotonic()
    holders = "a session that has ended"
    if now >= min(deadline, said + SAY_SECONDS):
        holders = connection.scalar(HOLDERS, {"key": ADVISORY_LOCK, "for_turn": for_turn}) or holders
    connection.commit()  # a snapshot that is kept would be waited for
    if now >= deadline:
        raise MigrationError(
            f"waited in vain for {what}: {holders}. What was done stays done, and nothing is half done: end that "
            "session, or let it end, and run this again."
        )
    if now >= said + SAY_SECONDS:
        logger.info("waiting for %s: %s", what, holders)
        said = now
    time.sleep(min(PAUSE_SECONDS, max(0.0, deadline - now)))
    return said


def _passes(error: DBAPIError) -> bool:
    return getattr(error.orig, "pgcode", None) in PASSING or CONCURRENTLY_UPDATED in str(error.orig)


def main() -> int:
    """Wait for the database and migrate it; one sentence and exit code 1 when that fails."""
    try:
        settings = read_settings()
    except InvalidSettingsError as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    if settings.log_format == "json":
        logging.config.dictConfig(logs.config("json", "migrate"))
    else:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        revision = _migrate(settings)
    except MigrationError as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    print(f"migrate: the schema is at revision {revision}")
    return 0


def _migrate(settings: Settings) -> str:
    engine = make_engine(settings, pool_size=2)
    for remaining in range(RECONNECTIONS, -1, -1):
        _wait_for_database(engine, settings)
        _refuse_shared_sessions(engine)
        try:
            return upgrade(engine, api_user=settings.database_api_user, api_password=settings.database_api_password)
        except DBAPIError as error:
            if not error.connection_invalidated or not remaining:
                raise MigrationError(
                    f"the database refused: {_in_one_line(error)}. No migration is half done: mend that, and run this "
                    "again."
                ) from None
            logger.info("the connection broke, and the migration continues: %s", _in_one_line(error))
    raise AssertionError


def _wait_for_database(engine: Engine, settings: Settings) -> None:
    deadline = time.monotonic() + settings.database_wait_seconds
    while True:
        try:
            with engine.connect():
                return
        except DBAPIError as error:
            if time.monotonic() >= deadline:
                where = _without_passwords(settings.sqlalchemy_database_url)
                raise MigrationError(f"no answer from {where}: {_in_one_line(error)}") from None
            time.sleep(1)


def _refuse_shared_sessions(engine: Engine) -> None:
    """Refuse a pooler that gives a session to somebody else after each transaction: locks and SET are a session's."""
    if engine.dialect.name != "postgresql":
        return
    process = text("SELECT pg_backend_pid()")
    with engine.connect() as connection:
        pid = connection.scalar(process)
        driver: Any = connection.connection.dbapi_connection
        if driver.info.backend_pid == pid:  # what the server itself said when the connection was opened
            return
        with transaction(engine) as other:  # is given the session that was used last, if it was given up
            shared = other.scalar(process) == pid or connection.scalar(process) != pid
    if shared:
        raise MigrationError(
            "a pooler that shares sessions between transactions (PgBouncer's pool_mode transaction or statement) is in "
            "front of the database, and migrations need a session of their own. Give `migrate` the address of "
            "PostgreSQL itself, in its PGHOST and PGPORT or its DATABASE_URL; the API may keep the pooler's."
        )


def _without_passwords(url: URL) -> str:
    hidden = {name: "***" for name in url.query if "password" in name}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def _in_one_line(error: DBAPIError) -> str:
    return "; ".join(line.strip() for line in str(error.orig).splitlines() if line.strip()).rstrip(".")


if __name__ == "__main__":
    sys.exit(main())
