"""`make demo`: fills the catalogue with a few thousand example products through the public API."""

import os
import sys

import requests

from app.example_products import example_file

SECONDS = (5, 300)  # to connect, and for all of them to be written


def main() -> int:
    """Import the products at API_URL; one sentence and exit code 1 when the API is not there or refuses them."""
    api_url = os.environ.get("API_URL", "http://127.0.0.1:8000").rstrip("/")
    try:
        response = requests.post(
            f"{api_url}/products/import", example_file(), headers={"Content-Type": "text/csv"}, timeout=SECONDS
        )
        response.raise_for_status()
    except requests.ConnectionError:
        print(f"make demo: nothing answers at {api_url}; start it with `make run` or `make up`.", file=sys.stderr)
        return 1
    except requests.RequestException as error:
        said = str(error) if error.response is None else error.response.text
        print(f"make demo: {api_url}/products/import: {said}", file=sys.stderr)
        return 1
    print(f"{response.json()['created']} products are now in the catalogue at {api_url}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
