"""A visitor of a running UI who is no browser: a WebSocket, its cookies, and requests beside it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2 as httpx
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME, XSRF_COOKIE_NAME
from websockets.asyncio.client import ClientConnection, connect

from tests.ui.visiting import ANA, VALUES

PATIENCE = 30  # seconds


def signed_in(**said: object) -> dict[str, str]:
    """The cookies of somebody whom Streamlit has signed in, as another process of the same deployment would."""
    claims = {"origin": VALUES["PUBLIC_URL"], **ANA, "exp": time.time() + 3600} | said
    cookies: dict[str, str] = {}

    def sign(name: str, value: str) -> bytes:
        return create_signed_value(VALUES["COOKIE_SECRET"], name, value)

    def keep(name: str, value: str) -> None:
        cookies[name] = sign(name, value).decode()

    set_cookie_with_chunks(keep, sign, USER_COOKIE_NAME, claims, cookie_attr_size=100)
    return cookies


@dataclass
class Session:
    """An open session: its id and the cookies it came with."""

    id: str
    cookies: dict[str, str]
    connection: ClientConnection

    def upload(self, url: str, size: int, name: str = "1", **headers: str) -> httpx.Response:
        """Send a file of so many bytes."""
        return httpx.put(
            f"{url}/_stcore/upload_file/{self.id}/{name}",
            files={"file": ("products.csv", b"x" * size, "text/csv")},
            headers={"X-Xsrftoken": self.cookies[XSRF_COOKIE_NAME], "Cookie": header(self.cookies), **headers},
            timeout=60,
        )


def header(cookies: Mapping[str, str]) -> str:
    """Return cookies as a browser sends them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@asynccontextmanager
async def session(url: str, cookies: Mapping[str, str] | None = None) -> AsyncIterator[Session]:
    """Open a session as a browser with these cookies does, and its first page."""
    own = {XSRF_COOKIE_NAME: httpx.get(f"{url}/_stcore/health").cookies[XSRF_COOKIE_NAME]} | dict(cookies or {})
    async with connect(
        url.replace("http", "ws") + "/_stcore/stream",
        subprotocols=["streamlit", own[XSRF_COOKIE_NAME]],  # type: ignore[list-item]
        origin=VALUES["PUBLIC_URL"] if cookies else url,  # type: ignore[arg-type]
        additional_headers={"Cookie": header(own)},
        compression=None,
        max_size=None,
        max_queue=None,  # what is not read does not keep the connection from closing
    ) as connection:
        await connection.send(BackMsg(rerun_script=ClientState()).SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while True:
                message = ForwardMsg.FromString(await connection.recv(decode=False))
                if message.WhichOneof("type") == "new_session":
                    yield Session(message.new_session.initialize.session_id, own, connection)
                    return
