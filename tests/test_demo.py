"""`make demo` loads the same realistic products every time, through the public API."""

import os
import subprocess
import sys
from collections import Counter

import httpx2 as httpx

from app.demo import PRODUCTS, demo_products
from tests.tools import ROOT


def test_the_products_are_the_same_on_every_call_and_cover_all_categories() -> None:
    products = list(demo_products(500))
    assert products == list(demo_products(500))
    assert set(Counter(p["categoria"] for p in products).values()) == {100}
    assert len({p["name"] for p in products}) > 200


def run_demo(api_url: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "API_URL": api_url}
    command = [sys.executable, "-m", "app.demo"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_api_takes_them_all(api_url: str) -> None:
    result = run_demo(api_url)
    assert result.returncode == 0, result.stderr
    assert f"{PRODUCTS} products" in result.stdout
    assert httpx.get(f"{api_url}/products/", params={"count": "exact"}).headers["x-total-count"] == str(PRODUCTS)


def test_no_api_is_one_sentence() -> None:
    result = run_demo("http://127.0.0.1:1")
    assert result.returncode == 1
    assert "nothing answers at http://127.0.0.1:1" in result.stderr
    assert "Traceback" not in result.stderr
