"""What the database knows of imports: how far each is, and what became of it. Any process can answer from it.

Who works on an import holds a lock of PostgreSQL's in the transaction that writes the products, so an import that is
under way without one was interrupted. What an import became is written in that same transaction, by its attempt only:
nobody else's products can come with it.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, text, update

from app.api.database import transaction
from app.api.errors import ApiError, ImportCancelledError, ImportNotFoundError, ImportOverError
from app.api.models import Import, ImportChange
from app.api.problem_handlers import problem_response

LIFETIME = timedelta(hours=24)
CLEANED = 10  # expired imports that a new one removes: more than it adds, so they never pile up
NEWEST = 50  # that are listed
UNDER_WAY = ("receiving", "writing")

State = Literal["receiving", "writing", "done", "refused", "failed", "cancelled", "interrupted", "undone"]
_here: set[uuid.UUID] = set()  # where there are no such locks, one process is all there is


@dataclass(frozen=True)
class Attempt:
    """One try at an import; a later one takes over from it."""

    import_id: uuid.UUID
    number: int


def new_id(caller: str, key: str | None) -> uuid.UUID:
    """Return the id of an import; the same key of the same caller is the same import."""
    if key is None:
        return uuid.uuid4()
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{caller}\0{key}")


@contextmanager
def holding(connection: Connection, import_id: uuid.UUID) -> Iterator[bool]:
    """Hold the import as long as the connection's transaction lasts; False when somebody else does."""
    if connection.dialect.name == "postgresql":
        statement = text("SELECT pg_try_advisory_xact_lock(:key)")
        yield connection.execute(statement, {"key": _lock(import_id)}).scalar_one()
        return
    held = import_id not in _here
    _here.add(import_id)
    try:
        yield held
    finally:
        if held:
            _here.discard(import_id)


def begin(engine: Engine, import_id: uuid.UUID, caller: str, key: str | None, file_name: str | None) -> Attempt:
    """Note that an import begins, or begins again. Its caller holds it."""
    mine = Import.id == import_id
    with transaction(engine) as connection:
        _remove_expired(connection)
        if connection.execute(delete(Import).where(mine, Import.created_at < _oldest(engine.dialect.name))).rowcount:
            _forget_changes(connection, import_id)
        again = update(Import).where(mine, Import.state != "done").returning(Import.attempt)
        fresh: dict[str, Any] = {"received_bytes": 0, "rows_read": 0, "rows_written": 0, "answer": None}
        fresh |= {
            "state": "receiving",
            "file_hash": None,
            "file_name": file_name,
            "created_at": func.now(),
            "updated_at": func.now(),
        }
        number = connection.execute(again.values(attempt=Import.attempt + 1, **fresh)).scalar_one_or_none()
        if number is None:
            number = 1
            connection.execute(insert(Import).values(id=import_id, caller=caller, key=key, attempt=1, **fresh))
    return Attempt(import_id, number)


def note(connection: Connection, attempt: Attempt, **values: Any) -> None:
    """Write how far an attempt is, or what became of it.

    Raises:
        ImportCancelledError: it was cancelled, or another attempt has taken over.
    """
    mine = (Import.id == attempt.import_id) & (Import.attempt == attempt.number) & Import.state.in_(UNDER_WAY)
    if not connection.execute(update(Import).where(mine).values(updated_at=func.now(), **values)).rowcount:
        raise ImportCancelledError


def note_failure(engine: Engine, attempt: Attempt, error: ApiError, state: State) -> None:
    """Write why an attempt came to nothing, unless somebody has ended it."""
    with engine.connect() as connection:
        try:
            note(connection, attempt, state=state, answer=bytes(problem_response(error).body))
        except ImportCancelledError:
            return


def find(engine: Engine, caller: str, import_id: uuid.UUID) -> Any:
    """Return an import.

    Raises:
        ImportNotFoundError: the caller has none with this id.
    """
    for found in _read(engine, (Import.caller == caller) & (Import.id == import_id)):
        return found
    raise ImportNotFoundError


def newest(engine: Engine, caller: str, key: str | None) -> Sequence[Any]:
    """Return the caller's newest imports, or the one with a key."""
    condition = Import.caller == caller
    return _read(engine, condition if key is None else condition & (Import.key == key))


def cancel(engine: Engine, caller: str, import_id: uuid.UUID) -> Any:
    """End an import, and return it; whoever works on it notices before anything is written.

    Raises:
        ImportNotFoundError: the caller has none with this id.
        ImportOverError: it is over.
    """
    mine = (Import.caller == caller) & (Import.id == import_id)
    with engine.connect() as connection:
        values = {"state": "cancelled", "updated_at": func.now()}
        ended = connection.execute(update(Import).where(mine, Import.state.in_(UNDER_WAY)).values(values)).rowcount
    found = find(engine, caller, import_id)
    if not ended and found.state != "cancelled":
        raise ImportOverError
    return found


def _read(engine: Engine, condition: Any) -> Sequence[Any]:
    """Return imports, with "interrupted" as the state of those that nobody works on.

    They are looked at twice: one may have begun, or ended, between looking at the locks and at the table.
    """
    statement = select(Import).where(condition, Import.created_at > _oldest(engine.dialect.name))
    statement = statement.order_by(Import.created_at.desc()).limit(NEWEST)
    columns = statement.with_only_columns(*Import.__table__.columns)
    with engine.connect() as connection:
        suspects: set[Attempt] = set()
        for _look in range(2):
            held = _held(connection)
            rows = connection.execute(columns).all()
            looks_dead = {Attempt(r.id, r.attempt) for r in rows if r.state in UNDER_WAY and _lock(r.id) not in held}
            dead, suspects = suspects & looks_dead, looks_dead
            if not looks_dead:
                break
    return [_Seen(row, "interrupted" if Attempt(row.id, row.attempt) in dead else row.state) for row in rows]


class _Seen:
    """A row of the table with the state that is true now."""

    def __init__(self, row: Row[Any], state: State) -> None:
        self._row, self.state = row, state

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


def _held(connection: Connection) -> set[int]:
    """Return the locks of the imports that are being worked on."""
    if connection.dialect.name != "postgresql":
        return {_lock(import_id) for import_id in _here}
    statement = text(
        "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 "
        "AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return set(connection.execute(statement).scalars())


def _lock(import_id: uuid.UUID) -> int:
    return int.from_bytes(import_id.bytes[:8], signed=True)


def _remove_expired(connection: Connection) -> None:
    expired = select(Import.id).where(Import.created_at < _oldest(connection.dialect.name)).limit(CLEANED)
    if connection.dialect.name == "postgresql":
        expired = expired.with_for_update(skip_locked=True)
    for import_id in connection.execute(expired).scalars().all():
        _forget_changes(connection, import_id)
        connection.execute(delete(Import).where(Import.id == import_id))


def _forget_changes(connection: Connection, import_id: uuid.UUID) -> None:
    connection.execute(delete(ImportChange).where(ImportChange.import_id == import_id))


def _oldest(dialect: str) -> Any:
    if dialect == "postgresql":
        return func.now() - LIFETIME
    return func.datetime("now", f"-{LIFETIME.total_seconds():.0f} seconds")
