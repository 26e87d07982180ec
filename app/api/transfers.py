"""Files on their way in and out: so many at a time, none slower than a minimum, and none for ever."""

import asyncio
import logging
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any, TypeVar

import psycopg2
from anyio import CapacityLimiter, from_thread, to_thread
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.errors import FilesBusyError

WAIT_SECONDS = 10  # for a slot; then the client is told to come back
WAITING_PER_SLOT = 2  # so many more may wait
STALLED_SECONDS = 60  # a client that gives or takes nothing for so long is given up
LEAST_BYTES_PER_SECOND = 16_384  # on the whole, after the first STALLED_SECONDS; a tenth of a poor mobile connection
LONGEST_SECONDS = 1800  # for one file; a GiB at 600 kB a second
PIECE = 2**16  # bytes that are sent at a time, so that a slow client is seen to be alive
Result = TypeVar("Result")
logger = logging.getLogger("uvicorn.error")


class TooSlowError(Exception):
    """The other side keeps a file waiting for too long."""


class FileSlots:
    """Threads for files: so few that they leave connections to lists, and a short queue in front of them."""

    def __init__(self, size: int) -> None:
        self._free = asyncio.Semaphore(size)
        self._threads = CapacityLimiter(size)
        self._queue = size * WAITING_PER_SLOT
        self._waiting = 0
        self._at_work: set[asyncio.Future[Any]] = set()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread and return what it returns; see `start`."""
        return await asyncio.shield(await self.start(work))

    async def start(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Begin to run `work` in a thread.

        The slot is free again when the thread has ended, however it ends and whatever becomes of who waits for it.

        Raises:
            FilesBusyError: no slot was free in time.
        """
        await self._take()
        task = asyncio.ensure_future(to_thread.run_sync(_letting_go, work, limiter=self._threads))
        self._at_work.add(task)
        task.add_done_callback(self._give_back)
        return task

    async def _take(self) -> None:
        if self._free.locked() and self._waiting >= self._queue:
            raise FilesBusyError
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise FilesBusyError from None
        finally:
            self._waiting -= 1

    def _give_back(self, task: asyncio.Future[Any]) -> None:
        self._at_work.discard(task)
        self._free.release()
        if not task.cancelled():
            task.exception()  # has been seen, whether or not anybody still waits for it


def _letting_go(work: Callable[[], Result]) -> Result:
    """Return what `work` returns; of an exception, keep the lines that it came through and none of their variables.

    Every exception from a thread is in a cycle with the future that carries it, and only a search for garbage ends
    that: until then, megabytes of rows would stay with every download that somebody left.
    """
    try:
        return work()
    except BaseException as error:
        _clear_frames(error)
        raise


def _clear_frames(error: BaseException) -> None:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            traceback.clear_frames(one.__traceback__)
            waiting += [one.__cause__, one.__context__]


class Pace:
    """How long the other side may keep a file waiting: what its bytes take at the least rate, and a while more."""

    def __init__(self) -> None:
        self._until = time.monotonic() + LONGEST_SECONDS
        self._waited = 0.0
        self._bytes = 0

    async def wait_for(self, step: Awaitable[Result]) -> Result:
        """Wait for a step of the other side.

        Raises:
            TooSlowError: it took too long.
        """
        started = time.monotonic()
        left = STALLED_SECONDS + self._bytes / LEAST_BYTES_PER_SECOND - self._waited
        try:
            async with asyncio.timeout(min(STALLED_SECONDS, left, self._until - started)):
                return await step
        except TimeoutError:
            raise TooSlowError from None
        finally:
            self._waited += time.monotonic() - started

    def moved(self, size: int) -> None:
        """Count so many bytes."""
        self._bytes += size


class StatementCanceller:
    """Ends the statement that a thread waits for, from elsewhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Any = None
        self._cancelled = False

    @contextmanager
    def watch(self, connection: Connection) -> Iterator[None]:
        """Let the statements of `connection` be cancelled meanwhile; one that was is not used again."""
        with self._lock:
            self._connection = connection.connection.dbapi_connection
        try:
            yield
        finally:
            with self._lock:
                self._connection = None
                if self._cancelled:  # a cancellation may arrive late, and would meet somebody else's statement
                    connection.invalidate()

    def cancel(self) -> None:
        """Cancel what is watched now, if anything is; PostgreSQL is asked on a connection of its own."""
        with self._lock:
            self._cancelled = True
            if hasattr(self._connection, "cancel"):  # SQLite's has none
                with suppress(psycopg2.Error):
                    self._connection.cancel()


class FileDownload(Response):
    """A file whose pieces a thread makes, for a client that takes them.

    The thread, its slot and what `open_file` has opened are given back when the client goes away or stops reading.
    """

    def __init__(
        self,
        slots: FileSlots,
        open_file: Callable[[StatementCanceller], Generator[bytes]],
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        self.media_type, self.status_code, self.background = media_type, 200, None
        self.init_headers(headers)
        self._slots, self._open = slots, open_file

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file; what keeps it from beginning is raised, and what ends it early breaks the connection off."""
        pace, canceller = Pace(), StatementCanceller()
        started = gone = False

        async def put(piece: memoryview) -> None:
            nonlocal started
            if not started and not gone:
                started = True
                await pace.wait_for(
                    send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                )
            for start in range(0, len(piece), PIECE):
                if gone:
                    raise ClientDisconnect
                part = bytes(piece[start : start + PIECE])
                await pace.wait_for(send({"type": "http.response.body", "body": part, "more_body": True}))
                pace.moved(len(part))

        def write() -> None:
            with closing(self._open(canceller)) as pieces:
                for piece in pieces:
                    with memoryview(piece) as lent:  # taken back at once: what `put` raises keeps its arguments
                        from_thread.run(put, lent)

        async def notice_departure() -> None:
            nonlocal gone
            while (await receive())["type"] != "http.disconnect":
                pass
            gone = True
            while True:  # the first one may have come between two statements
                await to_thread.run_sync(canceller.cancel)
                await asyncio.sleep(1)

        listener = asyncio.ensure_future(notice_departure())
        try:
            await self._slots.run(write)
            await pace.wait_for(send({"type": "http.response.body", "body": b"", "more_body": False}))
        except ClientDisconnect:
            pass
        except TooSlowError:
            logger.warning("an export was cut off: its client takes too little of it")
        except Exception as error:
            if gone:
                return
            if not started:
                raise
            logger.error("an export broke off: %s", error)
        finally:
            gone = True
            listener.cancel()


def upload(request: Request, limit: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the body as it arrives, in the thread that works on it; `limit` is told how many bytes there are so far.

    Raises:
        TooSlowError: it arrives too slowly.
        ClientDisconnect: it breaks off.
    """
    stream, pace = request.stream(), Pace()
    received = 0
    while (chunk := from_thread.run(pace.wait_for, anext(stream, None))) is not None:
        received += len(chunk)
        pace.moved(len(chunk))
        limit(received)
        yield chunk
