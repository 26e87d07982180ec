"""`make migration`: writes the migration that leads from the newest one to app/api/models.py, for you to read."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from app.api.migrate import alembic_config, upgrade
from app.embedded_postgres import EmbeddedPostgresError, embedded_postgres


def main(message: str) -> int:
    """Compare the models with a migrated PostgreSQL made for it, and write the difference as the next revision."""
    if not message.strip():
        print('make migration: say what changes: make migration MESSAGE="add a stock column"', file=sys.stderr)
        return 1
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
                command.revision(config, message, autogenerate=True, rev_id=f"{newest + 1:04}")
            engine.dispose()
    except EmbeddedPostgresError as error:
        print(f"make migration: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
