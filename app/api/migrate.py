"""Bring the database's schema to the newest revision: `python -m app.api.migrate`."""

import logging
import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from app.api import roles
from app.api.database import make_engine
from app.api.revision import newest_revision
from app.api.settings import InvalidSettingsError, read_settings

ADVISORY_LOCK = 7_262_683  # any number, as long as nothing else in this database locks the same one


def upgrade(engine: Engine, *, api_user: str | None = None, api_password: SecretStr | None = None) -> str:
    """Apply the migrations that are missing, give the API's role its rights, and return the revision reached.

    Several processes may call this at once: an advisory lock lets one work while the others wait, then find nothing
    left to do.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            # A migration may take longer than a request may.
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.commit()
        try:
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if api_user and engine.dialect.name == "postgresql":
                password = api_password.get_secret_value() if api_password else None
                roles.grant_api_access(connection, api_user, password)
        finally:
            connection.invalidate()  # closing the connection for good gives the lock back, whatever happened
    return newest_revision()


def alembic_config() -> Config:
    """Return Alembic's configuration, which is where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def main() -> int:
    """Wait for the database and migrate it; one sentence and exit code 1 when that fails."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = read_settings()
    except InvalidSettingsError as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    engine = make_engine(settings)
    deadline = time.monotonic() + settings.database_wait_seconds
    while True:
        try:
            revision = upgrade(engine, api_user=settings.database_api_user, api_password=settings.database_api_password)
            print(f"migrate: the schema is at revision {revision}")
        except OperationalError as error:
            if time.monotonic() < deadline:
                time.sleep(1)
                continue
            where = settings.sqlalchemy_database_url.render_as_string(hide_password=True)
            print(f"migrate: no answer from {where}: {error.orig}", file=sys.stderr)
            return 1
        return 0


if __name__ == "__main__":
    sys.exit(main())
