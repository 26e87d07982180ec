"""`python -m app.api.seed`: the example products, into a catalogue that has none.

For an environment that nobody fills by hand, such as a pull request's: it is run in a task of its own, and does no harm
when it is run again.
"""

import sys

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from app.api.database import make_engine, transaction
from app.api.models import Product
from app.api.schemas import ProductCreate
from app.api.settings import InvalidSettingsError, read_settings
from app.example_products import PRODUCTS, demo_products

SECONDS = 120  # PostgreSQL gives up on a step after this long
LOCK = 7_262_686  # any number, as long as nothing else in this database locks the same one


def seed(engine: Engine) -> int:
    """Create the example products where there is no product, all or none; return how many were created."""
    with transaction(engine, timeout_seconds=SECONDS) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(LOCK)))  # of two at once, the second finds them there
        if connection.execute(select(Product.id).limit(1)).first() is not None:
            return 0
        products = [dict(ProductCreate.model_validate(product)) for product in demo_products(PRODUCTS)]
        connection.execute(insert(Product), products)
    return PRODUCTS


def main() -> int:
    """Say how many were created, or in one sentence why none was."""
    try:
        engine = make_engine(read_settings(), pool_size=1)
        created = seed(engine)
        engine.dispose()
    except (InvalidSettingsError, SQLAlchemyError) as error:
        print(f"seed: {error}", file=sys.stderr)
        return 1
    print(
        f"seed: {created} example products were created."
        if created
        else "seed: there are products, so none was created."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
