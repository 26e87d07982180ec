"""A visitor of the UI without a browser: what Streamlit's own page says and hears over its WebSocket.

It asks for no files, draws nothing, and keeps no message to have it sent by its hash the next time: the server works as
much as for a browser, this process hardly at all.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin, Subprotocol

PATIENCE = 30  # seconds
FINISHED = {
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    ForwardMsg.FINISHED_WITH_COMPILE_ERROR,  # an exception element says so
}  # and not FINISHED_EARLY_FOR_RERUN, which another run follows
CONTROLS = {"button", "multiselect", "selectbox", "text_input"}


class PageError(Exception):
    """The page showed an error, or no table; the visitor can go on."""


class LostError(Exception):
    """No answer came in time, or the connection ended; the visitor cannot go on."""


class Visitor:
    """One session. Each method returns the seconds until its answer was complete, or raises an error of this module."""

    def __init__(self, connection: ClientConnection, url: str) -> None:
        self._connection = connection
        self._url = url
        self._page = self._query = ""
        self._controls: dict[str, tuple[str, str]] = {}  # by their labels: their ids and their fragments'

    async def open(self) -> float:
        """Open the first page."""
        return await self._run(ClientState())

    async def press(self, label: str) -> float:
        """Press a button."""
        return await self._change(label, trigger_value=True)

    async def choose(self, label: str, option: str) -> float:
        """Choose another option of a select box, or type a text and press Enter."""
        return await self._change(label, string_value=option)

    async def choose_all(self, label: str, options: list[str]) -> float:
        """Choose other options of a multiselect."""
        return await self._change(label, string_array_value={"data": options})

    async def _change(self, label: str, **value: Any) -> float:
        if label not in self._controls:
            raise PageError(f"no control is called {label}")
        control, fragment = self._controls[label]
        state = ClientState(fragment_id=fragment)
        state.widget_states.widgets.add(id=control, **value)
        return await self._run(state)

    async def _run(self, state: ClientState) -> float:
        state.page_script_hash, state.query_string = self._page, self._query
        context = state.context_info
        context.timezone, context.locale, context.url = "America/Sao_Paulo", "pt-BR", self._url
        started = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._connection.send(BackMsg(rerun_script=state).SerializeToString())
                await self._listen()
        except TimeoutError:
            raise LostError(f"no answer within {PATIENCE} s") from None
        except WebSocketException as error:
            raise LostError(str(error)) from None
        return time.perf_counter() - started

    async def _listen(self) -> None:
        """Take in what one run sends, to its end."""
        errors, tables = [], 0
        while True:
            message = ForwardMsg.FromString(await self._connection.recv(decode=False))
            match message.WhichOneof("type"):
                case "new_session":
                    self._page = message.new_session.page_script_hash
                case "navigation":
                    self._page = message.navigation.page_script_hash
                case "page_info_changed":
                    self._query = message.page_info_changed.query_string
                case "page_not_found" | "session_event" as problem:
                    errors.append(problem)
                case "delta":
                    errors += self._take(message.delta)
                    tables += message.delta.new_element.WhichOneof("type") == "dataframe"
                case "script_finished" if message.script_finished in FINISHED:
                    break
        if errors:
            raise PageError("; ".join(errors))
        if not tables:
            raise PageError("no table")

    def _take(self, delta: Delta) -> list[str]:
        """Remember a control, or return the error that is shown."""
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind in CONTROLS:
            control = getattr(element, kind)
            self._controls[control.label] = control.id, delta.fragment_id
        if kind == "exception":
            return [element.exception.message]
        if kind == "alert" and element.alert.format == Alert.ERROR:
            return [f"{element.alert.title} {element.alert.body}"]
        return []


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[Visitor]:
    """Open a session of the UI at `url`.

    Raises:
        LostError: the UI takes no connection.
    """
    address = urlsplit(url)._replace(scheme="ws", path="/_stcore/stream").geturl()
    try:
        connection = await connect(
            address,
            # A browser adds a token here, which only counts where somebody is signed in.
            subprotocols=[Subprotocol("streamlit")],
            origin=Origin(url),
            compression=None,
            max_size=None,
            open_timeout=PATIENCE,
            proxy=None,
        )
    except (OSError, WebSocketException) as error:  # OSError: also what a timeout is
        raise LostError(str(error)) from None
    try:
        yield Visitor(connection, url)
    finally:
        await connection.close()
