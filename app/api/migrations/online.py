"""What migrations do to large tables while they are read and written; each can be killed anywhere and run again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import op
from sqlalchemy import inspect, text

BATCH = 2_000  # rows; so many are written in a fraction of a second, which is how long a writer of one of them waits


LONGEST_WAIT = "30min"  # for a lock that keeps nobody from reading or writing while it is waited for


@contextmanager
def outside_transaction() -> Iterator[None]:
    """Let each statement be a transaction of its own, and wait for its locks as long as an import or export takes."""
    with op.get_context().autocommit_block():
        before = op.get_bind().scalar(text("SHOW lock_timeout"))
        op.execute(f"SET lock_timeout = '{LONGEST_WAIT}'")
        try:
            yield
        finally:
            op.execute(f"SET lock_timeout = '{before}'")


def create_index(name: str, table: str, columns: list[Any], **options: Any) -> None:
    """Make an index beside its readers and writers, unless it is there.

    A run that was killed leaves an index that is kept up to date and never used: it is made again.
    """
    valid = op.get_bind().scalar(
        text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"), {"name": name}
    )
    if valid is False:
        op.drop_index(name, table, postgresql_concurrently=True)
    if not valid:
        op.create_index(name, table, columns, postgresql_concurrently=True, **options)


def update_in_batches(table: str, assignments: str, condition: str) -> None:
    """Update the rows that meet `condition`, and no longer do then, in order of id."""
    connection = op.get_bind()
    batch = text(
        f"WITH batch AS (SELECT id FROM {table} WHERE id > :after ORDER BY id LIMIT {BATCH}), "  # noqa: S608 - ours
        f"updated AS (UPDATE {table} SET {assignments} WHERE id IN (SELECT id FROM batch) AND ({condition})) "
        "SELECT max(id) FROM batch"
    )
    after: int | None = 0
    while after is not None:
        after = connection.scalar(batch, {"after": after})


def columns_of(table: str) -> set[str]:
    """Return the names of the columns that the table has now."""
    return {column["name"] for column in inspect(op.get_bind()).get_columns(table)}
