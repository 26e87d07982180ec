"""`make demo`: fills the catalogue with a few thousand example products through the public API.

In the database that `make run` runs they come as if over nine months, more and more of them; the API itself knows no
other moment of a product's creation than now.
"""

import os
import sys
from typing import Any

import requests
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.example_products import PRODUCTS, example_file
from app.running import api_url, database_url

SECONDS = (5, 300)  # to connect, and for all of them to be written
# What one import has written has one moment. The square root: each day brings a few more than the one before.
OVER_MONTHS = text("""
UPDATE products SET created_at = moment, updated_at = moment
FROM (
    SELECT id, now() - interval '270 days' * (1 - sqrt(row_number() OVER (ORDER BY id) / count(*) OVER ()::float))
        AS moment
    FROM products WHERE created_at = (SELECT created_at FROM products ORDER BY id DESC LIMIT 1)
) AS example
WHERE products.id = example.id
""")


def main() -> int:
    """Import the products, unless they are there; one sentence and exit code 1 when the API is not or refuses them."""
    elsewhere = os.environ.get("API_URL")
    url = elsewhere or api_url()
    products = f"{url.rstrip('/')}/products"
    try:
        there = _answer("POST", f"{products}/import/preview")["same"]
        created = 0 if there else _answer("POST", f"{products}/import")["created"]
        total = _total(f"{products}/")
    except requests.ConnectionError:
        print(f"make demo: nothing answers at {url}; start it with `make run` or `make up`.", file=sys.stderr)
        return 1
    except requests.RequestException as error:
        said = str(error) if error.response is None else error.response.text
        where = products if error.request is None else error.request.url
        print(f"make demo: {where}: {said}", file=sys.stderr)
        return 1
    if there:
        print(f"{there} of the {PRODUCTS} example products are in the catalogue already, so none was added.")
    else:
        over_months = not elsewhere and _spread_over_months(database_url())
        print(f"{created} example products were added{', as if over nine months' if over_months else ''}.")
    print(f"The catalogue at {url} has {total} products.")
    return 0


def _spread_over_months(database: str) -> bool:
    if not database:
        return False
    engine = create_engine(database)
    try:
        with engine.begin() as connection:
            connection.execute(OVER_MONTHS)
    except SQLAlchemyError as error:
        print(f"make demo: all of them are of today: {error}", file=sys.stderr)
        return False
    finally:
        engine.dispose()
    return True


def _answer(method: str, url: str) -> Any:
    response = requests.request(method, url, data=example_file(), headers={"Content-Type": "text/csv"}, timeout=SECONDS)
    response.raise_for_status()
    return response.json()


def _total(url: str) -> int:
    response = requests.get(f"{url}?limit=1&count=exact", timeout=SECONDS)
    response.raise_for_status()
    return int(response.headers["X-Total-Count"])


if __name__ == "__main__":
    sys.exit(main())
