"""The schema's revision: the one the database is at, and the newest this version of the program has.

Without Alembic, which only `app.api.migrate` needs: loading it would make every start of the API 0.1 s longer.
"""

import re
from enum import Enum, auto
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

VERSIONS = Path(__file__).parent / "migrations" / "versions"
NUMBER = re.compile(r"\d{4}")


class Relation(Enum):
    """What a revision is to the newest of this version of the program."""

    OLDER = auto()
    SAME = auto()
    NEWER = auto()  # a later version's: this one is on its way out, or back in its place
    FOREIGN = auto()  # not one of this program's numbers


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


def relation(revision: str) -> Relation:
    """Say what a database's revision is to this version; the migrations are numbered, so a higher one is newer."""
    if not NUMBER.fullmatch(revision):
        return Relation.FOREIGN
    newest = newest_revision()
    return Relation.SAME if revision == newest else Relation.NEWER if revision > newest else Relation.OLDER


def sentence(revision: str | None) -> str:
    """Say in a sentence what a database at this revision, which is not the newest, means for this version."""
    newest = newest_revision()
    match relation(revision) if revision else Relation.OLDER:
        case Relation.NEWER:
            return (
                f"The database schema is at revision {revision}, newer than this version's {newest}: it is left as it "
                "is and used, which a migration promises to the version before it."
            )
        case Relation.FOREIGN:
            return (
                f"The database schema is at revision {revision!r}, which is none of this program's numbers: "
                "the database seems to be another program's; look at DATABASE_URL or PGDATABASE."
            )
        case _:
            return f"The database schema is at revision {revision or 'none'}, not {newest}: run the migrations."
