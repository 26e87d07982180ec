"""Answers that take longer than a connection may be silent: load balancers, proxies and clients give up after a minute.

They begin in time, with the white space that JSON may begin with, and go on with it until there is something to say.
Whoever accepts JSON Lines is told meanwhile how far it is, and in the last line what it came to.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any

from fastapi import Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from app.api import database_faults
from app.api.problem_handlers import problem_response

LINES = "application/jsonl"
LINE_SECONDS = 0.5  # between two lines that say how far it is
SILENT_SECONDS = 15  # at most; the shortest limit on the way from a browser to a task on AWS is 60
logger = logging.getLogger("uvicorn.error")

Prefer = Annotated[
    str | None,
    Header(
        max_length=200,
        description="`respond-async` (RFC 7240): answer 202 as soon as all has arrived; `Location` says how it goes on",
        examples=["respond-async"],
    ),
]


def wants_no_result(prefer: str | None) -> bool:
    """Say whether the client would rather be told where the result will be than wait for it (RFC 7240)."""
    return any(part.partition(";")[0].strip().lower() == "respond-async" for part in (prefer or "").split(","))


async def result_response(work: "asyncio.Future[Any]", headers: Mapping[str, str] | None = None) -> Response:
    """Answer with the model that `work` comes to, however long that takes; what it raises soon is raised."""
    await asyncio.wait([work], timeout=SILENT_SECONDS)
    return _json(work.result(), headers) if work.done() else _PatientResponse(work, headers)


async def progress_response(
    request: Request, work: "asyncio.Future[Any]", progress: Callable[[], Mapping[str, int]]
) -> Response:
    """Answer as `result_response` does, or line by line where the request accepts that.

    What `work` raises later than the first line is the last one's `problem`; else that has the `result`.
    """
    if LINES not in request.headers.get("accept", ""):
        return await result_response(work)
    await asyncio.wait([work], timeout=LINE_SECONDS)
    return _json(work.result(), None) if work.done() else StreamingResponse(_lines(work, progress), media_type=LINES)


async def _lines(work: "asyncio.Future[Any]", progress: Callable[[], Mapping[str, int]]) -> AsyncIterator[bytes]:
    while not work.done():
        yield json.dumps(progress()).encode() + b"\n"
        await asyncio.wait([work], timeout=LINE_SECONDS)
    try:
        yield b'{"result":' + work.result().model_dump_json().encode() + b"}\n"
    except Exception as error:
        logger.error("a long request failed: %s", error)
        yield b'{"problem":' + bytes(problem_response(database_faults.api_error(error)).body) + b"}\n"


def _json(result: BaseModel, headers: Mapping[str, str] | None) -> Response:
    return Response(result.model_dump_json(), 200, headers, "application/json")


class _PatientResponse(Response):
    """An answer whose end is not known yet: 200 has been said, so what fails now breaks the connection off."""

    def __init__(self, work: "asyncio.Future[Any]", headers: Mapping[str, str] | None) -> None:
        self.media_type, self.status_code, self.background = "application/json", 200, None
        self.init_headers(headers)
        self._work = work

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it; a client that has gone away changes nothing."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while not self._work.done():
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.wait([self._work], timeout=SILENT_SECONDS)
        try:
            body = self._work.result().model_dump_json().encode()
        except Exception as error:
            logger.error("a long request failed: %s", error)
            return
        await send({"type": "http.response.body", "body": body, "more_body": False})
