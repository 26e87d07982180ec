"""Who sees what while people have to sign in, by Streamlit's AppTest, and how the UI's process takes its settings."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.ui.formats import WORD_JOINER
from app.ui.settings import SIGN_IN_VARIABLES
from testkit.server import running
from testkit.tools import ROOT
from tests.ui.conftest import Misbehaviour
from tests.ui.visiting import ANA, VALUES


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch, misbehaviour: Misbehaviour) -> Iterator[Callable[[dict[str, Any]], AppTest]]:
    """Open the UI, in which people have to sign in, as somebody; the API is there and has no products."""
    misbehaviour.answers = [(200, "application/json", "[]")]
    monkeypatch.setenv("API_URL", misbehaviour.url)
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)

    def open_ui(user: dict[str, Any]) -> AppTest:
        app = AppTest.from_file(ROOT / "app/ui/main.py", default_timeout=30)
        app.user = user
        return app.run()

    yield open_ui
    st.cache_resource.clear()


def in_an_hour() -> float:
    return time.time() + 3600


def asks_to_sign_in(app: AppTest) -> bool:
    return [button.key for button in app.button] == ["sign_in"] and not app.exception


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"is_logged_in": False},
        {"email": "ana@example.com", "exp": 4e9},
        ANA | {"exp": 1},
        ANA,
        ANA | {"exp": "4000000000"},
    ],
    ids=str,
)
def test_who_is_not_signed_in_or_no_longer_sees_no_product(
    visit: Callable[[dict[str, Any]], AppTest], misbehaviour: Misbehaviour, user: dict[str, Any]
) -> None:
    assert asks_to_sign_in(visit(user))
    assert misbehaviour.requests == []


def test_an_end_of_the_session_is_told(visit: Callable[[dict[str, Any]], AppTest]) -> None:
    app = visit(ANA | {"exp": in_an_hour()})
    assert not app.info
    app.user = ANA | {"exp": time.time() - 1}
    app.button(key="add").click().run()
    assert asks_to_sign_in(app)
    assert "A sua sessão terminou" in app.info[0].value


@pytest.mark.parametrize(
    ("claims", "name"),
    [({"name": "Ana **Souza**"}, "Ana **Souza**"), ({}, "ana@example.com"), ({"email": None}, "1")],
)
def test_who_is_signed_in_sees_their_name_and_the_products(
    visit: Callable[[dict[str, Any]], AppTest], claims: dict[str, Any], name: str
) -> None:
    app = visit(ANA | {"exp": in_an_hour()} | claims)
    assert app.menu_button(key="account").label.replace("\\", "").replace(WORD_JOINER, "") == name
    assert app.subheader[0].value == "Ainda não há produtos"


def test_signing_out_leaves_nothing_on_the_page(visit: Callable[[dict[str, Any]], AppTest]) -> None:
    app = visit(ANA | {"exp": in_an_hour()})
    app.menu_button(key="account").click("Sair").run()
    assert not app.subheader
    assert asks_to_sign_in(app.run())


def test_one_variable_is_enough_to_close_the_ui(
    visit: Callable[[dict[str, Any]], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SIGN_IN_VARIABLES[1:]:
        monkeypatch.delenv(name)
    app = visit({})
    assert asks_to_sign_in(app)
    app.button(key="sign_in").click().run()  # nothing is set up that could sign anybody in
    assert "A entrada não foi concluída" in app.error[0].value


def test_an_open_dialog_does_nothing_for_who_is_signed_in_no_longer(
    visit: Callable[[dict[str, Any]], AppTest], misbehaviour: Misbehaviour
) -> None:
    def dialog() -> None:
        import streamlit as st

        from app.ui.sign_in import access

        if "asked" in st.session_state:
            st.write("the page ran again")
        else:
            st.session_state["asked"] = True
            access.client().delete_product(1, version=1)

    app = AppTest.from_function(dialog, default_timeout=30)
    app.user = ANA | {"exp": 1}
    app.run()
    assert app.markdown[0].value == "the page ran again"
    assert misbehaviour.requests == []


def test_an_api_that_refuses_the_ui_is_told_in_a_sentence(
    visit: Callable[[dict[str, Any]], AppTest], misbehaviour: Misbehaviour
) -> None:
    refusal = {"title": "Unauthorized", "status": 401, "detail": "The token is not the service token."}
    misbehaviour.answers = [(401, "application/problem+json", json.dumps(refusal))]
    app = visit(ANA | {"exp": in_an_hour()})
    assert "A API não aceita esta interface" in app.error[0].value.replace("\\", "")


def serve(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.ui.serve"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("missing", SIGN_IN_VARIABLES)
def test_a_part_of_the_sign_in_is_not_enough_to_start(missing: str) -> None:
    ended = serve({name: value for name, value in VALUES.items() if name != missing})
    assert ended.returncode == 1
    assert ended.stderr == f"ui: sign-in needs {', '.join(SIGN_IN_VARIABLES)}: set {missing} too, or none of them.\n"


def test_every_wrong_value_is_named_at_once_and_no_secret_is() -> None:
    wrong = {
        "OIDC_ISSUER": "http://issuer.example.com",
        "PUBLIC_URL": "https://example.com/a",
        "COOKIE_SECRET": "short",
    }
    ended = serve(VALUES | wrong)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "OIDC_ISSUER=http://issuer.example.com is not an https address" in ended.stderr
    assert "PUBLIC_URL=https://example.com/a has more than a host" in ended.stderr
    assert "COOKIE_SECRET is shorter than 32 characters" in ended.stderr
    assert wrong["COOKIE_SECRET"] not in ended.stderr.replace("shorter", "")
    assert serve({"UI_PORT": "x"}).stderr == "ui: UI_PORT=x is not a port; use a number from 1 to 65535.\n"


def test_without_a_sign_in_the_ui_is_open_and_says_so(tmp_path: Path) -> None:
    log = tmp_path / "ui.log"
    with running([sys.executable, "-m", "app.ui.serve"], "UI_PORT", "/_stcore/health", {}, log):
        pass
    assert "OIDC_ISSUER is not set: everybody who reaches this UI may use it." in log.read_text()


def test_the_api_client_sends_the_token_it_is_given(
    visit: Callable[[dict[str, Any]], AppTest], misbehaviour: Misbehaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(ANA | {"exp": in_an_hour()})
    assert misbehaviour.authorizations == []
    monkeypatch.setenv("SERVICE_TOKEN", "a-token\n")
    visit(ANA | {"exp": in_an_hour()})
    assert misbehaviour.authorizations == ["Bearer a-token"]


def test_the_api_is_told_for_whom_it_is_asked(
    visit: Callable[[dict[str, Any]], AppTest], misbehaviour: Misbehaviour
) -> None:
    tokens = {"access": "test-access-token", "id": "test-id-token"}
    app = visit(ANA | {"exp": in_an_hour(), "tokens": tokens})
    assert not app.exception
    assert ("test-access-token", "test-id-token") in misbehaviour.persons
    visit(ANA | {"exp": in_an_hour()})  # signed in before the tokens were asked for
    assert misbehaviour.persons[-1] == (None, None)
