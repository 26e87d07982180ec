"""What is searched is kept by a trigger instead of by the column's definition.

A generated column is computed for all rows at once, while nobody may read them; a trigger computes it for what is
written from now on, and 0005 for what is there, little by little.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

KEEP = """
CREATE OR REPLACE FUNCTION products_keep_search() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN NEW.search := products_search(NEW.name, NEW.description); RETURN NEW; END $$
"""
TRIGGER = """
CREATE OR REPLACE TRIGGER products_keep_search BEFORE INSERT OR UPDATE OF name, description ON products
FOR EACH ROW EXECUTE FUNCTION products_keep_search()
"""


def upgrade() -> None:
    """Make the trigger; where the column is generated, what it holds stays."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE products ALTER COLUMN search DROP EXPRESSION IF EXISTS")
        op.execute(KEEP)
        op.execute(TRIGGER)


def downgrade() -> None:
    """Drop it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER products_keep_search ON products")
        op.execute("DROP FUNCTION products_keep_search()")
