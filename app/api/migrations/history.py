"""The triggers that write a product's history and keep what is deleted, for products of these fields.

A migration that adds a field calls `keep` with all of them, once the column is in `products` and `deleted_products`.
"""

from alembic import op

WHOSE = "nullif(current_setting('catalogue.person', true), '')"  # app/api/person.py; after a transaction it is ''
WHICH = "nullif(current_setting('catalogue.deletion', true), '')::uuid"


def keep(*fields: str) -> None:
    """Have both know `fields`, in place of those that they knew; a trigger of PostgreSQL itself stays as it is."""
    for statement in _on_postgresql(fields) if op.get_bind().dialect.name == "postgresql" else _on_sqlite(fields):
        op.execute(statement)


def columns(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that a deleted product is kept with."""
    return ("id", *fields, "created_at", "updated_at", "version", "created_by")


def _of(prefix: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{prefix}.{name}" for name in names)


def _each(template: str, fields: tuple[str, ...], between: str = ", ") -> str:
    return between.join(template.format(field=field) for field in fields)


def _on_postgresql(fields: tuple[str, ...]) -> tuple[str, ...]:
    different = f"({_of('OLD', fields)}) IS DISTINCT FROM ({_of('NEW', fields)})"
    differences = _each(
        "'{field}', CASE WHEN OLD.{field} IS DISTINCT FROM NEW.{field} "
        "THEN jsonb_build_array(OLD.{field}, NEW.{field}) END",
        fields,
    )
    kept = columns(fields)
    return (
        # Not in the trigger's WHEN, because of which no migration could change the type of a column.
        f"""
CREATE OR REPLACE FUNCTION products_note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF {different} THEN
        INSERT INTO product_changes (product_id, version, person, action, changes) VALUES (
            NEW.id, NEW.version, {WHOSE}, 'changed', jsonb_strip_nulls(jsonb_build_object({differences})));
    END IF;
    RETURN NULL;
END $$
""",  # noqa: S608 - put together from constants, as all below
        # An id that is in the bin already is of another life of the table: the newest counts.
        f"""
CREATE OR REPLACE FUNCTION products_keep_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO deleted_products ({", ".join(kept)}, deleted_by, deletion)
    VALUES ({_of("OLD", kept)}, {WHOSE}, {WHICH})
    ON CONFLICT (id) DO UPDATE SET ({", ".join(kept[1:])}, deleted_at, deleted_by, deletion)
        = ({_of("EXCLUDED", kept[1:])}, now(), EXCLUDED.deleted_by, EXCLUDED.deletion);
    INSERT INTO product_changes (product_id, version, person, action)
    VALUES (OLD.id, OLD.version, {WHOSE}, 'deleted');
    RETURN NULL;
END $$
""",  # noqa: S608
    )


def _on_sqlite(fields: tuple[str, ...]) -> tuple[str, ...]:
    """SQLite has no settings, but functions of the program's (app/api/database.py)."""
    kept = columns(fields)
    differences = _each(
        "'{field}', CASE WHEN OLD.{field} IS NOT NEW.{field} THEN json_array(OLD.{field}, NEW.{field}) END", fields
    )
    return (
        "DROP TRIGGER IF EXISTS products_note_change",
        f"""
CREATE TRIGGER products_note_change AFTER UPDATE ON products
WHEN {_each("OLD.{field} IS NOT NEW.{field}", fields, " OR ")} BEGIN
    INSERT INTO product_changes (product_id, version, person, action, changes) VALUES (
        NEW.id, NEW.version, catalogue_person(), 'changed', json_patch('{{}}', json_object({differences})));
END""",  # noqa: S608
        "DROP TRIGGER IF EXISTS products_keep_deleted",
        f"""
CREATE TRIGGER products_keep_deleted AFTER DELETE ON products BEGIN
    INSERT OR REPLACE INTO deleted_products ({", ".join(kept)}, deleted_by)
    VALUES ({_of("OLD", kept)}, catalogue_person());
    INSERT INTO product_changes (product_id, version, person, action)
    VALUES (OLD.id, OLD.version, catalogue_person(), 'deleted');
END""",  # noqa: S608
    )
