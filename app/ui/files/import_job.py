"""An import of a visitor's file: a thread of its own, which goes on whatever the visitor clicks meanwhile."""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import ApiError, FieldError, Imported, ImportPreview, Match, Mode
from app.ui.files.spreadsheet import ParseOptions, Row, SentRow, Table, pieces, sent_rows

NOT_DONE = 503
NOT_CHECKED: Any = (None, None, ())
Result = TypeVar("Result")


@dataclass(frozen=True)
class RefusedRow:
    """A row that is no product, and what is wrong with it."""

    row: Row
    errors: Sequence[FieldError]


@dataclass
class ImportJob:
    """What is imported, how far it is, and what became of it.

    Once it is done, either `imported` or `error` is there, or neither after a mistake of this program's own.
    `refused` are the rows that the API told about, of all that it counted.
    """

    file_id: str
    data: bytes = field(repr=False)
    table: Table = field(repr=False)
    options: ParseOptions
    skip_refused: bool
    match: Match | None = None
    mode: Mode = "upsert"
    identity: Sequence[str] = ()
    confirm: str | None = None
    file_name: str | None = None
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))  # by which the API knows this import
    sent: int = 0  # rows
    is_sent: bool = False  # to the last byte: only then can the API have created anything
    is_done: bool = False
    imported: Imported | None = None
    error: ApiError | None = None
    refused: Sequence[RefusedRow] = ()

    def start(self, client: ApiClient) -> None:
        """Begin; returns at once."""
        threading.Thread(target=self._run, args=(client,), name="import", daemon=True).start()

    @property
    def percent(self) -> int:
        """How much of it is sent."""
        return min(100 * self.sent // self.table.count, 100)

    @property
    def created_nothing(self) -> bool:
        """Whether it is certain that a failure left the catalogue as it was: the API creates all rows or none."""
        if self.error is None or self.error.outcome_unknown:
            return False
        # A 503 promises that nothing was done.
        return not self.is_sent or (self.error.status or 0) < 500 or self.error.status == NOT_DONE

    def _run(self, client: ApiClient) -> None:
        try:
            self.imported = client.import_products(
                self._pieces(),
                skip_refused=self.skip_refused,
                key=self.key,
                match=self.match,
                mode=self.mode,
                confirm=self.confirm,
                file_name=self.file_name,
            )
            self.refused = refused_rows(self.imported.errors, self.data, self.options, self.identity)
        except ApiError as error:
            error.outcome_unknown &= self.is_sent
            self.refused = refused_rows(error.errors, self.data, self.options, self.identity)
            self.error = error
        except Exception:
            logging.getLogger(__name__).exception("an import failed")
        finally:
            self.data = b""  # it may be large, and the visitor may stay for hours
            self.is_done = True

    def _pieces(self) -> Iterator[bytes]:
        yield from pieces(self._counted(sent_rows(self.data, self.options, self.identity)))
        self.is_sent = True

    def _counted(self, rows: Iterable[SentRow]) -> Iterator[SentRow]:
        for row in rows:
            self.sent += 1
            yield row


def refused_rows(
    errors: Sequence[FieldError], data: bytes, options: ParseOptions, identity: Sequence[str]
) -> Sequence[RefusedRow]:
    """Return the rows that errors speak of, found by the lines at which they were sent."""
    by_line: dict[int, list[FieldError]] = {}
    for error in errors:
        if error.line is not None:
            by_line.setdefault(error.line, []).append(error)
    if not by_line:
        return ()
    rows = sent_rows(data, options, identity)
    return [RefusedRow(sent.row, by_line[sent.line]) for sent in rows if sent.line in by_line]


@dataclass
class Imports:
    """What one visitor's session remembers of importing.

    `uploader` numbers the fields to upload with: another number is an empty field. `attempts` counts the imports.
    """

    uploader: int = 0
    attempts: int = 0
    job: ImportJob | None = None
    # What was asked, what the API said an import would do, and the rows that it would refuse.
    checked: tuple[Any, ImportPreview | ApiError | None, Sequence[RefusedRow]] = field(default=NOT_CHECKED, repr=False)
    _found: dict[Any, Any] = field(default_factory=dict, repr=False)

    def begin(self, attempt: int, job: ImportJob, client: ApiClient) -> None:
        """Start an import, unless the click is the second of a double click: it has the number of one begun already."""
        if attempt == self.attempts:
            self.attempts += 1
            self.forget_check()
            self.job = job
            job.start(client)

    def forget(self) -> None:
        """Be ready for another file."""
        self.uploader += 1
        self.job = None
        self.forget_check()
        self._found.clear()

    def forget_check(self) -> None:
        """Have the API asked again what an import would do."""
        self.checked = NOT_CHECKED

    def once(self, file_id: str, find: Callable[..., Result], data: bytes, *how: str | int) -> Result:
        """Return what `find` finds in the data of a file when read like this; only the last answer is kept."""
        key = (file_id, how)
        if self._found.get(find, (None,))[0] != key:
            self._found[find] = (key, find(data, *how))
        answer: Result = self._found[find][1]
        return answer
