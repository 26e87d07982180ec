"""The OpenAPI document: what FastAPI knows of the routes, and what it has no words for.

It is made when somebody asks for it, not when the API starts. An example of a body is put together from the examples
of its fields, and a problem's is the answer to the error that the route names, so that neither says what is not so.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from app.api.auth import SCHEME
from app.api.gate import OPEN
from app.api.problem_handlers import Problem

Json = dict[str, Any]
ADDRESS = "/openapi.json"
SWAGGER_UI = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/"
COMPONENTS = "#/components/schemas/"


def operation_id(route: APIRoute) -> str:
    """Return the name of a route's operation, for every router's `generate_unique_id_function`."""
    return route.name.removesuffix("_route")


def install(app: FastAPI) -> None:
    """Have `app` answer with the whole document."""
    made_by_fastapi = app.openapi

    def document() -> Json:
        if app.openapi_schema is None:
            _complete(made_by_fastapi())
        return made_by_fastapi()

    app.openapi = document  # type: ignore[method-assign]
    page = _docs_page(app.title)

    @cache
    def answer() -> Response:
        """Return the document as it is sent: strangers may ask, and to write it takes as long as ten products."""
        return JSONResponse(document())

    @app.get(ADDRESS, include_in_schema=False)
    async def openapi() -> Response:
        return answer()

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return page


def _docs_page(title: str) -> Response:
    """Return Swagger UI's page, with a policy that allows what it consists of and nothing else."""
    page = get_swagger_ui_html(openapi_url=ADDRESS, title=title)
    (script,) = re.findall(b"<script>(.*?)</script>", bytes(page.body), re.DOTALL)
    script_hash = base64.b64encode(hashlib.sha256(script).digest()).decode()
    page.headers["content-security-policy"] = (
        f"default-src 'none'; script-src {SWAGGER_UI} 'sha256-{script_hash}'; style-src {SWAGGER_UI} 'unsafe-inline'; "
        "img-src data: https://fastapi.tiangolo.com/img/; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return page


def _complete(document: Json) -> None:
    schemas = document["components"]["schemas"]
    _, problem = models_json_schema([(Problem, "serialization")], ref_template=COMPONENTS + "{model}")
    schemas.update(problem["$defs"])
    document["components"]["securitySchemes"] = {"bearer": SCHEME}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path not in OPEN:
                operation["security"] = [{"bearer": []}]
            for parameter in operation.get("parameters", ()):
                _drop_null(parameter["schema"])
            for answer in (operation.get("requestBody", {}), *operation["responses"].values()):
                for media_type in answer.get("content", {}).values():
                    if not media_type.keys() & {"example", "examples"}:
                        media_type["example"] = _example(media_type["schema"], schemas)
    # Without it nothing is ever deleted; it is optional in the code only for the answer to say the number.
    (confirm,) = (p for p in document["paths"]["/products/"]["delete"]["parameters"] if p["name"] == "confirm")
    confirm["required"] = True


def _drop_null(schema: Json) -> None:
    """Say of a parameter what it is when it is sent; left out it is no null."""
    match schema:
        case {"anyOf": [sent, {"type": "null"}]}:
            del schema["anyOf"]
            schema.update(sent | schema)


def _example(schema: Mapping[str, Any], schemas: Mapping[str, Json]) -> Any:
    match schema:
        case {"examples": [first, *_]} | {"enum": [first, *_]} | {"const": first}:
            return first
        case {"$ref": reference}:
            return _example(schemas[reference.removeprefix(COMPONENTS)], schemas)
        case {"anyOf": [first, *_]}:
            return _example(first, schemas)
        case {"type": "array", "items": items}:
            return [_example(items, schemas)]
        case {"properties": properties}:
            return {name: _example(field, schemas) for name, field in properties.items()}
    raise ValueError(f"no example in {schema}")
