"""The table of products."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

CATEGORIES = ("Eletrônico", "Eletrodoméstico", "Móveis", "Roupas", "Calçados")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "products",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.String(2000)),
        sa.Column("price", sa.Numeric(12, 2), nullable=False),
        sa.Column(
            "categoria",
            sa.Enum(*CATEGORIES, native_enum=False, length=20, name="products_categoria_known", create_constraint=True),
            nullable=False,
        ),
        sa.Column("email_fornecedor", sa.String(254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("price > 0", name="products_price_positive"),
    )


def downgrade() -> None:
    """Drop the table with all products."""
    op.drop_table("products")
