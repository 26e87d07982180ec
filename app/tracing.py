"""Traces of what a process does, by OpenTelemetry's own environment variables; without them nothing of it is imported.

OTEL_TRACES_EXPORTER turns them on: `console` prints them, `otlp` sends them to OTEL_EXPORTER_OTLP_ENDPOINT. All others
of https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ are the SDK's to read.
"""

import os
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

EXPORTER = "OTEL_TRACES_EXPORTER"
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
FLUSH_SECONDS = 3  # for what is left at the end, within docker-compose.yml's stop_grace_period

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Message, Receive, Send], Awaitable[None]]


class InvalidTracingError(Exception):
    """A variable of OpenTelemetry's has a value that cannot work here; the message names it."""


class Traces:
    """Where spans are made, and what they are sent with."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self.tracer = provider.get_tracer("catalogue")

    def close(self) -> None:
        """Send what is left, for FLUSH_SECONDS at most: a collector that hangs does not hold up the end."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(FLUSH_SECONDS)


class ClosesTraces:
    """The ASGI middleware that closes them before the server says that it has ended: a signal ends the process then."""

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self._app, self._traces = app, traces

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def closing(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                self._traces.close()
            await send(message)

        await self._app(scope, receive, closing)


@dataclass
class Outgoing:
    """A request to another service: what it carries, and how it was answered."""

    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None


_traces: Traces | None = None  # of the process


def start(service: str) -> Traces | None:
    """Have the process make traces, if the environment asks for them; `service` is its name where that gives none.

    Raises:
        InvalidTracingError: it asks for what is not here.
    """
    global _traces
    exporter = os.environ.get(EXPORTER, "").strip() or "none"
    if exporter == "none" or os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if exporter not in ("console", "otlp"):
        raise InvalidTracingError(f"{EXPORTER}: must be console, otlp or none; not {exporter!r}")
    for name in PROTOCOLS:
        if (value := os.environ.get(name) or PROTOCOL) != PROTOCOL:
            raise InvalidTracingError(f"{name}: must be {PROTOCOL}, at port 4318 of most collectors; not {value!r}")
    try:
        _traces = Traces(_provider(service, exporter))
    except ValueError as error:  # such as a number that is none
        raise InvalidTracingError(f"OTEL_…: a value cannot be read: {error}") from None
    return _traces


@contextmanager
def request_to(method: str, url: str) -> Iterator[Outgoing]:
    """Have a request to another service be part of the trace; `url` has no query, which may hold who is looked for."""
    outgoing = Outgoing()
    if _traces is None:
        yield outgoing
        return
    from opentelemetry import propagate
    from opentelemetry.trace import SpanKind, StatusCode

    attributes = {"http.request.method": method, "url.full": url}
    with _traces.tracer.start_as_current_span(
        method, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        propagate.inject(outgoing.headers)
        try:
            yield outgoing
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            if outgoing.status is not None:
                span.set_attribute("http.response.status_code", outgoing.status)
                if outgoing.status >= 400:
                    span.set_status(StatusCode.ERROR)


def _provider(service: str, exporter: str) -> "TracerProvider":
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: service}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    processor: SpanProcessor
    if exporter == "console":  # at once, a span a line, for whoever looks on
        processor = SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: f"{span.to_json(indent=None)}\n"))
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        # From a thread of its own; what does not fit its queue (OTEL_BSP_MAX_QUEUE_SIZE, 2,048 spans) is dropped.
        processor = BatchSpanProcessor(OTLPSpanExporter())
    provider.add_span_processor(processor)
    return provider
