"""What a million products need: versions, search, kept answers and a kept summary.

All of it at once and none of it long; what goes through a whole table is in 0003 and 0005.
"""

import sqlalchemy as sa
from alembic import op

from app.api.migrations.online import columns_of

revision = "0002"
down_revision = "0001"

# How text is sorted and searched: without accents and case. The collations are PostgreSQL's own, so the order is the
# same on every server, whatever its locale; app/api/search.py has the same in Python for SQLite.
PLAIN = r"""
CREATE OR REPLACE FUNCTION products_plain(value text) RETURNS text IMMUTABLE STRICT PARALLEL SAFE
RETURN casefold(regexp_replace(normalize(value, NFKD), '[\u0300-\u036f]', '', 'g') COLLATE pg_unicode_fast) COLLATE "C"
"""
# The parser is given words only: it would see addresses and numbers in punctuation.
WORDS = r"""
CREATE OR REPLACE FUNCTION products_words(value text) RETURNS text IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(products_plain(value), '[\x01-/:-@\[-`{-\x7f]+', ' ', 'g')
"""
# Every word as it is written, for prefixes, and its stem.
SEARCH = r"""
CREATE OR REPLACE FUNCTION products_search(name text, description text) RETURNS tsvector IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        array_to_tsvector(ARRAY(SELECT left(word, 100) FROM string_to_table(words, ' ') AS word WHERE word <> ''))
        || strip(to_tsvector('pg_catalog.portuguese', words))
    FROM products_words(name || ' ' || coalesce(description, '')) AS words;
END
"""
FUNCTIONS = ("products_plain(text)", "products_words(text)", "products_search(text, text)")


def upgrade() -> None:
    """Add the columns, functions and tables.

    Each only where it is missing: an earlier version of this migration was no transaction, and may have been
    interrupted anywhere.
    """
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.String(255), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], if_not_exists=True)
    op.create_table(
        "products_summary",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1", name="products_summary_one_row"), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        if_not_exists=True,
    )
    if "version" not in columns_of("products"):
        op.add_column("products", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE products SET description = NULL WHERE description = ''")
        return
    for function in (PLAIN, WORDS, SEARCH):
        op.execute(function)
    if "search" not in columns_of("products"):
        # A column whose type changes has its constraint checked for every row, while nobody may read; 0005 checks it.
        known = op.get_bind().scalar(
            sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'products_categoria_known'")
        )
        op.execute(
            "ALTER TABLE products DROP CONSTRAINT products_categoria_known, "
            'ALTER COLUMN categoria TYPE varchar(20) COLLATE "C", '
            'ALTER COLUMN email_fornecedor TYPE varchar(254) COLLATE "C", '
            "ADD COLUMN search tsvector, "
            f"ADD CONSTRAINT products_categoria_known {known} NOT VALID"
        )


def downgrade() -> None:
    """Take all of it away again; the products stay."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_column("products", "search")
        for function in reversed(FUNCTIONS):
            op.execute(f"DROP FUNCTION {function}")
    op.drop_column("products", "version")
    op.drop_table("products_summary")
    op.drop_table("idempotency_keys")
