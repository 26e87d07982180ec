"""What the API's client takes and gives, and the one exception for all that can go wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from decimal import Decimal
from enum import Enum, auto
from typing import Any, Literal

# What the API accepts as `categoria`; it refuses anything else, so this is only what a form offers.
CATEGORIES = ("Eletrônico", "Eletrodoméstico", "Móveis", "Roupas", "Calçados")
Match = Literal["id", "name", "name_and_supplier"]  # by which a row of an import finds its product
Mode = Literal["upsert", "create", "update"]
NOT_NOW = (502, 503, 504)  # statuses of an API that is starting, stopping or without its database
EDITABLE = ("name", "categoria", "price", "email_fornecedor", "description")  # what people say of a product


@dataclass(frozen=True)
class Product:
    """One product of the catalogue; `price` is in Brazilian reais, `version` counts its changes."""

    id: int
    name: str
    description: str | None
    price: Decimal
    categoria: str
    email_fornecedor: str
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def from_json(cls, body: Any) -> "Product":
        """Return the product of a JSON object of the API; what is none raises KeyError, TypeError or ValueError."""
        return cls(
            id=int(body["id"]),
            name=str(body["name"]),
            description=None if body["description"] is None else str(body["description"]),
            price=Decimal(body["price"]),
            categoria=str(body["categoria"]),
            email_fornecedor=str(body["email_fornecedor"]),
            created_at=datetime.fromisoformat(body["created_at"]),
            updated_at=datetime.fromisoformat(body["updated_at"]),
            version=int(body["version"]),
        )


@dataclass(frozen=True)
class ProductFilter:
    """Which products: those that meet every condition that is given; the names are the API's."""

    q: str = ""
    categoria: tuple[str, ...] = ()
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    email_fornecedor: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the conditions as parameters of an address."""
        given = {name: value for name, value in vars(self).items() if value not in (None, "", ())}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()}


EVERYTHING = ProductFilter()


@dataclass(frozen=True)
class Chosen:
    """Products to do something with at once: these ids, or else all that meet a filter."""

    ids: tuple[int, ...] = ()
    products: ProductFilter = EVERYTHING

    def parameters(self) -> dict[str, Any]:
        """Return them as parameters of an address."""
        return {"id": list(self.ids)} if self.ids else self.products.parameters()


@dataclass(frozen=True)
class Page:
    """One page of the list, and the cursors of the pages beside it, if there are any.

    `total` is how many products there are on all pages where it was asked for; `total_is_exact` says whether it was
    counted or estimated.
    """

    products: tuple[Product, ...]
    after: str | None = None
    before: str | None = None
    total: int | None = None
    total_is_exact: bool = True


class Failure(Enum):
    """What kept a request from being answered as asked."""

    UNREACHABLE = auto()  # no connection: the request did not arrive
    TIMEOUT = auto()  # no answer in time
    INTERRUPTED = auto()  # the connection broke before the answer
    REFUSED = auto()  # the API answered with a problem
    NOT_THE_API = auto()  # something else answered


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one value: the API's sentence, its code and limits for programs, and a file's line."""

    field: str
    message: str
    code: str = ""
    context: Mapping[str, Any] = dataclass_field(default_factory=dict)
    line: int | None = None

    @classmethod
    def from_json(cls, body: Any) -> "FieldError":
        """Return one of a problem document's errors; what is none raises KeyError, TypeError or ValueError."""
        line = body.get("line")
        return cls(
            field=str(body["field"]),
            message=str(body["message"]),
            code=str(body.get("code") or ""),
            context=dict(body.get("context") or {}),
            line=None if line is None else int(line),
        )


@dataclass(frozen=True)
class Imported:
    """What became of the rows of a file; `errors` tells the first thousand mistakes."""

    created: int
    refused: int
    errors: tuple[FieldError, ...]
    updated: int = 0
    unchanged: int = 0

    @classmethod
    def from_json(cls, body: Any) -> "Imported":
        """Return the API's account of an import; what is none raises KeyError, TypeError or ValueError."""
        return cls(
            created=int(body["created"]),
            refused=int(body["refused"]),
            errors=tuple(FieldError.from_json(e) for e in body["errors"]),
            updated=int(body.get("updated", 0)),  # the version before knows none of them
            unchanged=int(body.get("unchanged", 0)),
        )


@dataclass(frozen=True)
class RowChange:
    """What a row of a file would change in a product: the fields that differ, as they are and as they would be."""

    line: int
    id: int
    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @classmethod
    def from_json(cls, body: Any) -> "RowChange":
        """Return a change of a preview; what is none raises KeyError, TypeError or ValueError."""
        before, after = (
            {name: _amount(name, value) for name, value in body[side].items()} for side in ("before", "after")
        )
        return cls(int(body["line"]), int(body["id"]), str(body["name"]), before, after)


def _amount(name: str, value: Any) -> Any:
    return Decimal(value) if name == "price" else value


@dataclass(frozen=True)
class ImportPreview:
    """What an import would do; `confirm` has just that done, or nothing."""

    new: int
    changed: int
    same: int
    repeated: int
    refused: int
    errors: tuple[FieldError, ...]
    changes: tuple[RowChange, ...]
    repeated_lines: tuple[int, ...]
    confirm: str

    @classmethod
    def from_json(cls, body: Any) -> "ImportPreview":
        """Return the API's preview of an import; what is none raises KeyError, TypeError or ValueError."""
        return cls(
            **{name: int(body[name]) for name in ("new", "changed", "same", "repeated", "refused")},
            errors=tuple(map(FieldError.from_json, body["errors"])),
            changes=tuple(map(RowChange.from_json, body["changes"])),
            repeated_lines=tuple(map(int, body["repeated_lines"])),
            confirm=str(body["confirm"]),
        )


