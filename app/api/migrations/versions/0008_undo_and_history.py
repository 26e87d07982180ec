"""Deleted products, for thirty days, and the history of every product, both kept by triggers.

So whatever changes a product, an import or the version before, a shell even, writes its history in the same
transaction. The lists' table and indexes stay as they are: what is deleted is in a table of its own.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

WHOSE = "nullif(current_setting('catalogue.person', true), '')"  # app/api/person.py; after a transaction it is ''
WHICH = "nullif(current_setting('catalogue.deletion', true), '')::uuid"
FIELDS = ("name", "description", "price", "categoria", "email_fornecedor")
COLUMNS = ("id", *FIELDS, "created_at", "updated_at", "version", "created_by")


def _old(prefix: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{prefix}.{column}" for column in columns)


def _each(template: str) -> str:
    return ", ".join(template.format(field=field) for field in FIELDS)


DIFFERENT = f"({_old('OLD', FIELDS)}) IS DISTINCT FROM ({_old('NEW', FIELDS)})"
DIFFERENCES = _each(
    "'{field}', CASE WHEN OLD.{field} IS DISTINCT FROM NEW.{field} THEN jsonb_build_array(OLD.{field}, NEW.{field}) END"
)
# Not in the trigger's WHEN, because of which no migration could change the type of a column.
NOTE_CHANGE = f"""
CREATE FUNCTION products_note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF {DIFFERENT} THEN
        INSERT INTO product_changes (product_id, version, person, action, changes) VALUES (
            NEW.id, NEW.version, {WHOSE}, 'changed', jsonb_strip_nulls(jsonb_build_object({DIFFERENCES})));
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608 - put together from constants, as all below
# An id that is in the bin already is of another life of the table: the newest counts.
KEEP_DELETED = f"""
CREATE FUNCTION products_keep_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO deleted_products ({", ".join(COLUMNS)}, deleted_by, deletion)
    VALUES ({_old("OLD", COLUMNS)}, {WHOSE}, {WHICH})
    ON CONFLICT (id) DO UPDATE SET ({", ".join(COLUMNS[1:])}, deleted_at, deleted_by, deletion)
        = ({_old("EXCLUDED", COLUMNS[1:])}, now(), EXCLUDED.deleted_by, EXCLUDED.deletion);
    INSERT INTO product_changes (product_id, version, person, action)
    VALUES (OLD.id, OLD.version, {WHOSE}, 'deleted');
    RETURN NULL;
END $$
"""  # noqa: S608
TRIGGERS = """
CREATE TRIGGER products_note_change AFTER UPDATE ON products
    FOR EACH ROW EXECUTE FUNCTION products_note_change();
CREATE TRIGGER products_keep_deleted AFTER DELETE ON products
    FOR EACH ROW EXECUTE FUNCTION products_keep_deleted();
"""
# SQLite gives the number of a deleted product to the next one, unless told otherwise when the table is made; and it
# has no settings, but functions of the program's (app/api/database.py).
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
    f"""
CREATE TRIGGER products_note_change AFTER UPDATE ON products
WHEN {_each("OLD.{field} IS NOT NEW.{field}").replace(",", " OR")} BEGIN
    INSERT INTO product_changes (product_id, version, person, action, changes) VALUES (
        NEW.id, NEW.version, catalogue_person(), 'changed', json_patch('{{}}', json_object({
        _each("'{field}', CASE WHEN OLD.{field} IS NOT NEW.{field} THEN json_array(OLD.{field}, NEW.{field}) END")
    })));
END""",  # noqa: S608
    f"""
CREATE TRIGGER products_keep_deleted AFTER DELETE ON products BEGIN
    INSERT OR REPLACE INTO deleted_products ({", ".join(COLUMNS)}, deleted_by)
    VALUES ({_old("OLD", COLUMNS)}, catalogue_person());
    INSERT INTO product_changes (product_id, version, person, action)
    VALUES (OLD.id, OLD.version, catalogue_person(), 'deleted');
END""",  # noqa: S608
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
        return
    op.add_column("products", sa.Column("created_by", sa.String(255)))
    # In a second step, or it would be evaluated now, for the products that are there.
    op.execute(f"ALTER TABLE products ALTER COLUMN created_by SET DEFAULT {WHOSE}")
    op.execute(NOTE_CHANGE)
    op.execute(KEEP_DELETED)
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
