"""Many products from one file: read as it arrives, checked row by row, written all at once or not at all."""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from app.api import database_faults, import_log
from app.api.database import transaction
from app.api.errors import (
    ImportChangedError,
    ImportNotFoundError,
    ImportOutcomeUnknownError,
    ImportRefusedError,
    ImportUnderWayError,
    ReusedFileKeyError,
    RowFieldError,
)
from app.api.import_log import Attempt
from app.api.import_plan import PAGES, ImportPreview, Match, Mode, Plan, create, staged_again
from app.api.import_staging import LISTED, STAGED, CheckedRows, stage
from app.api.import_undo import Undone
from app.api.problem_handlers import Problem
from app.api.product_rows import Chunks, Format, Rows, rows
from app.api.responses import PRODUCTS
from app.api.schemas import ShortText
from app.api.temporary_tables import parts_of

SECONDS = 1800  # PostgreSQL gives up on a step after this long; a slow upload is one step
NOTE_SECONDS = 1  # between two notes of how far it is
POLL_SECONDS = 0.5
COMMIT_SECONDS = 30  # PostgreSQL may take for what it has been told to keep, after its client was lost

OnError = Literal["abort", "skip"]
logger = logging.getLogger("uvicorn.error")


class Imported(BaseModel):
    """What became of the rows of a file."""

    created: int = Field(examples=[2998])
    updated: int = Field(0, description="Products that were changed", examples=[0])
    unchanged: int = Field(0, description="Rows whose product was just so already", examples=[0])
    repeated: int = Field(0, description="Rows left out: they are word for word an earlier one", examples=[0])
    left_out: int = Field(0, description="Rows that the mode leaves out", examples=[0])
    refused: int = Field(examples=[2])
    errors: list[RowFieldError] = Field(
        description=f"What is wrong with the refused rows; the first {LISTED:,} mistakes"
    )


class ImportState(BaseModel):
    """An import: how far it is, and what became of it."""

    id: uuid.UUID = Field(examples=["2f1c1b1e-6f0a-8b57-9d0c-0a5f3a2f8f11"])
    state: import_log.State = Field(
        description="receiving and writing are under way; of refused, failed, cancelled and interrupted ones nothing "
        "was written: send the file again, with the same Idempotency-Key if you like; of undone ones it was taken back",
        examples=["done"],
    )
    idempotency_key: str | None = Field(validation_alias="key", examples=["2f1c1b1e-6f0a-4b57-9d0c-0a5f3a2f8f11"])
    file_name: str | None = Field(examples=["produtos.xlsx"])
    received_bytes: int = Field(examples=[104_857])
    rows_read: int = Field(examples=[3000])
    rows_written: int = Field(description="Seen by nobody until all are", examples=[2998])
    created_at: datetime = Field(description="When it began", examples=["2026-11-01T12:30:00.123456Z"])
    updated_at: datetime = Field(examples=["2026-11-01T12:30:01.123456Z"])
    result: Imported | None = Field(description="Of one that is done")
    undone: Undone | None = Field(description="Of one that was undone", examples=[None])
    problem: Annotated[
        Problem | None, PlainSerializer(lambda problem: problem and problem.model_dump(exclude_none=True))
    ] = Field(description="Of one that was refused or failed", examples=[None])

    @classmethod
    def of(cls, row: Any) -> "ImportState":
        """Return an import as import_log has it."""
        done, undone = row.state == "done", row.state == "undone"
        return cls(
            id=row.id,
            state=row.state,
            key=row.key,
            file_name=row.file_name,
            received_bytes=row.received_bytes,
            rows_read=row.rows_read,
            rows_written=row.rows_written,
            created_at=row.created_at,
            updated_at=row.updated_at,
            result=Imported.model_validate_json(row.answer) if row.answer and done else None,
            undone=Undone.model_validate_json(row.answer) if row.answer and undone else None,
            problem=Problem.model_validate_json(row.answer) if row.answer and not (done or undone) else None,
        )


class ImportOptions(BaseModel):
    """How the rows of a file become products."""

    model_config = ConfigDict(extra="forbid")

    match: Match | None = Field(
        None,
        description="By what a row finds the product that it is about, which it changes then: its `id`; the name; or "
        "name and supplier, both whatever their case, names whatever their accents. Without it, every row is a new "
        "product",
        examples=["id"],
    )


class ImportQuery(ImportOptions):
    """How the rows of a file become products, and what is wanted of it."""

    on_error: OnError = Field("abort", description="skip: leave out the rows that are refused", examples=["skip"])
    mode: Mode = Field(
        "upsert",
        description="With `match`: create products and change others (upsert), or only the one",
        examples=["upsert"],
    )
    confirm: str | None = Field(
        None,
        max_length=64,
        description="The `confirm` of a preview: the import is done only if it still does what the preview said",
        examples=["5f1c1b1e6f0a8b579d0c0a5f3a2f8f11"],
    )
    file_name: ShortText | None = Field(
        None, description="By which people know the file again", examples=["produtos.xlsx"]
    )