@dataclass(frozen=True)
class DeletedProduct:
    """A product in the bin, and who put it there when; `person` is None where nobody knows."""

    product: Product
    at: datetime
    person: str | None

    @classmethod
    def from_json(cls, body: Any) -> "DeletedProduct":
        """Return one of the bin's products; what is none raises KeyError, TypeError or ValueError."""
        person = body["deleted_by"]
        return cls(
            Product.from_json(body), datetime.fromisoformat(body["deleted_at"]), None if person is None else str(person)
        )


@dataclass(frozen=True)
class HistoryEntry:
    """One thing that became of a product: `action` is the API's word, `changes` has each field before and after."""

    at: datetime
    person: str | None
    action: str
    version: int
    changes: Mapping[str, tuple[Any, Any]]

    @classmethod
    def from_json(cls, body: Any) -> "HistoryEntry":
        """Return an entry of a product's history; what is none raises KeyError, TypeError or ValueError."""
        person = body["by"]
        return cls(
            at=datetime.fromisoformat(body["at"]),
            person=None if person is None else str(person),
            action=str(body["action"]),
            version=int(body["version"]),
            changes={str(name): (change["before"], change["after"]) for name, change in body["changes"].items()},
        )


@dataclass(frozen=True)
class Totals:
    """How many products, and what they cost together and on average."""

    count: int
    total: Decimal
    average: Decimal | None

    @classmethod
    def from_json(cls, body: Any) -> "Totals":
        """Return the API's totals; what is none raises KeyError, TypeError or ValueError."""
        average = body["average"]
        return cls(int(body["count"]), Decimal(body["total"]), None if average is None else Decimal(average))


@dataclass(frozen=True)
class Deletion:
    """How many products were deleted at once, and the name by which they come back together."""

    count: int
    key: str | None

    @classmethod
    def from_json(cls, body: Any) -> "Deletion":
        """Return the API's account of a deletion; what is none raises KeyError, TypeError or ValueError."""
        key = body.get("deletion")
        return cls(int(body["deleted"]), None if key is None else str(key))


@dataclass(frozen=True)
class BulkChange:
    """What a change of many products makes of them, or would: `examples` are the first ones before and after."""

    matching: int
    changed: int
    total_before: Decimal
    total_after: Decimal
    examples: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any]], ...]

    @classmethod
    def from_json(cls, body: Any) -> "BulkChange":
        """Return the API's account of a change; what is none raises KeyError, TypeError or ValueError."""
        return cls(
            matching=int(body["matching"]),
            changed=int(body["changed"]),
            total_before=Decimal(body["total_before"]),
            total_after=Decimal(body["total_after"]),
            examples=tuple((str(e["name"]), dict(e["before"]), dict(e["after"])) for e in body["examples"]),
        )


class ApiError(Exception):
    """A request failed.

    `detail` is the API's own sentence when `failure` is REFUSED, and `errors` then holds what is wrong with each
    value. `status` is the HTTP status, if there was an answer. `outcome_unknown` says that the request may have
    changed something all the same; `request_id` finds it in the API's log, where it came there.
    """

    def __init__(
        self,
        failure: Failure,
        detail: str,
        *,
        status: int | None = None,
        errors: Sequence[FieldError] = (),
        outcome_unknown: bool = False,
        refused: int = 0,
        request_id: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail
        self.status = status
        self.errors = tuple(errors)
        self.outcome_unknown = outcome_unknown
        self.refused = refused  # of an import: how many rows are no products
        self.request_id = request_id

    def has(self, code: str) -> bool:
        """Say whether one of its mistakes is of this kind."""
        return any(error.code == code for error in self.errors)

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed a little later without anybody doing anything about it."""
        passing = (Failure.UNREACHABLE, Failure.TIMEOUT, Failure.INTERRUPTED)
        return self.failure in passing or self.status in NOT_NOW


@dataclass(frozen=True)
class ImportStatus:
    """How far an import is; when it is over, what became of it: `imported`, or `error` and nothing was imported."""

    id: str
    state: str
    file_name: str | None
    created_at: datetime
    rows: int  # that the API has read so far
    written: int
    imported: Imported | None
    undone: Mapping[str, int] | None  # how many products were deleted, restored and kept
    error: ApiError | None

    @property
    def is_over(self) -> bool:
        """Whether nothing becomes of it any more."""
        return self.state not in ("receiving", "writing")

    @classmethod
    def from_json(cls, body: Any) -> "ImportStatus":
        """Return an import as the API has it; what is none raises KeyError, TypeError or ValueError."""
        state, problem = str(body["state"]), body["problem"] or {}
        error = None
        told = [FieldError.from_json(e) for e in problem.get("errors") or ()]
        if state == "cancelled":
            told = [FieldError("", "the import was cancelled", "cancelled")]
        if state not in ("receiving", "writing", "done", "undone"):
            error = ApiError(
                Failure.REFUSED if problem else Failure.INTERRUPTED,
                str(problem.get("detail") or f"the import was {state}"),
                status=problem.get("status"),
                errors=told,
                refused=int(problem.get("refused") or 0),
            )
        return cls(
            id=str(body["id"]),
            state=state,
            file_name=body.get("file_name"),
            created_at=datetime.fromisoformat(body["created_at"]),
            rows=int(body["rows_read"]),
            written=int(body["rows_written"]),
            undone=None if body.get("undone") is None else {k: int(n) for k, n in body["undone"].items()},
            imported=None if body["result"] is None else Imported.from_json(body["result"]),
            error=error,
        )
