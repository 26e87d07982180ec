"""Whether requests can be served: the database answers, takes changes, and has the schema of this version."""

import asyncio
import logging
import time
from functools import cache

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.api import database_faults
from app.api.database import Database
from app.api.errors import DatabaseUnavailableError
from app.api.revision import Relation, current_revision, relation, sentence

NO_ANSWER = DatabaseUnavailableError.reason
SECONDS = 2  # for an answer
# A pooler such as PgBouncer refuses what it cannot pass on, or drops it without a word where it is told to. The value
# alone may be the role's own; the planner's settings of the event loop's connections would be lost all the same.
SETTINGS_ARRIVED = "SELECT source = 'client' FROM pg_settings WHERE name = 'statement_timeout'"
POOLER = (
    "The database is behind a pooler, such as PgBouncer, that does not pass on the settings of a connection. "
    "Give the address of PostgreSQL itself: the application keeps its own pool, of DATABASE_POOL_SIZE connections."
)
logger = logging.getLogger(__name__)


class Readiness:
    """Asks the database on a connection of its own: whatever is busy does not keep it waiting.

    Those who ask at the same time are told the same, so they never are more than one connection.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking: asyncio.Task[str | None] | None = None

    async def reason(self) -> str | None:
        """Return a sentence that says why requests cannot be served, or None when they can, within SECONDS."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> str | None:
        try:
            async with asyncio.timeout(SECONDS):
                state = await self._database.state()
        except TimeoutError:
            logger.warning("not ready: the database did not answer within %d s", SECONDS)
            return NO_ANSWER
        except DatabaseUnavailableError as fault:
            return fault.reason
        return schema_reason(state.revision) or state.refuses_changes


def not_ready_reason(engine: Engine) -> str | None:
    """Return a sentence that says why requests cannot be served, or None when they can."""
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql" and not connection.scalar(text(SETTINGS_ARRIVED)):
                return POOLER
            current = current_revision(connection)
    except SQLAlchemyError as error:
        if "unsupported startup parameter" in str(error):
            return POOLER
        fault = database_faults.problem_of(error)
        return fault.reason if fault else NO_ANSWER
    return schema_reason(current)


def schema_reason(current: str | None) -> str | None:
    """Return a sentence that says why a database at this revision cannot be worked with, or None when it can."""
    if current is None or relation(current) in (Relation.OLDER, Relation.FOREIGN):
        return sentence(current)
    if relation(current) is Relation.NEWER:
        _note_newer(current)
    return None


@cache  # said once, not whenever somebody asks
def _note_newer(revision: str) -> None:
    logger.warning(sentence(revision))


def wait_until_ready(engine: Engine, *, seconds: float) -> str | None:
    """Wait up to `seconds` until requests can be served; return the reason when they still cannot, else None."""
    deadline = time.monotonic() + seconds
    while (reason := not_ready_reason(engine)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return reason
