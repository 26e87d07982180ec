"""What the API takes and gives, as Pydantic schemas; the names of the fields are the seed's."""

import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
    validate_email,
)
from pydantic_core import PydanticKnownError

from app.api.models import MAX_ID, Categoria

MOST_FIELDS = 100  # of which each may be told to be wrong
GENERATED = ("id", "created_at", "updated_at", "version")


def refuse_nul(text: str) -> str:
    """Refuse what PostgreSQL has no room for in a text."""
    if "\0" in text:
        raise ValueError("must not contain the character U+0000, which PostgreSQL cannot store")
    return text


def require_number(value: Any) -> Any:
    """Refuse text, which Pydantic would take for the number that it spells."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a JSON number such as 19.9, not text")
    return value


@lru_cache(maxsize=10_000)  # suppliers have many products, and a check takes longer than all others of a product
def _email_address(text: str) -> str:
    return validate_email(text)[1]


def _require_digits(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch("-?[0-9]+", value):  # Python's int() knows many ways more
        raise PydanticKnownError("int_parsing")
    return value


def _require_plain(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch("-?[0-9.]+([eE][-+]?[0-9]+)?", value):  # as does its Decimal()
        raise PydanticKnownError("decimal_parsing")
    return value


# What an address says in digits, as its number: these alone, so that nobody means another one than is understood.
ONLY_DIGITS = BeforeValidator(_require_digits)  # behind limits that are no field's own, or JSON Schema has them not
WholeNumber = Annotated[int, ONLY_DIGITS]
DecimalNumber = Annotated[Decimal, BeforeValidator(_require_plain)]
ProductIds = Annotated[
    list[Annotated[int, Field(ge=1, le=MAX_ID), ONLY_DIGITS]],
    Field(max_length=1000, description="May be repeated", examples=[[1, 2, 3]]),
]
# What JSON Schema cannot be told in Pydantic's own words: no U+0000, and something else than white space.
NO_NUL = "^[^\\u0000]*$"
NOT_BLANK = (
    "^[^\\u0000]*[^\\u0000\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000][^\\u0000]*$"
)

ShortText = Annotated[
    str,
    StringConstraints(max_length=255),
    AfterValidator(refuse_nul),
    Field(json_schema_extra={"pattern": NO_NUL}),
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(refuse_nul),
    Field(examples=["Geladeira Frost Free 375 L"], json_schema_extra={"pattern": NOT_BLANK}),
]
Description = Annotated[
    Annotated[
        str,
        StringConstraints(max_length=2000),
        AfterValidator(refuse_nul),
        Field(examples=["Branca, 110 V"], json_schema_extra={"pattern": NO_NUL}),
    ]
    | None,
    AfterValidator(lambda text: text or None),  # an empty one is none: CSV knows no difference
]
# Only as far as JSON Schema sees it: Pydantic tells a decimal number's limits where it may be written as text too.
_JsonPrice = Annotated[float, Field(gt=0, le=9_999_999_999.99, multiple_of=0.01, examples=[2899.9])]
Price = Annotated[
    Decimal,
    Field(gt=0, max_digits=12, decimal_places=2, allow_inf_nan=False, examples=[2899.9]),
    BeforeValidator(require_number, json_schema_input_type=_JsonPrice),
    PlainSerializer(float, return_type=_JsonPrice, when_used="json"),
]
OneCategoria = Annotated[Categoria, Field(examples=["Eletrodoméstico"])]
EmailFornecedor = Annotated[
    str,
    AfterValidator(_email_address),
    Field(max_length=254, examples=["vendas@fornecedor.example.com"], json_schema_extra={"format": "email"}),
]


class _Input(BaseModel):
    """A request body: a misspelt field is an error; a product as it was read may be sent back whole."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _ignore_generated_fields(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        if len(data) > MOST_FIELDS:
            raise ValueError(f"has {len(data):,} fields; a product has {len(ProductResponse.model_fields)}")
        return {k: v for k, v in data.items() if k not in GENERATED}


class ProductBase(BaseModel):
    """What every product has."""

    name: Name
    description: Description = None
    price: Price
    categoria: OneCategoria
    email_fornecedor: EmailFornecedor


class ProductCreate(_Input, ProductBase):
    """The body of a create."""


class ProductResponse(ProductBase):
    """A product as the API answers it: with what the database generated."""

    id: int = Field(examples=[1])
    created_at: datetime = Field(examples=["2026-11-01T12:30:00.123456Z"])
    updated_at: datetime = Field(examples=["2026-11-01T12:30:00.123456Z"])
    version: int = Field(description="Counts the changes: what `ETag` and `If-Match` speak of", examples=[1])


# What a product is to those who look at many: the columns of lists and files, in their order.
COLUMN_NAMES = ("id", *ProductBase.model_fields, "created_at", "updated_at")


class ProductUpdate(_Input):
    """The body of a PUT: a field that is absent or null stays as it is, as in the workshop."""

    name: Name | None = None
    description: Description = None
    price: Price | None = None
    categoria: OneCategoria | None = None
    email_fornecedor: EmailFornecedor | None = None

    def changes(self) -> dict[str, Any]:
        """Return the fields to change and their new values."""
        return self.model_dump(exclude_none=True)


def _absent() -> Any:
    """Mark a field as optional but not nullable: a default made by a factory does not show in the OpenAPI document."""


class ProductPatch(_Input):
    """The body of a PATCH, a JSON merge patch (RFC 7396): absent stays, null clears what may be empty."""

    name: Name = Field(default_factory=_absent)
    description: Description = Field(default_factory=_absent)
    price: Price = Field(default_factory=_absent)
    categoria: OneCategoria = Field(default_factory=_absent)
    email_fornecedor: EmailFornecedor = Field(default_factory=_absent)

    def changes(self) -> dict[str, Any]:
        """Return the fields to change and their new values."""
        return self.model_dump(exclude_unset=True)
