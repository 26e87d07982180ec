"""What Alembic runs for every command, on the connection that its caller (app.api.migrate) hands over."""

from alembic import context
from sqlalchemy import Connection

from app.api.models import Base

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    transaction_per_migration=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
