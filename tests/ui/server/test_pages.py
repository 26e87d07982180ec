"""The page's HTML in the visitor's language, and every address that is no page."""

import re

import httpx2 as httpx
import pytest

from app.ui.server.pages import PAGES
from app.ui.server.scripts import ELEMENTS
from app.ui.texts import ENGLISH, PORTUGUESE
from testkit.server import Server
from testkit.tools import ROOT


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("accept", "cookie", "query", "tag"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "", "", "pt-BR"),
        ("en-US,en;q=0.9", "", "", "en"),
        ("ja,en;q=0.5", "", "", "en"),
        ("ja", "", "", "pt-BR"),
        ("", "", "", "pt-BR"),
        ("pt-BR", "lang=en", "", "en"),
        ("pt-BR", "lang=en", "?lang=pt", "pt-BR"),
        ("en-US", "lang=xx", "?lang=yy", "en"),
    ],
)
def test_the_html_is_in_the_visitor_s_language(
    open_ui: Server, path: str, accept: str, cookie: str, query: str, tag: str
) -> None:
    answer = httpx.get(f"{open_ui.url}{path}{query}", headers={"Accept-Language": accept, "Cookie": cookie})
    texts = {"pt-BR": PORTUGUESE, "en": ENGLISH}[tag]
    assert answer.status_code == 200
    assert f'<html lang="{tag}">' in answer.text
    assert f"<title>{texts.sign_in_title}</title>" in answer.text
    assert texts.no_javascript in answer.text
    assert "Content-Security-Policy" in answer.headers


def test_the_list_s_scripts_are_loaded_beside_streamlit_s_own(open_ui: Server) -> None:
    """Each element that the list has is there under the name that this Streamlit has for it; a new one may differ."""
    own = set(re.findall(r'href="\./(static/js/[^"]+)"', httpx.get(f"{open_ui.url}/lixeira").text))
    ours = re.findall(r'href="\./(static/js/[^"]+)"', httpx.get(f"{open_ui.url}/").text)

    more = [one for one in ours if one not in own]
    assert len(ours) == len({*ours}) == len(own) + len(more)
    for element in ELEMENTS:
        assert any(one.startswith(f"static/js/{element}.") for one in more), element
    with httpx.Client(base_url=open_ui.url) as browser:
        for one in more:
            assert browser.get(f"/{one}").headers["Content-Type"].partition(";")[0].endswith("/javascript"), one


def test_the_pages_are_those_of_the_navigation() -> None:
    main = (ROOT / "app/ui/main.py").read_text(encoding="utf-8")
    assert sorted(PAGES) == sorted(["/", *(f"/{path}" for path in re.findall(r'url_path="([^"]*)"', main))])


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/produto/9020", "/produto?id=9020"),
        ("/products/9020", "/produto?id=9020"),
        ("/produtos/7/?lang=en", "/produto?id=7&lang=en"),
        ("/products", "/"),
        ("/products/?sort=price&q=a%20b", "/?sort=price&q=a%20b"),
        ("/resumo/", "/resumo"),
        ("/index.html", "/"),
    ],
)
def test_what_people_type_leads_to_what_they_mean(open_ui: Server, path: str, target: str) -> None:
    answer = httpx.get(f"{open_ui.url}{path}")
    assert answer.status_code == 307
    assert answer.headers["Location"] == target


@pytest.mark.parametrize("path", ["/nada", "/a/b", "/produto/mesa", "/produto/1/2", "/resumo/x", "/favicon.ico"])
def test_any_other_address_is_a_sentence_and_a_way_back(open_ui: Server, path: str) -> None:
    answer = httpx.get(f"{open_ui.url}{path}")
    assert answer.status_code == 404
    assert PORTUGUESE.no_page in answer.text
    assert ENGLISH.no_page in answer.text
    assert 'href="/"' in answer.text


@pytest.mark.parametrize("path", ["/_stcore/health", "/favicon.png", "/manifest.json"])
def test_what_the_browser_asks_for_itself_is_answered_as_before(open_ui: Server, path: str) -> None:
    answer = httpx.get(f"{open_ui.url}{path}")
    assert answer.status_code == 200
    assert "text/html" not in answer.headers["Content-Type"]
