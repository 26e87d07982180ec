"""`make demo`: fills the catalogue with a few thousand example products through the public API."""

import os
import sys
from typing import Any

import requests

from app.example_products import PRODUCTS, example_file
from app.running import api_url

SECONDS = (5, 300)  # to connect, and for all of them to be written


def main() -> int:
    """Import the products, unless they are there; one sentence and exit code 1 when the API is not or refuses them."""
    url = os.environ.get("API_URL") or api_url()
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
        print(f"{created} example products were added.")
    print(f"The catalogue at {url} has {total} products.")
    return 0


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
