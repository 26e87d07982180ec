"""What the API takes and gives, as Pydantic schemas; the names of the fields are the seed's."""

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

from app.api.models import Categoria

GENERATED = ("id", "created_at", "updated_at", "version")


def _refuse_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character U+0000, which PostgreSQL cannot store")
    return text


def _require_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a JSON number such as 19.9, not text")
    return value


@lru_cache(maxsize=10_000)  # suppliers have many products, and a check takes longer than all others of a product
def _email_address(text: str) -> str:
    return validate_email(text)[1]


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_refuse_nul),
    Field(examples=["Geladeira Frost Free 375 L"]),
]
Description = Annotated[
    Annotated[str, StringConstraints(max_length=2000), AfterValidator(_refuse_nul), Field(examples=["Branca, 110 V"])]
    | None,
    AfterValidator(lambda text: text or None),  # an empty one is none: CSV knows no difference
]
Price = Annotated[
    Decimal,
    Field(gt=0, max_digits=12, decimal_places=2, allow_inf_nan=False, examples=[2899.9]),
    BeforeValidator(_require_number, json_schema_input_type=float),
    PlainSerializer(float, return_type=float, when_used="json"),
]
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
        return {k: v for k, v in data.items() if k not in GENERATED} if isinstance(data, dict) else data


class ProductBase(BaseModel):
    """What every product has."""

    name: Name
    description: Description = None
    price: Price
    categoria: Categoria
    email_fornecedor: EmailFornecedor


class ProductCreate(_Input, ProductBase):
    """The body of a create."""


class ProductResponse(ProductBase):
    """A product as the API answers it: with what the database generated."""

    id: int
    created_at: datetime
    updated_at: datetime
    version: int


class ProductUpdate(_Input):
    """The body of a PUT: a field that is absent or null stays as it is, as in the workshop."""

    name: Name | None = None
    description: Description = None
    price: Price | None = None
    categoria: Categoria | None = None
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
    categoria: Categoria = Field(default_factory=_absent)
    email_fornecedor: EmailFornecedor = Field(default_factory=_absent)

    def changes(self) -> dict[str, Any]:
        """Return the fields to change and their new values."""
        return self.model_dump(exclude_unset=True)
