"""What Streamlit's sign-in leaves open, added to its answers on their way to the browser."""

from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGIN, CALLBACK, LOGOUT = "/auth/login", "/oauth2callback", "/auth/logout"  # Streamlit's own paths
FAILED = {"sign_in": "failed"}  # what the address says where nobody came in
RETURN_COOKIE = "catalogue_return"
RETURN_SECONDS = 900  # how long somebody may take to sign in
RETURN_LENGTH = 2000  # characters; a longer address is not come back to
SIGNED_IN_COOKIE = "_streamlit_user="


class SignInMiddleware:
    """Middleware around Streamlit, for the paths of its sign-in.

    - Who signs in comes back to the page that asked for it, in its language; Streamlit leads to the first page.
    - A sign-in that fails ends at that page too, which says so; Streamlit says nothing, or "Authentication error".
    - Signing out of Amazon Cognito ends at the UI: its end-session endpoint wants `logout_uri`, where OpenID Connect
      has `post_logout_redirect_uri`. Other providers skip a parameter they do not know.
    - Cookies are for https only where the UI is.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app = app
        self._public_url = public_url
        self._secure = public_url.startswith("https:")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)

        async def amend(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._amend(request, message)
            await send(message)

        await self._app(scope, receive, amend)

    def _amend(self, request: Request, answer: Message) -> None:
        headers = MutableHeaders(scope=answer)
        path = request.url.path
        if path == LOGIN:
            here = self._asked_from(request)
            if answer["status"] < 400:
                self._remember(headers, here, RETURN_SECONDS)
            else:  # the provider does not answer
                answer["status"] = 302
                headers["Location"] = self._address(here, FAILED)
        elif path == CALLBACK and answer["status"] == 302:
            # Without a state it is somebody who has just signed out.
            failed = "state" in request.query_params and not _signed_in(headers)
            here = unquote(request.cookies.get(RETURN_COOKIE, "/"))
            headers["Location"] = self._address(here, FAILED if failed else {})
            self._remember(headers, "", 0)
        elif path == LOGOUT and headers.get("Location", "").startswith("http"):
            headers["Location"] += "&" + urlencode({"logout_uri": self._public_url})
        if self._secure:
            _make_secure(headers)

    def _asked_from(self, request: Request) -> str:
        """Return the path and query of our page that a request comes from."""
        origin, path = self._public_url, request.headers.get("Referer", "")
        if not path.startswith(f"{origin}/") or len(path) > RETURN_LENGTH:
            return "/"
        return path.removeprefix(origin)

    def _address(self, path: str, more: dict[str, str]) -> str:
        """Return a page's address; whatever `path` says, it is one of ours."""
        try:
            url = urlsplit(path if path.startswith("/") else "/")
        except ValueError:  # no browser of ours has been told such an address
            url = urlsplit("/")
        query = {name: value for name, value in parse_qsl(url.query) if name not in FAILED} | more
        return f"{self._public_url}/{quote(unquote(url.path.lstrip('/')))}" + (f"?{urlencode(query)}" if query else "")

    def _remember(self, headers: MutableHeaders, path: str, seconds: int) -> None:
        attributes = f"Path={CALLBACK}; Max-Age={seconds}; HttpOnly; SameSite=Lax"
        headers.append("Set-Cookie", f"{RETURN_COOKIE}={quote(path)}; {attributes}")


def _signed_in(headers: MutableHeaders) -> bool:
    """Say whether an answer makes the browser somebody's; a cookie that is taken away has an empty value."""
    cookies = headers.getlist("Set-Cookie")
    return any(one.startswith(SIGNED_IN_COOKIE) and not one.startswith(f'{SIGNED_IN_COOKIE}""') for one in cookies)


def _make_secure(headers: MutableHeaders) -> None:
    cookies = headers.getlist("Set-Cookie")
    del headers["Set-Cookie"]
    for cookie in cookies:
        headers.append("Set-Cookie", cookie if "; secure" in cookie.lower() else f"{cookie}; Secure")
