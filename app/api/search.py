"""Full-text search: words of name and description by prefix or by Portuguese stem, whatever their case and accents.

PostgreSQL does it with an index, in the functions of migration 0002; here is the query it is asked with, and the same
in Python for SQLite, which reads every row.
"""

import re
import sqlite3
import unicodedata
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Dialect, String, and_, bindparam, cast, func, literal_column
from sqlalchemy.dialects.postgresql import TSQUERY

from app.api.models import Product

COMBINING = re.compile("[\u0300-\u036f]")
SEPARATORS = re.compile(r"[\x00-/:-@\[-`{-\x7f]+")  # the part of ASCII that is neither letter nor digit
PORTUGUESE: Any = literal_column("'pg_catalog.portuguese'::regconfig")
LONGEST_WORD = 100  # characters; what is behind them is not looked at


def words(text: str) -> list[str]:
    """Return the words of `text` as they are compared: without accents and case."""
    return [word[:LONGEST_WORD] for word in SEPARATORS.sub(" ", plain(text)).split(" ") if word]


def plain(text: str) -> str:
    """Return `text` as it is sorted and compared: without accents and case."""
    return COMBINING.sub("", unicodedata.normalize("NFKD", text)).casefold()


def parameters(query: str) -> dict[str, str]:
    """Return the values of `matches` by name."""
    found = {}
    for n, word in enumerate(words(query)):
        quoted = word.replace("\\", "\\\\").replace("'", "''")  # `words` leaves neither; this says so to the reader
        found[f"prefix_{n}"] = f"'{quoted}':*"
        found[f"word_{n}"] = word
    return found


def matches(query: str, dialect: Dialect) -> ColumnElement[bool]:
    """Return the condition that every word of `query` is found in a product."""
    if dialect.name != "postgresql":
        return func.products_match(Product.name, Product.description, query, type_=String) == 1
    given = parameters(query)
    return and_(
        *(
            Product.search.bool_op("@@")(
                cast(bindparam(f"prefix_{n}", given[f"prefix_{n}"]), TSQUERY).op("||")(
                    func.plainto_tsquery(PORTUGUESE, bindparam(f"word_{n}", given[f"word_{n}"]), type_=TSQUERY)
                )
            )
            for n in range(len(given) // 2)
        )
    )


def teach_sqlite(connection: sqlite3.Connection) -> None:
    """Give a SQLite connection the functions that PostgreSQL has from migration 0002."""
    connection.create_function("products_plain", 1, plain, deterministic=True)
    connection.create_function("products_match", 3, _match, deterministic=True)


def _match(name: str, description: str | None, query: str) -> int:
    found = words(f"{name} {description or ''}")
    stems = {_stem(word) for word in found}
    return int(all(_stem(w) in stems or any(f.startswith(w) for f in found) for w in words(query)))


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    stem: str = _stemmer().stemWord(word)
    return stem


@cache
def _stemmer() -> Any:
    import snowballstemmer  # only where SQLite is the database

    return snowballstemmer.stemmer("portuguese")
