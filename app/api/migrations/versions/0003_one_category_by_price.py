"""An index for the products of one category in order of price."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index; writers of a large table wait meanwhile."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("products_by_categoria_and_price", "products", ["categoria", "price", "id"])


def downgrade() -> None:
    """Drop it."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("products_by_categoria_and_price", "products")
