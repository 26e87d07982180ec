"""What a fault of the database means to who asked: a status and a true sentence, by PostgreSQL's SQLSTATE.

503 promises that nothing was done, since clients and proxies send such a request again by themselves. A change whose
outcome nobody knows is a 500, which they leave alone.
"""

import logging
from typing import Any

import asyncpg
import psycopg2
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.api.errors import ApiError, DatabaseUnavailableError, UnexpectedError, UnknownOutcomeError
from app.api.prepared import LostConnectionError, NoConnectionError

# psycopg2's own: what SQLAlchemy asks of a connection besides statements, such as another isolation level.
FAULTS = (
    *(NoConnectionError, LostConnectionError, PoolTimeoutError),
    *(DBAPIError, psycopg2.Error, asyncpg.PostgresError),
)
DISK_FULL = "53100"
READ_ONLY = "25006"
OF_VALUES = ("22", "23")  # the classes of what is wrong with data, or against a constraint
# https://www.postgresql.org/docs/current/errcodes-appendix.html; a class is its first two characters.
REASONS = {
    "08": "The database does not answer at the moment.",
    READ_ONLY: "The database takes no changes at the moment: it is read-only, as it is while it fails over.",
    "28": "The database does not let the application in: its user or password is not accepted. "
    "Somebody who runs it has to look at that.",
    "3D": "The database does not exist on its server. Somebody who runs the application has to look at that.",
    "40": "Another change came in between, so nothing was done.",
    "53": "The database does not have the means for this at the moment, so nothing was done.",
    DISK_FULL: "The database's disk is full, so nothing was changed. Products can be read, but not changed until "
    "somebody makes room.",
    "53200": "The database is short of memory, so nothing was done.",
    "53300": "The database takes no more connections at the moment.",
    "55P03": "Another change holds what this one needs, so nothing was done.",
    "57": "The database does not answer at the moment: it is stopping or starting.",
    "57014": "The database does not get this done in time, so it was given up and nothing was changed.",
    "58": "The database cannot read or write its own files. Somebody who runs it has to look at that.",
}
Problem = DatabaseUnavailableError | UnknownOutcomeError
logger = logging.getLogger(__name__)


def problem_of(error: Exception, *, changes: bool = False) -> Problem | None:
    """Return the problem to answer with, or None when it is no fault of the database's but of ours.

    `changes` says whether the statement would have changed something.
    """
    state = sqlstate(error)
    if _is_lost(error) and changes:
        problem: Problem = UnknownOutcomeError()
    elif state is None:
        if isinstance(error, DBAPIError | psycopg2.Error) and not _is_of_the_connection(error):
            return None
        problem = DatabaseUnavailableError()
    else:
        reason = REASONS.get(state) or REASONS.get(state[:2])
        if reason is None:
            return None
        problem = DatabaseUnavailableError(reason)
    logger.error("%s (%s: %s)", problem.reason, state or type(error).__name__, _words(error))
    return problem


def api_error(error: Exception) -> ApiError:
    """Return what to answer with to an error that no handler will see: the database's fault, or ours."""
    return error if isinstance(error, ApiError) else problem_of(error) or UnexpectedError()


def sqlstate(error: Exception) -> str | None:
    """Return PostgreSQL's code for what happened, where the server said it."""
    cause = error.__cause__ if _is_lost(error) else _cause(error)
    state: str | None = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return state


def leave_out_values(error: Exception) -> None:
    """Take out of an error's words the row that PostgreSQL refused: its detail has a whole product, for every log."""
    cause: Any = _cause(error)
    if (sqlstate(error) or "")[:2] not in OF_VALUES:
        return
    if isinstance(cause, asyncpg.PostgresError):
        cause.detail = None
    elif isinstance(cause, psycopg2.Error):
        cause.args = (cause.diag.message_primary,)
        error.args = cause.args  # SQLAlchemy's has a copy


def _is_lost(error: Exception) -> bool:
    return isinstance(error, LostConnectionError)


def _is_of_the_connection(error: DBAPIError | psycopg2.Error) -> bool:
    """Say whether a connection was refused, or ended without a word."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return type(_cause(error)).__name__ in ("OperationalError", "InterfaceError")


def _words(error: Exception) -> str:
    return " ".join(str(_cause(error)).split())


def _cause(error: Exception) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error
