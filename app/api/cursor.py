"""The opaque cursors of `Link`: where in which order a page ended, in URL-safe base64. They hold nothing secret."""

import base64
import binascii
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic_core import to_json

from app.api.models import MAX_ID, Categoria

Position = tuple[Any, int]  # the value that is sorted by, and the id


def encode(sort: str, position: Position) -> str:
    """Return the cursor of a position in the order `sort`."""
    value, product_id = position
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return base64.urlsafe_b64encode(to_json([sort, text, product_id])).rstrip(b"=").decode()


def decode(sort: str, cursor: str) -> Position:
    """Return the position of a cursor.

    Raises:
        ValueError: it is not one of ours, or was made for another order.
    """
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        made_for, text, product_id = json.loads(packed)
        if type(product_id) is not int or not 0 <= product_id <= MAX_ID or not isinstance(text, str) or "\0" in text:
            raise ValueError
        position = (_value(made_for.removeprefix("-"), text), product_id)
    except (ValueError, TypeError, AttributeError, KeyError, ArithmeticError, RecursionError, binascii.Error):
        raise ValueError("is not a cursor of this list; take it from the header Link of a page") from None
    if made_for != sort:
        raise ValueError(f"is a cursor of the order {made_for!r}; leave it out when you change `sort`")
    return position


def _value(column: str, text: str) -> Any:
    match column:
        case "id":
            return int(text)
        case "price":
            price = Decimal(text)
            if not 0 < price < 10**10 or price != round(price, 2):  # also of what is no number, or has a huge exponent
                raise ValueError
            return price
        case "created_at" | "updated_at" | "deleted_at":
            moment = datetime.fromisoformat(text)
            if moment.utcoffset() is None:
                raise ValueError
            return moment.astimezone(UTC)
        case "categoria":
            return Categoria(text)
        case "name" | "description" | "email_fornecedor":
            text.encode()  # a lone surrogate is no text
            return text
    raise ValueError(column)
