"""Tables of one transaction, for what is worked on part by part."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text, true


def make_table(connection: Connection, name: str, columns: str, source: str) -> None:
    """Make an empty temporary table of columns of another one, which is gone when the transaction is over."""
    is_postgresql = connection.dialect.name == "postgresql"
    if not is_postgresql:
        connection.execute(text(f"DROP TABLE IF EXISTS temp.{name}"))
    drop = "ON COMMIT DROP" if is_postgresql else ""
    made = f"CREATE TEMPORARY TABLE {name} {drop} AS SELECT {columns} FROM {source} LIMIT 0"  # noqa: S608 - our names
    connection.execute(text(made))


def parts_of(connection: Connection, name: str, pages: int) -> Sequence[Any]:
    """Return conditions that together are true of every row of a temporary table, each of so many of its pages."""
    if connection.dialect.name != "postgresql":
        return [true()]
    size = connection.execute(text(f"SELECT pg_relation_size('{name}') / current_setting('block_size')::int"))
    return [
        text(f"{name}.ctid >= '({page},0)'::tid AND {name}.ctid < '({page + pages},0)'::tid")
        for page in range(0, size.scalar_one(), pages)
    ]
