"""Requests without an end, from strangers: headers, addresses, chunks and messages that go on and on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin, Subprotocol

from faults.application import Server
from faults.client import Connection, ask
from faults.experiments.ui import ui_of_its_own
from faults.rest import MEBIBYTE
from faults.trial import Trial, experiment

PIECE = b"x" * 2**16
SESSIONS, MESSAGES = 10, 3
MESSAGE = 15_000_000  # bytes; the server takes no larger one


@experiment("endless-headers", seconds=(20, 4), recovers_in=2)
async def endless_headers(trial: Trial) -> None:
    """Four strangers send the API an address, a header's name, a value and ever more headers that do not end.

    Expected: refused after some ten thousand bytes, in little memory; others notice nothing.
    """
    await _endless(trial, trial.system.api)


@experiment("ui-endless-headers", long_only=True, seconds=(20, 4), recovers_in=2)
async def ui_endless_headers(trial: Trial) -> None:
    """The same on the UI's port."""
    await _endless(trial, trial.system.ui)


@experiment("ui-strangers-messages", long_only=True, seconds=(20, 4))
async def ui_strangers_messages(trial: Trial) -> None:
    """Ten strangers open sessions of the UI without signing in, and send three messages of 15 MB on each.

    Expected: the sessions are ended or the messages forgotten; the memory comes back when the strangers leave.
    """
    async with ui_of_its_own(trial, sign_in=True) as ui:
        before = most = memory(ui)
        async with contextlib.AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(_session(ui)) for _ in range(SESSIONS)]
            for _ in range(MESSAGES):
                await asyncio.gather(*map(_send, sockets))
                await asyncio.sleep(trial.seconds / 8)
                most = max(most, memory(ui))
        await asyncio.sleep(trial.seconds / 4)
        trial.expect(ui.is_running(), "the UI ended")
        health = await ask(ui.url, "GET", "/_stcore/health", timeout=10)
        trial.expect(health.status == 200, f"its health is answered {health.status or health.why}")
        trial.goal("memory at most, MiB more", most - before, at_most=250)
        trial.goal("memory afterwards, MiB more", memory(ui) - before, at_most=100)


def memory(server: Server) -> float:
    """Return the resident memory of a server, in MiB."""
    return sum(process.memory_info().rss for process in server.processes()) / MEBIBYTE


async def _endless(trial: Trial, server: Server) -> None:
    before = most = memory(server)
    beginnings = {
        "an address": (b"GET /", PIECE),
        "a header's name": (b"GET / HTTP/1.1\r\nHost: x\r\n", PIECE),
        "a header's value": (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", PIECE),
        "headers": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X-Some: more\r\n" * 4000),
    }
    sending = {what: asyncio.create_task(_send_on(server, *parts)) for what, parts in beginnings.items()}
    for _ in range(int(trial.seconds * 5)):
        await asyncio.sleep(0.2)
        most = max(most, memory(server))
    for what, task in sending.items():
        trial.expect(task.done(), f"{what} is taken without an end")
        task.cancel()
    sent = await asyncio.gather(*sending.values(), return_exceptions=True)
    megabytes = ", ".join(f"{size / 1e6:.1f}" for size in sent if isinstance(size, int))
    trial.notes.append(f"MB taken before the end: {megabytes or 'no end'}")
    trial.expect(most - before < 64, f"{most - before:.0f} MiB more were taken")


async def _send_on(server: Server, beginning: bytes, piece: bytes) -> int:
    """Send until the server has enough of it; return how many bytes that was."""
    connection = await Connection.open(server.url)
    sent = len(beginning)
    try:
        connection.writer.write(beginning)
        while not connection.reader.at_eof() and not connection.writer.is_closing():
            connection.writer.write(piece)
            await connection.writer.drain()
            sent += len(piece)
            await asyncio.sleep(0.001)
    except OSError:
        pass
    finally:
        await connection.close()
    return sent


@contextlib.asynccontextmanager
async def _session(ui: Server) -> AsyncIterator[ClientConnection]:
    protocols, origin = [Subprotocol("streamlit")], Origin(ui.url)
    address = f"ws://127.0.0.1:{ui.port}/_stcore/stream"
    async with connect(address, subprotocols=protocols, origin=origin, max_size=None, proxy=None) as socket:
        await socket.send(BackMsg(rerun_script=ClientState()).SerializeToString())
        yield socket


async def _send(socket: ClientConnection) -> None:
    state = ClientState()
    state.widget_states.widgets.add(id="anything", string_value="x" * MESSAGE)
    with contextlib.suppress(OSError, WebSocketException):
        await socket.send(BackMsg(rerun_script=state).SerializeToString())
