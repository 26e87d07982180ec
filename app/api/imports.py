"""Many products from one file: read as it arrives, checked row by row, written all at once or not at all."""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

import psycopg2
from pydantic import BaseModel, Field, PlainSerializer, ValidationError
from sqlalchemy import Connection, Engine, insert, text
from sqlalchemy.exc import SQLAlchemyError

from app.api import database_faults, import_log
from app.api.database import transaction
from app.api.errors import (
    ApiError,
    FieldError,
    ImportNotFoundError,
    ImportOutcomeUnknownError,
    ImportRefusedError,
    ImportUnderWayError,
    ReusedFileKeyError,
    RowFieldError,
    UnexpectedError,
    field_error,
)
from app.api.import_log import Attempt
from app.api.models import Product
from app.api.problem_handlers import Problem
from app.api.product_rows import FIELDS, LONGEST_NAME, Chunks, Format, RowError, Rows, rows
from app.api.responses import PRODUCTS
from app.api.schemas import ProductCreate

LISTED = 1000  # refused rows that are told one by one; the others are counted
SECONDS = 1800  # PostgreSQL gives up on a step after this long; a slow upload is one step
PAGES = 200  # of 8 kB that are written to the products between two looks around: a few thousand products
NOTE_SECONDS = 1  # between two notes of how far it is
POLL_SECONDS = 0.5
COMMIT_SECONDS = 30  # PostgreSQL may take for what it has been told to keep, after its client was lost
BATCH = 1000  # rows per statement where there is no COPY
COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

OnError = Literal["abort", "skip"]
logger = logging.getLogger("uvicorn.error")


class Imported(BaseModel):
    """What became of the rows of a file."""

    created: int = Field(examples=[2998])
    refused: int = Field(examples=[2])
    errors: list[RowFieldError] = Field(
        description=f"What is wrong with the refused rows; the first {LISTED:,} mistakes"
    )


class ImportState(BaseModel):
    """An import: how far it is, and what became of it."""

    id: uuid.UUID = Field(examples=["2f1c1b1e-6f0a-8b57-9d0c-0a5f3a2f8f11"])
    state: import_log.State = Field(
        description="receiving and writing are under way; of refused, failed, cancelled and interrupted ones nothing "
        "was written: send the file again, with the same Idempotency-Key if you like",
        examples=["done"],
    )
    idempotency_key: str | None = Field(validation_alias="key", examples=["2f1c1b1e-6f0a-4b57-9d0c-0a5f3a2f8f11"])
    received_bytes: int = Field(examples=[104_857])
    rows_read: int = Field(examples=[3000])
    rows_written: int = Field(description="Seen by nobody until all are", examples=[2998])
    created_at: datetime = Field(description="When it began", examples=["2026-11-01T12:30:00.123456Z"])
    updated_at: datetime = Field(examples=["2026-11-01T12:30:01.123456Z"])
    result: Imported | None = Field(description="Of one that is done")
    problem: Annotated[
        Problem | None, PlainSerializer(lambda problem: problem and problem.model_dump(exclude_none=True))
    ] = Field(description="Of one that was refused or failed", examples=[None])

    @classmethod
    def of(cls, row: Any) -> "ImportState":
        """Return an import as import_log has it."""
        done = row.state == "done"
        return cls(
            id=row.id,
            state=row.state,
            key=row.key,
            received_bytes=row.received_bytes,
            rows_read=row.rows_read,
            rows_written=row.rows_written,
            created_at=row.created_at,
            updated_at=row.updated_at,
            result=Imported.model_validate_json(row.answer) if row.answer and done else None,
            problem=Problem.model_validate_json(row.answer) if row.answer and not done else None,
        )


@dataclass
class _Products:
    """The rows of a file that are products; the others are counted and told."""

    rows: Rows
    skip: bool
    good: int = 0
    refused: int = 0
    errors: list[RowFieldError] = field(default_factory=list)

    def __iter__(self) -> Iterator[ProductCreate]:
        for line, row in self.rows:
            try:
                product = ProductCreate.model_validate(row())
            except RowError as error:
                self._refuse(line, [error.args[0]])
            except ValidationError as error:
                self._refuse(line, _mistakes(error) if len(self.errors) < LISTED else [])
            else:
                self.good += 1
                if self.skip or not self.refused:  # else nothing will be written; the rest is only checked
                    yield product

    def _refuse(self, line: int, mistakes: list[FieldError]) -> None:
        self.refused += 1
        room = LISTED - len(self.errors)
        self.errors += [RowFieldError(line=line, **dict(mistake)) for mistake in mistakes[:room]]


def _mistakes(error: ValidationError) -> list[FieldError]:
    found = error.errors(include_url=False, include_input=False)
    return [field_error({**e, "loc": ("body", *(_printable(part) for part in e["loc"]))}) for e in found]


