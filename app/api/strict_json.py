"""JSON whose objects have each key once; Python's own reader takes the last of equal ones, and says nothing."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.api.errors import shown


def loads(text: str | bytes) -> Any:
    """Return what JSON says.

    Raises:
        json.JSONDecodeError: it is none, or a key stands twice in an object (RFC 8259, 4: then readers differ).
    """
    return json.loads(text, object_pairs_hook=_object)


class StrictRoute(APIRoute):
    """A route whose body is read so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def read_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return read_strictly


class _StrictRequest(Request):
    async def json(self) -> Any:
        """Return the body."""
        return loads(await self.body())


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise json.JSONDecodeError(f'the key "{shown(repeated)}" stands twice in an object', "", 0)
    return found
