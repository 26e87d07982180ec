"""What is searched for the products that are there already, and an index for every order of the list."""

import sqlalchemy as sa
from alembic import op

from app.api.migrations.online import create_index, outside_transaction, update_in_batches

revision = "0005"
down_revision = "0004"

NAME = sa.text("products_plain(name::text)")
DESCRIPTION = sa.text("substr(products_plain(COALESCE(description, ''::character varying)::text), 1, 100)")
ORDERS = {"name": NAME, "description": DESCRIPTION} | {
    column: column for column in ("price", "categoria", "email_fornecedor", "created_at", "updated_at")
}


def upgrade() -> None:
    """Fill the column, then make the indexes, so that filling it writes to none of them."""
    if op.get_bind().dialect.name != "postgresql":
        return
    with outside_transaction():
        update_in_batches(
            "products",
            "description = nullif(description, ''), search = products_search(name, nullif(description, ''))",
            "search IS NULL OR description = ''",
        )
        op.execute("ALTER TABLE products VALIDATE CONSTRAINT products_categoria_known")
        for name, expression in ORDERS.items():
            create_index(f"products_by_{name}", "products", [expression, "id"])
        create_index("products_by_search", "products", ["search"], postgresql_using="gin")
        op.execute("ANALYZE products")  # or the first lists are planned by guesses


def downgrade() -> None:
    """Drop the indexes."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("products_by_search", "products")
        for name in ORDERS:
            op.drop_index(f"products_by_{name}", "products")
