"""Signing in as on AWS: two UI processes behind one address, an identity provider, and an API that wants a token."""

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from playwright.sync_api import Page, expect
from sqlalchemy import URL

from testkit import browser
from testkit.database import API_ROLE
from testkit.server import free_port, running
from testkit.tools import require
from tests.end_to_end.oidc_issuer import CLIENT_ID, CLIENT_SECRET, Issuer, issuer

SERVICE_TOKEN = "test-service-token-of-at-least-32-characters"
COOKIE_SECRET = "test-cookie-secret-of-at-least-32-characters"
UI = [sys.executable, "-m", "app.ui.serve"]


class Balancer:
    """One address in front of several servers; the one it leads to is chosen by hand, to move a visitor."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.backends: list[str] = []
        self.chosen = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = urlsplit(self.backends[self.chosen]).port
        onwards, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, back), _pump(onwards, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@contextmanager
def balancer() -> Iterator[Balancer]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    shared = Balancer(free_port())
    listening = asyncio.start_server(shared.serve, "127.0.0.1", urlsplit(shared.url).port)
    server = asyncio.run_coroutine_threadsafe(listening, loop).result(5)
    try:
        yield shared
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


@pytest.fixture(scope="module")
def provider() -> Iterator[Issuer]:
    with issuer() as one:
        yield one


@pytest.fixture(autouse=True)
def _as_usual(provider: Issuer) -> None:
    provider.is_down, provider.changes, provider.signature = False, {}, (provider.key, "RS256")
    provider.asked.clear()


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sign-in")


def sign_in_variables(provider: Issuer, public_url: str) -> dict[str, str]:
    return {
        "OIDC_ISSUER": provider.url,
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "PUBLIC_URL": public_url,
        "COOKIE_SECRET": COOKIE_SECRET,
    }


@pytest.fixture(scope="module")
def site(provider: Issuer, migrated_postgres_url: URL, logs: Path) -> Iterator[Balancer]:
    """The application's public address, with everything behind it."""
    database = migrated_postgres_url.set(username=API_ROLE).render_as_string(hide_password=False)
    api = {"DATABASE_URL": database, "SERVICE_TOKEN": SERVICE_TOKEN}
    api |= {"OIDC_ISSUER": provider.url, "OIDC_CLIENT_ID": CLIENT_ID}
    with ExitStack() as stack:
        command = [sys.executable, "-m", "app.api.main"]
        api_url = stack.enter_context(running(command, "API_PORT", "/health/ready", api, logs / "api.log"))
        shared = stack.enter_context(balancer())
        provider.public_url = shared.url
        ui = sign_in_variables(provider, shared.url) | {"API_URL": api_url, "SERVICE_TOKEN": SERVICE_TOKEN}
        for number in (1, 2):
            shared.backends.append(stack.enter_context(serving(ui, logs / f"ui{number}.log")))
        yield shared


@contextmanager
def serving(environment: dict[str, str], log: Path) -> Iterator[str]:
    with running(UI, "UI_PORT", "/_stcore/health", environment, log) as url:
        yield url


def login_path() -> str:
    """Where Streamlit's page sends the browser when somebody asks to sign in."""
    claims = {"provider": "default", "exp": int(time.time()) + 60}
    return f"/auth/login?provider={jwt.encode(claims, COOKIE_SECRET, 'HS256')}"


def test_a_person_signs_in_works_moves_to_another_process_and_signs_out(
    site: Balancer, provider: Issuer, logs: Path
) -> None:
    require("browser")

    def journey(page: Page) -> None:
        site.chosen = 0
        page.goto(f"{site.url}/produto?lang=en&id=2147483647")
        expect(page.get_by_text("Sign in with your account")).to_be_visible()
        expect(page.get_by_role("link", name="Products")).to_have_count(0)
        expect(page.get_by_role("spinbutton")).to_have_count(0)
        page.get_by_role("button", name="Sign in").click()

        expect(page.get_by_role("alert")).to_contain_text("There is no such product")  # so the API let the UI in
        expect(page).to_have_url(f"{site.url}/produto?lang=en&id=2147483647")
        expect(page.get_by_role("button", name="ana@example.com")).to_be_visible()
        expect(page.locator("[href^='mailto:']")).to_have_count(0)
        cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
        assert cookies["_streamlit_user"]["httpOnly"]
        assert "catalogue_return" not in cookies

        site.chosen = 1
        page.goto(site.url)  # in the language of the address before, which is remembered
        expect(page.get_by_role("button", name="New product")).to_be_visible()
        site.chosen = 0

        page.get_by_role("button", name="ana@example.com").click()
        page.get_by_text("Sign out", exact=True).click()
        expect(page.get_by_text("Sign in with your account")).to_be_visible()
        assert provider.asked[-1][0] == "/logout"
        assert "_streamlit_user" not in {cookie["name"] for cookie in page.context.cookies()}
        page.goto(site.url)
        expect(page.get_by_text("Sign in with your account")).to_be_visible()
        expect(page.get_by_role("button", name="New product")).to_have_count(0)

    browser.travel(journey)
    written = "".join(file.read_text() for file in logs.iterdir())
    for secret in (SERVICE_TOKEN, COOKIE_SECRET, CLIENT_SECRET):
        assert secret not in written