def _printable(part: int | str) -> str:
    """Return a field's name from a file as an answer can have it: short, and without half characters."""
    name = str(part)[:LONGEST_NAME]
    return name.encode(errors="replace").decode()


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
        on_error: OnError,
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
        self._products = _Products(rows(self._chunks(), file_format), skip=on_error == "skip")

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
            self._attempt = import_log.begin(self._engine, self.id, self._caller, self._key)
            write = _copy if connection.dialect.name == "postgresql" else _insert
            for written in write(connection, self._products, self._refuse_wrong_rows):
                self._note(state="writing", file_hash=self._hash.digest(), rows_written=written)
            products = self._products
            imported = Imported(created=products.good, refused=products.refused, errors=products.errors)
            import_log.note(
                connection,
                self._attempt,
                state="done",
                file_hash=self._hash.digest(),
                answer=imported.model_dump_json().encode(),
                **self._progress(),
                rows_written=products.good,
            )
            self._may_be_written = True
        return imported

    def _is_done(self) -> bool:
        try:
            return bool(import_log.find(self._engine, self._caller, self.id).state == "done")
        except ImportNotFoundError:
            return False

    def _refuse_wrong_rows(self) -> None:
        """Look at a file that has arrived, before any of it is written."""
        products = self._products
        if products.refused and not products.skip:
            raise refused(products.errors, products.refused, products.good + products.refused)
        self._note(at_once=True, state="writing", file_hash=self._hash.digest())
        self._on_received()

    def _chunks(self) -> Iterator[bytes]:
        for chunk in self._source:
            self._hash.update(chunk)
            self._received += len(chunk)
            self._note()
            yield chunk

    def _progress(self) -> dict[str, int]:
        return {"received_bytes": self._received, "rows_read": self._products.good + self._products.refused}

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
        told = error if isinstance(error, ApiError) else database_faults.problem_of(error) or UnexpectedError()
        with suppress(SQLAlchemyError):  # then it is one that was interrupted
            import_log.note_failure(self._engine, attempt, told, "refused" if told.status == 422 else "failed")
        raise error

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


def _copy(connection: Connection, products: _Products, check: Callable[[], None]) -> Iterator[int]:
    """Write the products, once `check` agrees; yield how many are written every now and then."""
    columns = ", ".join(FIELDS)
    # Beside the table first: a wrong row leaves no trace in it, and its locks are not held while a file arrives.
    connection.execute(
        text(f"CREATE TEMPORARY TABLE imported ON COMMIT DROP AS SELECT {columns} FROM products LIMIT 0")  # noqa: S608
    )
    source = _CopySource(products)
    cursor: Any = connection.connection.cursor()
    try:
        cursor.copy_expert(f"COPY imported ({columns}) FROM STDIN", source)
    except psycopg2.Error as error:
        connection.invalidate(error)  # SQLAlchemy has not seen it, and would go on with the connection
        raise database_faults.problem_of(error) or error from error
    cursor.close()
    if source.error:
        raise source.error
    check()
    size = text("SELECT pg_relation_size('imported') / current_setting('block_size')::int")
    part = text(
        f"INSERT INTO products ({columns}) SELECT {columns} FROM imported "  # noqa: S608
        "WHERE ctid >= CAST(:first AS tid) AND ctid < CAST(:behind AS tid)"
    )
    written = 0
    for page in range(0, connection.execute(size).scalar_one(), PAGES):
        written += connection.execute(part, {"first": f"({page},0)", "behind": f"({page + PAGES},0)"}).rowcount
        yield written


class _CopySource:
    """The file that psycopg2 reads the rows from, in COPY's text format."""

    def __init__(self, products: _Products) -> None:
        self._lines = map(_copy_line, products)
        self._rest = ""
        self.error: Exception | None = None  # psycopg2 would wrap it in one of its own

    def read(self, size: int) -> str:
        """Return up to `size` characters, and "" at the end."""
        parts, length = [self._rest], len(self._rest)
        try:
            while length < size and (line := next(self._lines, None)) is not None:
                parts.append(line)
                length += len(line)
        except Exception as error:
            self.error = error
            return ""
        together = "".join(parts)
        self._rest = together[size:]
        return together[:size]


def _copy_line(product: ProductCreate) -> str:
    values = (product.name, product.description, str(product.price), product.categoria.value, product.email_fornecedor)
    return "\t".join(r"\N" if value is None else value.translate(COPY_ESCAPES) for value in values) + "\n"


def _insert(connection: Connection, products: _Products, check: Callable[[], None]) -> Iterator[int]:
    """Do the same in a database that cannot COPY: written as they come, and taken back when `check` does not agree."""
    batch = []
    for product in products:
        batch.append(dict(product))
        if len(batch) == BATCH:
            connection.execute(insert(Product), batch)
            batch = []
    if batch:
        connection.execute(insert(Product), batch)
    check()
    yield products.good