class ImportRun:
    """One request's import, for a thread: received and checked, then written, all or nothing.

    `on_received` is called when all has arrived and may be written: from then on nobody has to wait for the result,
    which is in the database too.
    """

    def __init__(
        self,
        engine: Engine,
        chunks: Chunks,
        file_format: Format,
        query: ImportQuery,
        *,
        caller: str,
        key: str | None,
        on_received: Callable[[], object],
    ) -> None:
        self.id = import_log.new_id(caller, key)
        self._engine, self._source = engine, chunks
        self._caller, self._key, self._on_received = caller, key, on_received
        self._hash = hashlib.sha256()
        self._received = 0
        self._noted = 0.0
        self._attempt: Attempt | None = None
        self._may_be_written = False
        self._query = query
        skip, match = query.on_error == "skip", query.match is not None
        found = self._until_it_fails(rows(self._chunks(), file_format))
        self._rows = CheckedRows(found, all_of_them=skip or match, identified=match)

    def __call__(self) -> Imported:
        """Import, or return what the same import became.

        Raises:
            ImportRefusedError: the file is not of the format, or with `on_error` "abort" has a row that is no product;
                nothing was written. What `chunks` raises comes through, and nothing was written either.
            ReusedFileKeyError, ImportUnderWayError: the key belongs to another file, or request.
            ImportCancelledError: it was cancelled.
            ImportOutcomeUnknownError: it can only be found out later whether it was written.
        """
        try:
            imported = self._import()
        except Exception as error:
            if self._attempt is None:
                raise
            return self._settle(self._attempt, error)
        return imported or self._join()

    def _import(self) -> Imported | None:
        """Import, unless the same import was done or is being done."""
        with (
            transaction(self._engine, timeout_seconds=SECONDS) as connection,
            import_log.holding(connection, self.id) as held,
        ):
            if not held or self._is_done():
                return None
            self._attempt = import_log.begin(self._engine, self.id, self._caller, self._key, self._query.file_name)
            try:
                stage(connection, self._rows)
                imported = self._write(connection)
            except Exception as error:
                self._tell_while_held(error)
                raise
            import_log.note(
                connection,
                self._attempt,
                state="done",
                file_hash=self._hash.digest(),
                answer=imported.model_dump_json().encode(),
                **self._progress(),
                rows_written=imported.created + imported.updated,
            )
            self._may_be_written = True
        return imported

    def _is_done(self) -> bool:
        try:
            return bool(import_log.find(self._engine, self._caller, self.id).state == "done")
        except ImportNotFoundError:
            return False

    def _write(self, connection: Connection) -> Imported:
        """Write what has been staged, unless it is refused."""
        match, mode = self._query.match, self._query.mode
        plan = Plan(connection, match) if match else None
        if plan is not None:
            plan.tell(self._rows)
        found = self._rows
        if found.refused and self._query.on_error == "abort":
            raise refused(found.errors, found.refused, found.good + found.refused)
        if self._query.confirm and self._query.confirm != _fingerprint(self._hash, found, plan):
            raise ImportChangedError
        self._note(at_once=True, state="writing", file_hash=self._hash.digest())
        self._on_received()
        created = changed = 0
        for created, changed in plan.write(self.id, mode) if plan else self._create(connection):
            self._note(state="writing", file_hash=self._hash.digest(), rows_written=created + changed)
        if plan is None:
            return Imported(created=created, refused=found.refused, errors=found.errors)
        return Imported(
            created=created,
            updated=changed,
            unchanged=plan.counts["same"],
            repeated=plan.counts["repeated"],
            left_out=plan.counts["new"] + plan.counts["changed"] - created - changed,
            refused=found.refused,
            errors=found.errors,
        )

    def _create(self, connection: Connection) -> Iterator[tuple[int, int]]:
        created = 0
        for part in parts_of(connection, STAGED.name, PAGES):
            created += create(connection, self.id, STAGED, part)
            yield created, 0

    def _until_it_fails(self, found: Rows) -> Rows:
        try:
            yield from found
        except Exception as error:  # the next to know is PostgreSQL, which lets go of the import at once
            self._tell_while_held(error)
            raise

    def _chunks(self) -> Iterator[bytes]:
        for chunk in self._source:
            self._hash.update(chunk)
            self._received += len(chunk)
            self._note()
            yield chunk

    def _progress(self) -> dict[str, int]:
        return {"received_bytes": self._received, "rows_read": self._rows.good + self._rows.refused}

    def _note(self, *, at_once: bool = False, **values: Any) -> None:
        """Write how far it is, every now and then; notice that it was cancelled."""
        now = time.monotonic()
        if self._attempt is None or self._engine.dialect.name != "postgresql":  # SQLite has one writer at a time
            return
        if not at_once and now - self._noted < NOTE_SECONDS:
            return
        self._noted = now
        try:
            with self._engine.connect() as connection:
                import_log.note(connection, self._attempt, **self._progress(), **values)
        except SQLAlchemyError as error:  # the transaction notices too, where it matters
            logger.warning("an import's progress could not be written: %s", error)

    def _settle(self, attempt: Attempt, error: Exception) -> Imported:
        """Find out what became of an import that failed: the connection may have been lost after the last word."""
        if self._may_be_written:
            logger.error("an import was not confirmed: %s", error)
            try:
                found = self._end(COMMIT_SECONDS)
            except SQLAlchemyError:
                raise ImportOutcomeUnknownError(location(self.id)) from error
            if found.state == "done" and found.attempt == attempt.number:
                return Imported.model_validate_json(found.answer)
            if found.state == "writing":
                raise ImportOutcomeUnknownError(location(self.id)) from error
        self._tell(attempt, error)
        raise error

    def _tell_while_held(self, error: Exception) -> None:
        """Write why it comes to nothing, before somebody who looks takes it for interrupted."""
        if self._attempt is not None and self._engine.dialect.name == "postgresql":  # SQLite has one writer at a time
            self._tell(self._attempt, error)
            self._attempt = None

    def _tell(self, attempt: Attempt, error: Exception) -> None:
        """Write why it came to nothing."""
        told = database_faults.api_error(error)
        with suppress(SQLAlchemyError):  # then it is one that was interrupted
            import_log.note_failure(self._engine, attempt, told, "refused" if told.status == 422 else "failed")

    def _end(self, seconds: float) -> Any:
        """Return the import when nobody writes it any more, or after so many seconds."""
        until = time.monotonic() + seconds
        while (found := import_log.find(self._engine, self._caller, self.id)).state == "writing":
            if time.monotonic() > until:
                break
            time.sleep(POLL_SECONDS)
        return found

    def _join(self) -> Imported:
        """Receive a file that another request has sent, or is sending, and return what becomes of it there."""
        for chunk in self._source:
            self._hash.update(chunk)
        try:
            found = import_log.find(self._engine, self._caller, self.id)
            if found.file_hash not in (None, self._hash.digest()):
                raise ReusedFileKeyError
            if found.state == "writing":
                self._on_received()
            found = self._end(SECONDS)
        except ImportNotFoundError:  # the other is only just beginning
            raise ImportUnderWayError from None
        if found.state != "done":
            raise ImportUnderWayError
        return Imported.model_validate_json(found.answer)


