"""What every application is asked in a rehearsal, and the script that it may bring, over real HTTP."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

from infra.compose import Project, read
from infra.rehearsal import use as use_module
from infra.rehearsal.emulator import Emulator
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.public_paths import ask_public_paths
from infra.rehearsal.site import Site

COMPOSE = """
name: shop
services:
  site:
    image: example/site:1
    ports: ["3000"]
    deploy: &small {resources: {limits: {cpus: "0.25", memory: 256M}}}
    x-aws: {public: {paths: [/*], health_path: /well}}
  api:
    image: example/api:1
    ports: ["8000"]
    deploy: *small
    x-aws: {public: {paths: ["/api/*"], health_path: /api/health, health_codes: "200,401-403"}}
  admin:
    image: example/admin:1
    ports: ["8001"]
    deploy: *small
    x-aws: {public: {paths: ["/admin/?/*"], health_path: /health}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An application with three public services, of which one has its health path where people do not get to it."""
    file = tmp_path / "compose.yaml"
    file.write_text(COMPOSE)
    return read(file)


@contextmanager
def answering(answers: dict[str, int]) -> Iterator[Site]:
    """Answer paths with a status, others with 404, at the name of the public URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_ours = self.headers["Host"] == "shop.example.com" and self.headers["X-Forwarded-Proto"] == "https"
            self.send_response(answers.get(self.path, 404) if is_ours else 421)
            self.end_headers()
            self.wfile.write(b"in a few words")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}", "https://shop.example.com", "")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_each_public_service_is_asked_where_people_get_to_it(project: Project) -> None:
    with answering({"/well": 200, "/api/health": 401}) as site:
        assert ask_public_paths(site, project) == [
            "GET /well 200 (site)",
            "GET /api/health 401 (api)",
            "GET /admin/_/ 404 (admin)",
        ]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"/well": 404, "/api/health": 200}, r"GET /well .* which site answers, answered 404: in a few words"),
        ({"/well": 200, "/api/health": 404}, r"GET /api/health .* which api answers, answered 404"),
        ({"/well": 200, "/api/health": 200, "/admin/_/": 502}, r"GET /admin/_/ .* which admin answers, answered 502"),
    ],
)
def test_one_that_is_not_well_is_named_with_what_it_said(project: Project, answers: dict[str, int], said: str) -> None:
    with answering(answers) as site, pytest.raises(RehearsalError, match=said):
        ask_public_paths(site, project)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("def round_trip(site, emulator): return [site.url]", None),
        ("def round_trip(site, emulator): raise ValueError('not as it should be')", r"smoke .*: not as it should be"),
        ("def something_else(): pass", r"smoke \(cdk.json: context.round_trip\): module 'smoke' has no attribute"),
        (None, r"smoke \(cdk.json: context.round_trip\): No module named 'smoke'"),
    ],
)
def test_an_application_that_brings_a_script_is_used_by_it(
    project: Project, script: str | None, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_module, "run_scheduled_tasks", lambda *_: ["nothing runs by the clock"])
    monkeypatch.delitem(sys.modules, "smoke", raising=False)
    if script:
        (project.file.parent / "smoke.py").write_text(script)
    emulator = cast("Emulator", None)
    with answering({"/well": 200, "/api/health": 200}) as site:
        if said is None:
            assert use_module.use(site, emulator, project, "shop-dev", "smoke")[-2:] == [
                "nothing runs by the clock",
                "https://shop.example.com",
            ]
        else:
            with pytest.raises(RehearsalError, match=said):
                use_module.use(site, emulator, project, "shop-dev", "smoke")
    monkeypatch.delitem(sys.modules, "smoke", raising=False)
