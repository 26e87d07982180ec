"""What an import changed, so that it can be undone as a whole for a day."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table, and give imports the name of their file."""
    op.create_table(
        "import_changes",
        sa.Column("import_id", sa.Uuid, primary_key=True),
        sa.Column("first_id", sa.Integer, primary_key=True),
        sa.Column("last_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200)),
        sa.Column("description", sa.String(2000)),
        sa.Column("price", sa.Numeric(12, 2)),
        sa.Column("categoria", sa.String(20)),
        sa.Column("email_fornecedor", sa.String(254)),
    )
    op.add_column("imports", sa.Column("file_name", sa.String(255)))


def downgrade() -> None:
    """Take both away again."""
    op.drop_column("imports", "file_name")
    op.drop_table("import_changes")
