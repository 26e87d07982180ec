"""The UI: what a stranger can send before signing in, and more visitors than it is sized for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from faults.application import Container, Server, engine_answers
from faults.client import Answer, ask
from faults.identity import CLIENT_ID
from faults.pulse import pulse
from faults.rest import MEBIBYTE
from faults.system import SERVICE_TOKEN
from faults.trial import Trial, experiment
from testkit.visitor import visiting

FILES, FILE_SIZE = 13, 49_000_000
SESSIONS = 50  # that the UI's container is sized for
COOKIE = "_streamlit_xsrf"
HEALTH = "/_stcore/health"


@experiment("ui-strangers-uploads", seconds=(20, 5))
async def ui_strangers_uploads(trial: Trial) -> None:
    """Somebody who has not signed in opens a session and puts thirteen files of 49 MB into it, one after the other.

    Expected: refused, in little memory; nobody else notices.
    """
    async with ui_of_its_own(trial, sign_in=True) as ui:
        memory = _memory(ui)
        files = 3 if trial.short else FILES
        protocols, origin = [Subprotocol("streamlit")], Origin(ui.url)
        async with connect(_stream(ui), subprotocols=protocols, origin=origin, max_size=None, proxy=None) as socket:
            await socket.send(BackMsg(rerun_script=ClientState()).SerializeToString())
            session = ""
            while not session:
                message = ForwardMsg.FromString(await socket.recv(decode=False))
                if message.WhichOneof("type") == "new_session":
                    session = message.new_session.initialize.session_id
            answers = [await _put(ui, session, f"file-{number}") for number in range(files)]
        trial.expect(ui.is_running(), f"the UI ended:\n{ui.tail()}")
        stored = sum(answer.status in (200, 204) for answer in answers)
        trial.expect(not stored, f"{stored} of {files} files of a stranger's were taken")
        trial.goal("memory afterwards, MiB more", _memory(ui) - memory, at_most=80)
        health = await ask(ui.url, "GET", HEALTH, timeout=5)
        trial.expect(health.status == 200, f"its health is answered {health.status or health.why}")
        for answer in answers:
            trial.clients.tally.enter(answer)


@experiment("ui-sessions", seconds=(30, 6), long_only=True)
async def ui_sessions(trial: Trial) -> None:
    """Three times the visitors that the UI's container is sized for open Products at the same moment, and stay.

    Expected: it lives, its health answers within 4 s (what docker-compose.yml gives it), and afterwards a visitor is
    served as before.
    """
    async with ui_of_its_own(trial, sign_in=False) as ui:
        alone = await _visit(ui)
        async with pulse(ui.url, HEALTH) as health:
            visits = [asyncio.create_task(_visit(ui, stay=trial.seconds)) for _ in range(3 * SESSIONS)]
            done = await asyncio.gather(*visits, return_exceptions=True)
        served = sum(isinstance(result, float) for result in done)
        why = {str(result)[:80] for result in done if isinstance(result, BaseException)}
        trial.notes.append(f"{served} of {len(done)} visitors saw the page; the others: {', '.join(why) or 'none'}")
        trial.expect(ui.is_running(), "the UI ended")
        if isinstance(ui, Container):
            trial.expect(not ui.was_killed_for_memory(), "killed for want of memory")
        trial.expect(served >= SESSIONS, f"only {served} visitors were served, of {SESSIONS} that it is sized for")
        trial.goal("its slowest health, s", health.slowest[HEALTH], at_most=4)
        trial.goal("memory, MiB", _memory(ui), at_most=768)
        again = await _visit(ui)
        trial.goal("a visitor afterwards, times as long as before", again / alone, at_most=3)


@contextlib.asynccontextmanager
async def ui_of_its_own(trial: Trial, *, sign_in: bool) -> AsyncIterator[Server]:
    """Run a UI of its own, in a container of its compose size where an engine answers."""
    system = trial.system
    log = system.folder / "ui-attacked.log"
    sized = not trial.short and engine_answers()
    server: Server
    if sized:
        server = await asyncio.to_thread(Container, system.checkout, "ui", "UI_PORT", HEALTH, log)
    else:
        server = Server(system.checkout, "app.ui.serve", "UI_PORT", HEALTH, log)
    environment = {"API_URL": system.api.url, "SERVICE_TOKEN": SERVICE_TOKEN}
    if sign_in:
        environment |= {
            "OIDC_ISSUER": system.provider.url,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": "test-client-secret",
            "PUBLIC_URL": server.url,
            "COOKIE_SECRET": "test-cookie-secret-of-the-experiments",
        }
    try:
        await asyncio.to_thread(server.start, environment)
        yield server
    finally:
        await asyncio.to_thread(server.stop)


def _stream(ui: Server) -> str:
    return f"ws://127.0.0.1:{ui.port}/_stcore/stream"


async def _put(ui: Server, session: str, name: str) -> Answer:
    health = await ask(ui.url, "GET", HEALTH)
    token = health.headers.get("set-cookie", "").partition(f"{COOKIE}=")[2].partition(";")[0]
    headers = {
        "Cookie": f"{COOKIE}={token}",
        "X-Xsrftoken": token,
        "Origin": ui.url,
        "Content-Type": "multipart/form-data; boundary=edge",
    }
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.csv"\r\n\r\n'.encode()
    body = head + bytes(FILE_SIZE) + b"\r\n--edge--\r\n"
    return await ask(ui.url, "PUT", f"/_stcore/upload_file/{session}/{name}", headers=headers, body=body)


async def _visit(ui: Server, *, stay: float = 0) -> float:
    async with visiting(ui.url) as visitor:
        opened = await visitor.open()
        await asyncio.sleep(stay)
        return opened


def _memory(ui: Server) -> float:
    return sum(process.memory_info().rss for process in ui.processes()) / MEBIBYTE
