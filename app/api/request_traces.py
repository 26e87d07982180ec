"""A span for each request and one for each of its statements, for whoever asks for traces (app/tracing.py).

By hand, as no instrumentation knows our statements in the event loop (prepared.py). The names are OpenTelemetry's
(https://opentelemetry.io/docs/specs/semconv/). Nothing personal is in a span: no query string, no header, no values
of a statement, no words of an error.
"""

import time

from opentelemetry import propagate
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import request_log
from app.tracing import Traces

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
BAGGAGE = b"baggage"  # which nothing here asks for, and of which a stranger's may have thousands of entries to read
SQL_CHARACTERS = 1000  # of a statement: one that inserts many rows is long, and thousands of spans wait to be sent


class RequestTraces:
    """The ASGI middleware around the log, whose requests are given the id of the trace."""

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self._app, self._tracer = app, traces.tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer within a span, which is part of the caller's trace if there is one."""
        if scope["type"] != "http" or scope["path"].startswith("/health/"):  # as in the log
            await self._app(scope, receive, send)
            return
        status = 500  # of an answer that never began

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"] if scope["method"] in METHODS else "HTTP"
        came = {str(name, "latin-1"): str(value, "latin-1") for name, value in scope["headers"] if name != BAGGAGE}
        with self._tracer.start_as_current_span(
            method,
            context=propagate.extract(came),
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            goes_on: dict[str, str] = {}
            propagate.inject(goes_on)
            names = {name.encode() for name in goes_on}
            headers = [(name, value) for name, value in scope["headers"] if name not in names]
            scope = {**scope, "headers": headers + [(name.encode(), goes_on[name].encode()) for name in goes_on]}
            token = request_log.on_statement.set(self._add_statement)
            try:
                await self._app(scope, receive, send_and_look)
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                raise
            finally:
                request_log.on_statement.reset(token)
                _describe(span, scope, method, status)

    def _add_statement(self, sql: str, seconds: float, error: BaseException | None) -> None:
        now = time.time_ns()
        operation = sql.split(None, 1)[0].upper() if sql.strip() else "SQL"
        span = self._tracer.start_span(
            operation,
            kind=SpanKind.CLIENT,
            start_time=now - round(seconds * 1e9),
            attributes={"db.operation.name": operation, "db.query.text": sql[:SQL_CHARACTERS]},
        )
        if error is not None:
            span.set_attribute("error.type", type(error).__name__)
            if code := getattr(error, "sqlstate", None) or getattr(error, "pgcode", None):  # asyncpg's and psycopg2's
                span.set_attribute("db.response.status_code", code)
            span.set_status(StatusCode.ERROR)
        span.end(now)


def _describe(span: Span, scope: Scope, method: str, status: int) -> None:
    span.set_attribute("http.request.method", "_OTHER" if method == "HTTP" else method)
    span.set_attribute("http.response.status_code", status)
    span.set_attribute("url.scheme", scope["scheme"])
    if route := getattr(scope.get("route"), "path", None):
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
