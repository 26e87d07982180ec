"""The headers that keep browsers from doing with an answer what it is not for."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOTHING = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
# An answer with an ETag may be kept, and asked about before every use; all others are not kept at all.
ASKED_ABOUT = (b"cache-control", b"private, no-cache")
NOT_KEPT = (b"cache-control", b"no-store")


class SecurityHeaders:
    """The ASGI middleware; an answer's own Content-Security-Policy stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer, with the headers added."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message["headers"]
                names = {name for name, _ in own}
                policy = [] if b"content-security-policy" in names else [(b"content-security-policy", NOTHING)]
                kept = ASKED_ABOUT if b"etag" in names else NOT_KEPT
                message["headers"] = [*own, *HEADERS, *policy, kept]
            await send(message)

        await self._app(scope, receive, send_with_headers)
