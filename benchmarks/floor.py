"""The API's own routes without a database, run as the API is: what FastAPI and Uvicorn take by themselves.

Same addresses, parameters, validation and sign-in, read from the API's router; each endpoint gives back an answer that
was made before.
"""

import functools
import inspect
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import FastAPI, Response
from fastapi.routing import APIRoute

from app.api import problem_handlers
from app.api.gate import Gate
from app.api.models import Categoria
from app.api.request_log import RequestLog
from app.api.resources import make_resources
from app.api.router import router, router_of_one
from app.api.schemas import ProductResponse
from app.api.security_headers import SecurityHeaders
from app.api.server import serve
from app.api.settings import Settings

NOW = datetime.now(UTC)
PRODUCT = ProductResponse.model_construct(
    id=1,
    name="Geladeira Frost Free 375 L",
    description="Branca, 110 V",
    price=Decimal("2899.90"),
    categoria=Categoria.ELETRODOMESTICO,
    email_fornecedor="vendas@fornecedor.example.com",
    created_at=NOW,
    updated_at=NOW,
    version=1,
)
ONE = PRODUCT.model_dump_json().encode()
PAGE = b"[" + b",".join([ONE] * 50) + b"]"


def make_app() -> FastAPI:
    """Build the application."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with make_resources(app, Settings()):  # the database among them opens no connection before its first use
            yield

    app = FastAPI(lifespan=lifespan, redirect_slashes=False)
    problem_handlers.install(app)
    app.add_middleware(Gate)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog)
    for route in (*router.routes, *router_of_one.routes):
        if isinstance(route, APIRoute):
            is_list = route.path.rstrip("/") == router.prefix and "GET" in (route.methods or ())
            app.add_api_route(
                route.path,
                _constant(route.endpoint, PAGE if is_list else ONE, route.status_code or 200),
                methods=list(route.methods or ()),
                response_model=route.response_model,
                status_code=route.status_code,
            )
    return app


def _constant(endpoint: Callable[..., Any], body: bytes, status: int) -> Callable[..., Any]:
    """Return a function with `endpoint`'s parameters that answers with `body`."""

    def answer(**_parameters: Any) -> Response:
        return Response(body, status, media_type="application/json")

    async def answer_at_once(**parameters: Any) -> Response:
        return answer(**parameters)

    return functools.wraps(endpoint)(answer_at_once if inspect.iscoroutinefunction(endpoint) else answer)


if __name__ == "__main__":
    serve(make_app(), "127.0.0.1", int(os.environ["API_PORT"]), "line")
