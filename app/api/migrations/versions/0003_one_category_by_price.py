"""An index for the products of one category in order of price."""

from alembic import op

from app.api.migrations.online import create_index, outside_transaction

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index."""
    if op.get_bind().dialect.name == "postgresql":
        with outside_transaction():
            create_index("products_by_categoria_and_price", "products", ["categoria", "price", "id"])


def downgrade() -> None:
    """Drop it."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("products_by_categoria_and_price", "products")
