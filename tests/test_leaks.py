"""A secret in a log is found, whoever wrote it."""

import sys
from pathlib import Path

import pytest

from testkit.leaks import refuse_secrets
from testkit.server import serving

TOKEN = "test-service-token-of-at-least-32-characters"
SIGNED = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        (f"GET / {TOKEN}", {}),
        (f"Authorization: Bearer {SIGNED}", {}),
        ("connecting to hunter2-hunter2", {"DATABASE_URL": "postgresql://ana:hunter2-hunter2@db/catalogue"}),
        ("the secret is 0123456789", {"COOKIE_SECRET": "0123456789"}),
    ],
)
def test_a_secret_is_found(text: str, environment: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match="holds a secret"):
        refuse_secrets(text, environment, "it")


def test_what_is_none_is_left_alone() -> None:
    refuse_secrets(
        "GET /products/1 200 db", {"PGPASSWORD": "x", "API_URL": "http://db:8000", "LEVEL": "GET /pro"}, "it"
    )


def test_a_server_that_writes_its_token_is_refused(tmp_path: Path) -> None:
    program = "import os, sys; print(os.environ['MY_TOKEN'], flush=True); from http.server import test; "
    program += "from http.server import SimpleHTTPRequestHandler as h; test(h, port=int(os.environ['PORT']))"
    with (
        pytest.raises(AssertionError, match="MY_TOKEN"),
        serving([sys.executable, "-c", program], "PORT", "/", {"MY_TOKEN": "0123456789"}, tmp_path / "log"),
    ):
        pass
