"""The FastAPI application; `python -m app.api.main` serves it."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.errors import ServerErrorMiddleware

from app.api import __version__, health, openapi, problem_handlers
from app.api import bin as recycle_bin
from app.api.database import make_engine
from app.api.gate import Gate
from app.api.readiness import wait_until_ready
from app.api.request_log import RequestLog
from app.api.resources import make_resources
from app.api.router import router, router_of_one
from app.api.router_transfer import router as transfer_router
from app.api.security_headers import SecurityHeaders
from app.api.server import serve
from app.api.settings import InvalidSettingsError, Settings, read_settings
from app.tracing import ClosesTraces, InvalidTracingError, start

# FastAPI's own spans have query strings in them, and so whom or what somebody looks for: request_traces.py has ours.
TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; without `settings` they are read from the environment when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with make_resources(app, settings or read_settings()) as resources:
            # As many request threads as connections: a request waits for a thread, never for a connection in a thread.
            anyio.to_thread.current_default_thread_limiter().total_tokens = resources.database.threads
            async with recycle_bin.purging(resources.database.engine):
                yield

    app = FastAPI(
        title="Catalogue",
        summary="A product catalogue: create, read, update and delete products.",
        version=__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=None,  # openapi.py has it, and the page
        docs_url=None,
        redoc_url=None,
        telemetry=TELEMETRY,
    )
    problem_handlers.install(app)
    app.add_middleware(Gate)
    app.add_middleware(ServerErrorMiddleware, handler=app.exception_handlers[Exception])  # FastAPI's own is outside all
    app.add_middleware(SecurityHeaders)  # also on what these two answer
    app.add_middleware(RequestLog)
    openapi.install(app)
    # What is asked for most first. Not by `include_router`: it looks for an address twice, which takes as long as all
    # else that FastAPI does for a request (python -m benchmarks requests).
    for part in (router, transfer_router, router_of_one, health.router):
        app.router.routes += part.routes
    return app


app = create_app()


def main() -> int:
    """Wait for the database, then serve until SIGINT or SIGTERM, then finish the requests under way."""
    try:
        settings, traces = read_settings(), start("api")
    except (InvalidSettingsError, InvalidTracingError) as error:
        print(f"api: {error}", file=sys.stderr)
        return 1
    engine = make_engine(settings)
    reason = wait_until_ready(engine, seconds=settings.database_wait_seconds)
    engine.dispose()
    if reason:
        # Not starting is what lets a deployment with a wrong address or a missing migration be rolled back.
        print(f"api: not started: {reason}", file=sys.stderr)
        return 1
    if traces:
        from app.api.request_traces import RequestTraces  # only here: it imports OpenTelemetry

        app.add_middleware(RequestTraces, traces)
        app.add_middleware(ClosesTraces, traces)
    serve(app, settings.api_host, settings.api_port, settings.log_format)
    return 0


if __name__ == "__main__":
    sys.exit(main())
