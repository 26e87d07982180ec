"""The schema's revision: the one the database is at, and the newest this version of the program has.

Without Alembic, which only `app.api.migrate` needs: loading it would make every start of the API 0.1 s longer.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

VERSIONS = Path(__file__).parent / "migrations" / "versions"


def current_revision(connection: Connection) -> str | None:
    """Return the revision the database is at, or None when no migration was ever applied."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


@cache
def newest_revision() -> str:
    """Return the newest revision there is; the migrations are numbered, by the first word of their files' names."""
    return max(path.name.partition("_")[0] for path in VERSIONS.glob("*.py"))