def preview(engine: Engine, chunks: Chunks, file_format: Format, options: ImportOptions) -> ImportPreview:
    """Say what an import of a file would do, and write nothing; what `chunks` raises comes through.

    Raises:
        ImportRefusedError: the file is not of the format.
    """
    file_hash = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for chunk in chunks:
            file_hash.update(chunk)
            yield chunk

    match = options.match
    found = CheckedRows(rows(hashed(), file_format), all_of_them=True, identified=match is not None)
    with transaction(engine, timeout_seconds=SECONDS) as connection:
        stage(connection, found)
        if match is None:
            same, repeated, lines = staged_again(connection)
            plan, new, changes = None, found.good, []
        else:
            plan = Plan(connection, match)
            plan.tell(found)
            same, repeated, lines = plan.counts["same"], plan.counts["repeated"], plan.repeated_lines()
            new, changes = plan.counts["new"], plan.changes()
        return ImportPreview(
            new=new,
            changed=plan.counts["changed"] if plan else 0,
            same=same,
            repeated=repeated,
            refused=found.refused,
            errors=found.errors,
            changes=changes,
            repeated_lines=lines,
            confirm=_fingerprint(file_hash, found, plan),
        )


def _fingerprint(file_hash: Any, found: CheckedRows, plan: Plan | None) -> str:
    """Return what is the same as long as an import of the same file does the same."""
    if plan is not None:
        return plan.fingerprint(file_hash.digest())
    return hashlib.sha256(file_hash.digest() + b"%d" % found.good).hexdigest()[:32]


def location(import_id: uuid.UUID) -> str:
    """Return the address of an import."""
    return f"{PRODUCTS}/imports/{import_id}"


def refused(mistakes: Sequence[RowFieldError], wrong: int, rows: int) -> ImportRefusedError:
    """Return the error for a file of which so many rows are wrong."""
    detail = (
        f"{wrong} of {rows} rows are no products, so none was created. "
        "Correct them, or import the others with on_error=skip."
    )
    return ImportRefusedError(detail, refused=wrong, rows=mistakes)
