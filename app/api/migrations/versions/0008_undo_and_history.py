"""Deleted products, for thirty days, and the history of every product, both kept by triggers.

So whatever changes a product, an import or the version before, a shell even, writes its history in the same
transaction. The lists' table and indexes stay as they are: what is deleted is in a table of its own.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.api.migrations import history

revision = "0008"
down_revision = "0007"

FIELDS = ("name", "description", "price", "categoria", "email_fornecedor")
COLUMNS = history.columns(FIELDS)
TRIGGERS = """
CREATE TRIGGER products_note_change AFTER UPDATE ON products
    FOR EACH ROW EXECUTE FUNCTION products_note_change();
CREATE TRIGGER products_keep_deleted AFTER DELETE ON products
    FOR EACH ROW EXECUTE FUNCTION products_keep_deleted();
"""
# SQLite gives the number of a deleted product to the next one, unless told otherwise when the table is made.
SQLITE = (
    """
CREATE TABLE products_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name VARCHAR(200) NOT NULL,
    description VARCHAR(2000),
    price NUMERIC(12, 2) NOT NULL,
    categoria VARCHAR(20) NOT NULL,
    email_fornecedor VARCHAR(254) NOT NULL,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_by VARCHAR(255) DEFAULT (catalogue_person()),
    CONSTRAINT products_price_positive CHECK (price > 0),
    CONSTRAINT products_categoria_known
        CHECK (categoria IN ('Eletrônico', 'Eletrodoméstico', 'Móveis', 'Roupas', 'Calçados'))
)""",
    f"INSERT INTO products_anew SELECT {', '.join(COLUMNS[:-1])}, NULL FROM products",  # noqa: S608
    "DROP TABLE products",
    "ALTER TABLE products_anew RENAME TO products",
)


def upgrade() -> None:
    """Make the tables and triggers."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    text = {"collation": "C"} if is_postgresql else {}
    op.create_table(
        "deleted_products",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.String(2000)),
        sa.Column("price", sa.Numeric(12, 2), nullable=False),
        sa.Column("categoria", sa.String(20, **text), nullable=False),
        sa.Column("email_fornecedor", sa.String(254, **text), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_by", sa.String(255)),
        sa.Column("deleted_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("deleted_by", sa.String(255)),
        sa.Column("deletion", sa.Uuid),
    )
    op.create_index("deleted_products_by_deleted_at", "deleted_products", ["deleted_at", "id"])
    op.create_index("deleted_products_by_deletion", "deleted_products", ["deletion"])
    op.create_table(
        "product_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True),
        sa.Column("product_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("person", sa.String(255)),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("changes", sa.JSON().with_variant(postgresql.JSONB, "postgresql")),
    )
    op.create_index("product_changes_by_product", "product_changes", ["product_id", "id"])
    if not is_postgresql:
        for statement in SQLITE:
            op.execute(statement)
        history.keep(*FIELDS)
        return
    op.add_column("products", sa.Column("created_by", sa.String(255)))
    # In a second step, or it would be evaluated now, for the products that are there.
    op.execute(f"ALTER TABLE products ALTER COLUMN created_by SET DEFAULT {history.WHOSE}")
    history.keep(*FIELDS)
    op.execute(TRIGGERS)


def downgrade() -> None:
    """Drop them, with all that is in the bin."""
    for trigger in ("products_note_change", "products_keep_deleted"):
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"DROP TRIGGER {trigger} ON products")
            op.execute(f"DROP FUNCTION {trigger}()")
        else:
            op.execute(f"DROP TRIGGER {trigger}")
    op.drop_column("products", "created_by")
    op.drop_table("product_changes")
    op.drop_table("deleted_products")
