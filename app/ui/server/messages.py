"""What a browser says in its session: how much of it there may be, since Streamlit keeps what it is told.

A state of a widget is ten bytes on the way and four hundred in memory, whether or not a page has such a widget. One
that no page of Streamlit's can have, by its id, would be an exception in every run of a page, and its lines in the log;
so is what is none of Streamlit's messages.
"""

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from app.ui.settings import SignInSettings
from app.ui.sign_in import cookie

IDS = ("$$ID-", "$$STREAMLIT_INTERNAL_KEY_")  # what those of Streamlit's widgets begin with
WIDGETS = 2000  # on a page; the longest of ours has some hundreds
STRANGERS_BYTES = 2**16  # over a connection, where people sign in: the page on which they do has next to nothing to say


class Messages:
    """Middleware around Streamlit, for its WebSocket: who says too much is as good as gone."""

    def __init__(self, app: ASGIApp, *, sign_in: SignInSettings | None) -> None:
        self._app = app
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a session on, and its messages as long as they are in order."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        is_stranger = cookie.is_strangers(scope, self._sign_in)
        said = 0

        async def receive_in_order() -> Message:
            nonlocal said
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            data: bytes | None = message.get("bytes")
            said += len(data or b"")
            if (is_stranger and said > STRANGERS_BYTES) or data is None or not _is_in_order(data):
                return {"type": "websocket.disconnect", "code": 1009}
            return message

        await self._app(scope, receive_in_order, send)


def _is_in_order(data: bytes) -> bool:
    try:
        widgets = BackMsg.FromString(data).rerun_script.widget_states.widgets
    except DecodeError:
        return False
    return len(widgets) <= WIDGETS and all(widget.id.startswith(IDS) for widget in widgets)
