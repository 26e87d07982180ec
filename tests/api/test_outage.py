"""What the API does when its database goes away."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx2 as httpx
from sqlalchemy import make_url

from app.embedded_postgres import embedded_postgres
from testkit.database import server_folder
from testkit.server import running
from testkit.tools import ROOT


def test_an_outage_is_a_503_and_the_api_recovers_by_itself(tmp_path: Path) -> None:
    api = [sys.executable, "-m", "app.api.main"]
    with server_folder() as folder, ExitStack() as stack:
        with embedded_postgres(folder) as url:
            environment = {"DATABASE_URL": url.render_as_string(hide_password=False)}
            migrate = [sys.executable, "-m", "app.api.migrate"]
            subprocess.run(migrate, cwd=ROOT, env={**os.environ, **environment}, check=True)
            log = tmp_path / "api.log"
            api_url = stack.enter_context(running(api, "API_PORT", "/health/ready", environment, log))
            # A list and a product: the requests of threads and those of the event loop have connections of their own.
            assert httpx.get(f"{api_url}/products/").status_code == 200
            assert httpx.get(f"{api_url}/products/1").status_code == 404
        for path in ("/products/", "/products/1"):
            response = httpx.get(api_url + path)
            assert response.status_code == 503
            assert response.headers["retry-after"]
            assert response.json()["detail"].startswith("The database does not answer")
        assert httpx.get(f"{api_url}/health/ready").status_code == 503
        assert httpx.get(f"{api_url}/health/live").status_code == 200
        with embedded_postgres(folder):
            assert httpx.get(f"{api_url}/health/ready").status_code == 200
            assert httpx.get(f"{api_url}/products/").status_code == 200
            assert httpx.get(f"{api_url}/products/1").status_code == 404


def test_the_api_does_not_start_without_its_database() -> None:
    url = "postgresql://user:test-password@127.0.0.1:1/catalogue"
    assert make_url(url).password == "test-password"
    environment = {**os.environ, "DATABASE_URL": url, "DATABASE_WAIT_SECONDS": "0"}
    command = [sys.executable, "-m", "app.api.main"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 1
    assert "api: not started: The database does not answer." in result.stderr
    assert "Traceback" not in result.stderr
    assert "test-password" not in result.stderr
