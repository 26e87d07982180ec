"""Traces as OpenTelemetry's variables ask for them: what arrives, and what a collector that does not answer changes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2 as httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import URL, create_engine, text

from app import tracing
from app.ui.client.api_client import ApiClient
from testkit.server import API, api
from testkit.tools import ROOT
from tests.api.serving import eventually

TOKEN = "a-service-token-of-at-least-32-characters"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


class Collector(ThreadingHTTPServer):
    """Takes spans by OTLP over HTTP, with the name of the service that made each; or takes none and never answers."""

    daemon_threads = True

    def __init__(self, *, hangs: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[tuple[str, Span]] = []
        self.asked, self.hangs, self.is_over = Event(), hangs, Event()

    @property
    def variables(self) -> dict[str, str]:
        return {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server_port}"}

    def span(self, service: str, name: str) -> Span | None:
        return next((span for maker, span in [*self.spans] if (maker, span.name) == (service, name)), None)


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.set()
        if self.server.hangs:
            self.server.is_over.wait(120)
            return
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.server.spans += [(names["service.name"], span) for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_message: Any) -> None:
        """Say nothing."""


@contextmanager
def collecting(*, hangs: bool = False) -> Iterator[Collector]:
    with Collector(hangs=hangs) as collector:
        thread = Thread(target=collector.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            collector.is_over.set()
            collector.shutdown()
            thread.join()


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().rpartition("\n")[0].splitlines() if line.startswith("{")]


def test_a_request_and_its_statements_are_spans_of_the_callers_trace(
    migrated_postgres_url: URL, tmp_path: Path, product: dict[str, Any]
) -> None:
    log = tmp_path / "api.log"
    variables = {"OTEL_TRACES_EXPORTER": "console", "LOG_FORMAT": "json", "SERVICE_TOKEN": TOKEN}
    with (
        api(migrated_postgres_url, log, **variables) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}", **CALLER}) as client,
    ):
        assert client.post("/products/", json=product).headers["x-request-id"] == TRACE
        client.get("/products/summary?time_zone=America/Sao_Paulo")  # in a thread
        client.get("/health/ready")
        client.get("/nothing?name=somebody")

    spans = {line["name"]: line for line in lines(log) if "context" in line}
    post = spans["POST /products/"]
    assert post["kind"] == "SpanKind.SERVER"
    assert (post["context"]["trace_id"], post["parent_id"]) == (f"0x{TRACE}", f"0x{PARENT}")
    assert post["resource"]["attributes"]["service.name"] == "api"
    assert (post["attributes"]["http.route"], post["attributes"]["http.response.status_code"]) == ("/products/", 201)
    [insert] = [line for line in lines(log) if line.get("parent_id") == post["context"]["span_id"]]
    assert (insert["context"]["trace_id"], insert["name"]) == (f"0x{TRACE}", "INSERT")
    assert insert["attributes"]["db.query.text"].startswith("INSERT INTO products")
    of_summary = [
        line for line in lines(log) if line.get("parent_id") == spans["GET /products/summary"]["context"]["span_id"]
    ]
    assert of_summary
    assert spans["GET"]["attributes"]["http.response.status_code"] == 404
    assert not [name for name in spans if "health" in name]

    [logged] = [line for line in lines(log) if line.get("status") == 201]
    assert logged["trace_id"] == TRACE
    for personal in (product["name"], product["email_fornecedor"], TOKEN, "somebody"):
        assert personal not in log.read_text()


def test_headers_of_a_stranger_that_are_no_trace_are_not_in_the_log(migrated_postgres_url: URL, tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    hostile = {"baggage": "somebody\xff," * 500, "tracestate": "somebody," * 500, **CALLER}
    variables = {"OTEL_TRACES_EXPORTER": "console", "LOG_FORMAT": "json", "SERVICE_TOKEN": TOKEN}
    with api(migrated_postgres_url, log, **variables) as server:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in hostile.items()]
        assert httpx.get(f"{server.url}/products/", headers=headers).status_code == 401
        eventually(lambda: [line for line in lines(log) if line.get("status") == 401])
    assert "somebody" not in log.read_text()
    assert len(lines(log)) < 20


def test_a_statement_that_fails_is_an_error_with_its_code(
    migrated_postgres_url: URL, tmp_path: Path, product: dict[str, Any]
) -> None:
    log = tmp_path / "api.log"
    variables = {"OTEL_TRACES_EXPORTER": "console", "STATEMENT_TIMEOUT_SECONDS": "0.3"}
    with (
        api(migrated_postgres_url, log, **variables) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
        create_engine(migrated_postgres_url).connect() as other,
    ):
        other.execute(text("LOCK TABLE products IN ACCESS EXCLUSIVE MODE"))  # until this connection is closed
        in_event_loop = client.get("/products/1")
        in_thread = client.post("/products/", json=product, headers={"Idempotency-Key": "locked"})
        assert in_event_loop.status_code == in_thread.status_code == 503

    for name in ("GET /products/{product_id}", "POST /products/"):
        [request] = [line for line in lines(log) if line["name"] == name]
        failed = [line for line in lines(log) if line["parent_id"] == request["context"]["span_id"]][-1]
        assert failed["attributes"]["db.response.status_code"] == "57014"  # query_canceled
        assert failed["status"]["status_code"] == request["status"]["status_code"] == "ERROR"
    assert product["name"] not in log.read_text()


def test_the_uis_requests_and_the_apis_answers_are_one_trace(
    migrated_postgres_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        for name, value in collector.variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(tracing, "_traces", None)
        traces = tracing.start("ui")
        assert traces
        with closing(traces), api(migrated_postgres_url, OTEL_SERVICE_NAME="the-api") as server:
            ApiClient(server.url).list_products()
        # Both have ended, and have sent what they had by then.
        asked, answered = collector.span("ui", "GET"), collector.span("the-api", "GET /products/")
        assert asked
        assert answered
        assert (answered.trace_id, answered.parent_span_id) == (asked.trace_id, asked.span_id)
        select = collector.span("the-api", "SELECT")
        assert select
        assert select.parent_span_id == answered.span_id


def test_a_collector_that_hangs_stops_neither_requests_nor_the_end(migrated_postgres_url: URL, tmp_path: Path) -> None:
    with collecting(hangs=True) as collector:
        patient = {**collector.variables, "OTEL_EXPORTER_OTLP_TIMEOUT": "100", "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with api(migrated_postgres_url, tmp_path / "api.log", **patient) as server:
            httpx.get(f"{server.url}/products/")
            eventually(collector.asked.is_set)
            assert {httpx.get(f"{server.url}/products/").status_code for _ in range(5)} == {200}
            server.process.terminate()
            server.process.wait(20)  # OpenTelemetry by itself would take 30 seconds


def test_a_collector_that_is_not_there_leaves_a_line_in_the_log(migrated_postgres_url: URL, tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    nowhere = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    with api(migrated_postgres_url, log, OTEL_BSP_SCHEDULE_DELAY="100", LOG_FORMAT="json", **nowhere) as server:
        assert httpx.get(f"{server.url}/products/").status_code == 200
        eventually(lambda: "127.0.0.1" in "".join(line["message"] for line in lines(log) if line["level"] != "INFO"))


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
    ],
)
def test_nothing_of_it_is_imported_unless_it_is_asked_for(variables: dict[str, str]) -> None:
    code = """if True:
        import sys
        from app.api import main
        assert main.start("api") is None
        theirs = ("opentelemetry.sdk", "opentelemetry.exporter", "google")  # FastAPI imports opentelemetry itself
        print([name for name in sys.modules if name.startswith(theirs)])
    """
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout, run.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: must be console, otlp or none; not 'zipkin'"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL: must be http/protobuf, at port 4318 of most collectors; not 'grpc'",
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"},
            "OTEL_…: a value cannot be read: max_queue_size must be a positive integer.",
        ),
    ],
)
def test_what_is_not_here_is_refused_in_a_sentence(variables: dict[str, str], sentence: str) -> None:
    run = subprocess.run(API, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.strip() == f"api: {sentence}"
