"""`make migration`: writes the migration that leads from the newest one to app/api/models.py, for you to read.

While a version is rolled out or taken back, the version before it works on the same schema. So what that one could not
live with is refused: it is done in two steps, with a deployment between them (docs/migrations.md).
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.operations import ops
from sqlalchemy import create_engine

from app.api.migrate import alembic_config, upgrade
from app.embedded_postgres import EmbeddedPostgresError, embedded_postgres


def main(arguments: list[str]) -> int:
    """Compare the models with a migrated PostgreSQL made for it, and write the difference as the next revision."""
    parser = argparse.ArgumentParser(prog="make migration")
    parser.add_argument("message", nargs="*")
    parser.add_argument("--contract", action="store_true", help="the version before no longer uses what is taken away")
    chosen = parser.parse_args(arguments)
    message = " ".join(chosen.message)
    if not message.strip():
        print('make migration: say what changes: make migration MESSAGE="add a stock column"', file=sys.stderr)
        return 1
    refused: list[str] = []

    def look(_context: Any, _revision: Any, directives: list[ops.MigrationScript]) -> None:
        if not chosen.contract and directives[0].upgrade_ops is not None:
            refused.extend(incompatible(directives[0].upgrade_ops))
        if refused:
            directives.clear()

    try:
        with (
            tempfile.TemporaryDirectory(prefix="catalogue-") as folder,
            embedded_postgres(Path(folder) / "data") as url,
        ):
            engine = create_engine(url)
            newest = int(upgrade(engine))
            with engine.connect() as connection:
                config = alembic_config()
                config.attributes["connection"] = connection
                number = f"{newest + 1:04}"
                command.revision(config, message, autogenerate=True, rev_id=number, process_revision_directives=look)
            engine.dispose()
    except EmbeddedPostgresError as error:
        print(f"make migration: {error}", file=sys.stderr)
        return 1
    for reason in refused:
        print(f"make migration: {reason}", file=sys.stderr)
    if refused:
        print(
            "make migration: nothing was written. When the version that is deployed everywhere no longer needs it, "
            f'say so: make migration MESSAGE="{message}" CONTRACT=yes (docs/migrations.md).',
            file=sys.stderr,
        )
        return 1
    print("Read what was written, then let `make migration-check` measure it.")
    return 0


def incompatible(container: ops.OpContainer) -> Iterator[str]:
    """Say of each operation that the version before could not live with why, and how it is done in two steps."""
    for operation in container.ops:
        match operation:
            case ops.ModifyTableOps() | ops.UpgradeOps():
                yield from incompatible(operation)
            case ops.DropTableOp(table_name=table):
                yield f"table {table} is dropped, which the version before still uses. {_TWO_STEPS}"
            case ops.DropColumnOp(table_name=table, column_name=column):
                yield (
                    f"column {table}.{column} is dropped or renamed, which the version before still uses. {_TWO_STEPS} "
                    "A rename is a new column that is written beside the old one, filled, read, and only then alone."
                )
            case ops.AddColumnOp(table_name=table, column=column) if not column.nullable and not column.server_default:
                yield (
                    f"column {table}.{column.name} must have a value, and the version before gives it none. Give it a "
                    "server_default, or let it be nullable now and NOT NULL in the migration of a later version."
                )
            case ops.AlterColumnOp(table_name=table, column_name=column):
                yield from _altered(operation, f"column {table}.{column}")
            case ops.AddConstraintOp() | ops.CreateIndexOp(unique=True):
                yield (
                    "a constraint is added, which what the version before writes may break. Check it in the program "
                    "first, and add it in the migration of a later version."
                )


_TWO_STEPS = "First deploy a version that does not use it any more, then drop it in the migration of the next one."


def _altered(operation: ops.AlterColumnOp, column: str) -> Iterator[str]:
    if operation.modify_name is not None:
        yield f"{column} is renamed, which the version before still uses. {_TWO_STEPS}"
    if operation.modify_type is not None:
        yield (
            f"{column} changes its type, which the version before does not know. Add a second column, write both, "
            "fill the new one, read it, and drop the old one in the migration of a later version."
        )
    if operation.modify_nullable is False:
        yield (
            f"{column} becomes NOT NULL, and the version before may leave it empty. Write it always first, and make "
            "it NOT NULL in the migration of a later version."
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
