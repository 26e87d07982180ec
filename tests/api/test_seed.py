"""The example products that an environment is filled with when nobody has put anything into it."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from fastapi.testclient import TestClient

from app.example_products import PRODUCTS
from testkit.tools import ROOT
from tests.api.conftest import Json, created


def seed(database: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.api.seed"]
    environment = {**os.environ, "DATABASE_URL": database}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def count(client: TestClient) -> int:
    return int(client.get("/products/", params={"limit": 1, "count": "exact"}).headers["X-Total-Count"])


def test_an_empty_catalogue_is_filled_once(client: TestClient, database_url: str) -> None:
    workers = 1 if database_url.startswith("sqlite") else 2  # at once; who has a file has it for himself
    with ThreadPoolExecutor(workers) as at_once:
        done = [*at_once.map(seed, [database_url] * 2)]

    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
    assert sorted(one.stdout for one in done) == [
        f"seed: {PRODUCTS} example products were created.\n",
        "seed: there are products, so none was created.\n",
    ]
    assert count(client) == PRODUCTS
    assert client.get("/products/", params={"q": "geladeira", "limit": 1}).json() != []


def test_what_people_have_put_in_is_left_alone(client: TestClient, database_url: str, product: Json) -> None:
    created(client, product)

    assert seed(database_url).returncode == 0
    assert count(client) == 1


def test_a_database_that_does_not_answer_is_told_in_a_sentence() -> None:
    done = seed("postgresql://catalogue@127.0.0.1:1/catalogue?connect_timeout=2")

    assert done.returncode == 1
    assert done.stderr.startswith("seed: ")
    assert "Traceback" not in done.stderr
