"""What Alembic runs for every command; the connection comes from app.api.migrate, else from the settings."""

from alembic import context
from sqlalchemy import Connection

from app.api.database import make_engine
from app.api.models import Base
from app.api.settings import read_settings


def run(connection: Connection) -> None:
    """Run the command on `connection`, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with make_engine(read_settings()).connect() as connection:
        run(connection)