@pytest.mark.parametrize("language", ["pt", "en"])
def test_a_sign_in_that_fails_is_a_sentence(site: Balancer, provider: Issuer, language: str) -> None:
    require("browser")
    provider.is_down = True

    def journey(page: Page) -> None:
        page.goto(f"{site.url}/?lang={language}")
        page.get_by_role("button", name={"pt": "Entrar", "en": "Sign in"}[language]).click()
        sentence = {"pt": "A entrada não foi concluída", "en": "You were not signed in"}[language]
        expect(page.get_by_role("alert")).to_contain_text(sentence)

    browser.travel(journey)


def sign_in(site: Balancer, client: httpx.Client) -> httpx.Response:
    """Go the whole way, as a browser does; return the answer that says whether somebody came in."""
    to_provider = client.get(login_path(), headers={"Referer": f"{site.url}/produto?id=1"})
    back = client.get(to_provider.headers["Location"])
    return client.get(back.headers["Location"])


def test_a_token_that_is_right_is_accepted(site: Balancer) -> None:
    with httpx.Client(base_url=site.url) as client:
        answer = sign_in(site, client)
        assert answer.headers["Location"] == f"{site.url}/produto?id=1"
        assert client.cookies.get("_streamlit_user")


@pytest.mark.parametrize(
    ("changes", "signature"),
    [
        ({}, ("", "none")),
        ({}, ("a-secret-that-is-long-enough-for-hs256!!", "HS256")),
        pytest.param({}, (rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256"), id="another's key"),
        ({"nonce": "another"}, None),
        ({"nonce": None}, None),
        ({"aud": "another"}, None),
        ({"iss": "https://elsewhere.example.com/pool"}, None),
        ({"exp": 1}, None),
        ({"exp": None}, None),
        ({"at_hash": "another"}, None),
    ],
    ids=str,
)
def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    site: Balancer, provider: Issuer, changes: dict[str, Any], signature: tuple[Any, str] | None
) -> None:
    provider.changes = changes
    provider.signature = signature or provider.signature
    with httpx.Client(base_url=site.url) as client:
        answer = sign_in(site, client)
        assert provider.asked[-1][0] in ("/token", "/keys")
        assert answer.headers["Location"] == f"{site.url}/produto?id=1&sign_in=failed"
        assert not client.cookies.get("_streamlit_user")


def test_a_state_of_somebody_elses_is_refused(site: Balancer, provider: Issuer) -> None:
    with httpx.Client(base_url=site.url) as attacker, httpx.Client(base_url=site.url) as visitor:
        to_provider = attacker.get(login_path())
        back = attacker.get(to_provider.headers["Location"])
        visitor.get(login_path())
        answer = visitor.get(back.headers["Location"])
        assert answer.headers["Location"] == f"{site.url}/?sign_in=failed"
        assert not visitor.cookies.get("_streamlit_user")
        assert "/token" not in [path for path, _asked in provider.asked]


@pytest.mark.parametrize("path", ["https://elsewhere.example.com/", "//elsewhere.example.com/", "/\\elsewhere", "x"])
def test_nobody_is_led_away_from_the_ui(site: Balancer, path: str) -> None:
    cookie = {"Cookie": f"catalogue_return={path}"}
    answer = httpx.get(f"{site.url}/oauth2callback?state=x", headers=cookie)
    assert urlsplit(answer.headers["Location"]).netloc == urlsplit(site.url).netloc


def test_a_cookie_signed_with_another_secret_is_nobodys(site: Balancer, logs: Path, provider: Issuer) -> None:
    require("browser")
    with httpx.Client(base_url=site.url) as client:
        sign_in(site, client)
        cookie = client.cookies["_streamlit_user"]

    def journey(page: Page) -> None:
        page.context.add_cookies([{"name": "_streamlit_user", "value": cookie[:-4] + "AAAA", "url": site.url}])
        page.goto(site.url)
        expect(page.get_by_text("Entre com a sua conta")).to_be_visible()

    browser.travel(journey)


def test_behind_https_people_come_back_to_the_public_url(provider: Issuer, logs: Path) -> None:
    with serving(sign_in_variables(provider, "https://shop.example.com/"), logs / "https.log") as url:
        forwarded = {"Host": "internal-lb.example.com", "X-Forwarded-Proto": "http"}
        answer = httpx.get(url + login_path(), headers=forwarded)
        asked = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert asked["redirect_uri"] == ["https://shop.example.com/oauth2callback"]
        assert asked["nonce"]
        assert len(answer.headers.get_list("Set-Cookie")) == 2
        assert all("; Secure" in cookie for cookie in answer.headers.get_list("Set-Cookie"))
        assert handshake(url, "https://shop.example.com") == 101
        assert handshake(url, "https://elsewhere.example.com") == 403


def handshake(url: str, origin: str) -> int:
    """Open a WebSocket as a page of `origin` does when a proxy on the way has put its own host; return the status."""
    headers = {
        "Host": "internal-lb.example.com",
        "Origin": origin,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "streamlit",
    }
    lines = ["GET /_stcore/stream HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 80), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return int(connection.recv(1024).split()[1])
