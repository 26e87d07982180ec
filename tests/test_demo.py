"""`make demo` loads the same realistic products every time, through the public API."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx2 as httpx
from sqlalchemy import URL

from app.example_products import PRODUCTS, demo_products
from app.ui.client.api_client import ApiClient
from app.ui.products import example
from testkit.database import API_ROLE
from testkit.server import running
from testkit.tools import ROOT


def test_the_products_are_the_same_on_every_call_and_cover_all_categories() -> None:
    products = list(demo_products(500))
    assert products == list(demo_products(500))
    counts = Counter(p["categoria"] for p in products)
    assert counts == {"Roupas": 180, "Calçados": 120, "Eletrodoméstico": 80, "Móveis": 60, "Eletrônico": 60}
    assert len({p["name"] for p in products}) > 200


def run_demo(api_url: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "API_URL": api_url}
    command = [sys.executable, "-m", "app.demo"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_api_takes_them_all_once(api_url: str) -> None:
    first, second = run_demo(api_url), run_demo(api_url)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    total = f"The catalogue at {api_url} has {PRODUCTS} products.\n"
    assert first.stdout == f"{PRODUCTS} example products were added.\n{total}"
    assert "already, so none was added" in second.stdout
    assert second.stdout.endswith(total)
    assert httpx.get(f"{api_url}/products/", params={"count": "exact"}).headers["x-total-count"] == str(PRODUCTS)


def test_the_ui_loads_the_same_ones(api_url: str) -> None:
    client = ApiClient(api_url)
    assert example.load(client) == PRODUCTS
    [newest] = client.list_products(sort="-id", limit=1).products
    *_, last = demo_products(PRODUCTS)
    assert (newest.name, newest.description, float(newest.price)) == (last["name"], last["description"], last["price"])


def test_an_api_that_refuses_them_is_one_sentence(migrated_postgres_url: URL, tmp_path: Path) -> None:
    url = migrated_postgres_url.set(username=API_ROLE).render_as_string(hide_password=False)
    environment = {"DATABASE_URL": url, "SERVICE_TOKEN": "a-service-token-of-at-least-32-characters"}
    command = [sys.executable, "-m", "app.api.main"]
    with running(command, "API_PORT", "/health/ready", environment, tmp_path / "api.log") as api_url:
        result = run_demo(api_url)
    assert result.returncode == 1
    assert f"make demo: {api_url}/products/import/preview: " in result.stderr
    assert "token" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_api_is_one_sentence() -> None:
    result = run_demo("http://127.0.0.1:1")
    assert result.returncode == 1
    assert "nothing answers at http://127.0.0.1:1" in result.stderr
    assert "Traceback" not in result.stderr
