"""What a person does in a browser: the UI and the API as processes, and Chromium in front of them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest
from playwright.sync_api import Page, WebSocket, expect
from sqlalchemy import URL, create_engine, text
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from app.ui import errors
from app.ui.texts import ENGLISH, LANGUAGES, PORTUGUESE
from testkit import browser
from testkit.server import free_port, running
from testkit.tools import require
from tests.end_to_end.accessibility import violations
from tests.end_to_end.catalogue import change, numbered, read, stock
from tests.end_to_end.conftest import UI
from tests.end_to_end.journey import DESKTOP, button, create_find_change_delete, fill, search
from tests.end_to_end.public_journey import create_to_delete


@pytest.mark.parametrize(("language", "theme"), [("pt", "light"), ("en", "dark")])
def test_a_product_is_created_found_changed_and_deleted(
    ui_url: str, api_url: str, product: dict[str, Any], language: str, theme: str
) -> None:
    create_find_change_delete(ui_url, api_url, product, language=language, color_scheme=theme)


def test_what_the_rehearsal_does_in_a_browser_is_what_the_pages_offer(ui_url: str) -> None:
    def journey(page: Page) -> None:
        page.goto(ui_url)
        create_to_delete(page)

    browser.travel(journey, viewport=DESKTOP)


def test_every_view_of_the_list_is_an_address(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    def journey(page: Page) -> None:
        stock(api_url, [*numbered(product, 60), product | {"categoria": "Móveis", "name": "Mesa", "price": 5}])
        shown = []  # the address and the first product of each step

        def now(first: str) -> None:
            expect(browser.first_name(page)).to_have_text(first)
            shown.append((page.url, first))

        page.goto(ui_url)
        now("Mesa")
        button(page, "Próxima").click()
        now("Produto 11")
        search(page, PORTUGUESE, "produto")
        now("Produto 60")
        browser.sort_by(page, "price")
        now("Produto 01")
        browser.sort_by(page, "price")
        now("Produto 60")
        page.get_by_test_id("stPopoverButton").first.click()
        page.get_by_label("Preço até").fill("55")
        page.get_by_label("Preço até").press("Enter")
        now("Produto 55")
        page.keyboard.press("Escape")
        button(page, "Próxima").click()
        now("Produto 05")
        assert len({address for address, _ in shown}) == len(shown)

        page.reload()
        expect(browser.first_name(page)).to_have_text("Produto 05")
        expect(page.get_by_label("Buscar")).to_have_value("produto")
        expect(page.get_by_text("Filtros: Preço até R$ 55,00")).to_be_visible()
        expect(page.get_by_text("51–55 de 55 produtos")).to_be_visible()
        assert page.url == shown[-1][0]
        assert page.context.browser is not None
        somebody_else = browser.visitor(page.context.browser, viewport=DESKTOP)
        somebody_else.goto(page.url)
        expect(browser.first_name(somebody_else)).to_have_text("Produto 05")
        expect(somebody_else.get_by_label("Buscar")).to_have_value("produto")

        for address, first in reversed(shown[:-1]):
            page.go_back()
            expect(page).to_have_url(address)
            expect(browser.first_name(page)).to_have_text(first)
        expect(page.get_by_label("Buscar")).to_have_value("")
        for address, first in shown[1:]:
            page.go_forward()
            expect(page).to_have_url(address)
            expect(browser.first_name(page)).to_have_text(first)

        page.goto(f"{ui_url}/?start=500")
        expect(page.get_by_text("1–50 de 61 produtos")).to_be_visible()

    browser.travel(journey, viewport=DESKTOP)


def test_what_is_done_with_the_table_does_not_run_the_rest_of_the_page(
    ui_url: str, api_url: str, product: dict[str, Any]
) -> None:
    """Asked of the messages that browser and server exchange: what each run was to be, and what it has been."""

    def journey(page: Page) -> None:
        stock(api_url, numbered(product, 60))
        asked: list[str] = []  # the fragment of each run, "" for a run of all
        ran: list[str] = []

        def listen(socket: WebSocket) -> None:
            socket.on("framesent", sent)
            socket.on("framereceived", received)

        def sent(payload: str | bytes) -> None:
            message = BackMsg.FromString(payload if isinstance(payload, bytes) else b"")
            if message.WhichOneof("type") == "rerun_script":
                asked.append(message.rerun_script.fragment_id)

        def received(payload: str | bytes) -> None:
            message = ForwardMsg.FromString(payload if isinstance(payload, bytes) else b"")
            if message.WhichOneof("type") == "script_finished":
                ran.append(ForwardMsg.ScriptFinishedStatus.Name(message.script_finished))

        page.on("websocket", listen)
        page.goto(ui_url)
        expect(browser.first_name(page)).to_have_text("Produto 60")
        browser.settled(page)
        assert asked == [""]
        assert ran == ["FINISHED_SUCCESSFULLY"]
        asked.clear()
        ran.clear()
        button(page, "Próxima").click()
        expect(browser.first_name(page)).to_have_text("Produto 10")
        search(page, PORTUGUESE, "produto")
        expect(browser.first_name(page)).to_have_text("Produto 60")
        browser.sort_by(page, "price")
        expect(browser.first_name(page)).to_have_text("Produto 01")
        browser.select_row(page, 1)
        expect(page.get_by_text("Selecionado: Produto 02")).to_be_visible()
        page.get_by_text("Editar na tabela").click()
        browser.edit_cell(page, "name", 0, "Mesa")
        expect(button(page, "Revisar 1 alteração")).to_be_enabled()
        assert len(asked) == 6
        assert all(asked)
        assert ran == ["FINISHED_FRAGMENT_RUN_SUCCESSFULLY"] * 6

    browser.travel(journey, viewport=DESKTOP)


def test_several_products_are_changed_in_the_table(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    """One of them as it may not be, and two that somebody else is faster with."""

    def journey(page: Page) -> None:
        one, two, three, four = reversed(stock(api_url, numbered(product, 4)))
        page.goto(ui_url)
        expect(browser.first_name(page)).to_have_text("Produto 04")
        page.get_by_text("Editar na tabela").click()
        browser.edit_cell(page, "name", 0, "Mesa")
        browser.edit_cell(page, "name", 1, "Sofá")
        browser.edit_cell(page, "name", 2, "Cadeira")
        browser.edit_cell(page, "price", 2, "15,5")
        browser.edit_cell(page, "email_fornecedor", 3, "nenhum")
        expect(page.get_by_label("Buscar")).to_be_disabled()
        for changed in (two, three):
            change(api_url, changed, name="De outra pessoa")
        button(page, "Revisar 4 alterações").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("row").filter(has_text="Nome")).to_contain_text(
            ["Produto 04Mesa", "Produto 03Sofá", "Produto 02Cadeira"]
        )
        expect(dialog.get_by_role("row").filter(has_text="Preço")).to_contain_text("R$ 15,50")
        assert [read(api_url, stored)["name"] for stored in (one, four)] == ["Produto 04", "Produto 01"]

        with browser.run(page):
            button(page, "Salvar 4 produtos").click()
        expect(dialog.get_by_text("Outra pessoa salvou este produto")).to_have_count(2)
        expect(dialog.get_by_text("Não é um endereço de e-mail válido")).to_be_visible()
        assert [read(api_url, stored)["name"] for stored in (one, two)] == ["Mesa", "De outra pessoa"]
        of_two = dialog.get_by_role("radiogroup").first
        of_two.get_by_text("O que foi salvo").click()
        expect(of_two.get_by_role("radio", name="O que foi salvo")).to_be_checked()
        with browser.run(page):
            button(page, "Salvar 3 produtos").click()
        expect(dialog.get_by_text("Outra pessoa salvou este produto")).to_have_count(0)
        expect(dialog.get_by_text("Já salvos: Mesa, Cadeira.")).to_be_visible()
        assert read(api_url, two) == read(api_url, two) | {"name": "De outra pessoa", "price": 3}
        assert read(api_url, three) == read(api_url, three) | {"name": "Cadeira", "price": 15.5}

        button(page, "Continuar editando").click()
        expect(dialog).not_to_be_attached()
        browser.edit_cell(page, "email_fornecedor", 3, "vendas@casa.example.com")
        button(page, "Revisar 1 alteração").click()
        button(page, "Salvar 1 produto").click()
        expect(dialog).not_to_be_attached()
        assert read(api_url, four)["email_fornecedor"] == "vendas@casa.example.com"
        expect(button(page, "Revisar alterações")).to_be_disabled()
        expect(page.get_by_label("Buscar")).to_be_enabled()

    browser.travel(journey, viewport=DESKTOP)


def test_cells_typed_while_the_page_is_busy_are_kept(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    ui = next(p for p in psutil.Process().children() if "app.ui.serve" in p.cmdline())

    def journey(page: Page) -> None:
        stock(api_url, numbered(product, 4))
        page.goto(ui_url)
        page.get_by_text("Editar na tabela").click()
        browser.edit_cell(page, "name", 0, "Mesa")
        expect(button(page, "Revisar 1 alteração")).to_be_enabled()
        ui.suspend()
        try:
            for row, name in enumerate(["Sofá", "Cadeira", "Cama"], start=1):
                browser.write_cell(page, "name", row, name)
        finally:
            ui.resume()
        expect(button(page, "Revisar 4 alterações")).to_be_enabled()

    browser.travel(journey, viewport=DESKTOP)


@pytest.mark.parametrize(
    ("choice", "name", "price", "told"),
    [("Salvar a minha", "O meu nome", 7, "atualizado"), ("Manter o que foi salvo", "De outra pessoa", 7, "ficou como")],
)
def test_a_change_that_somebody_else_was_faster_with_is_chosen_about(
    ui_url: str, api_url: str, product: dict[str, Any], choice: str, name: str, price: int, told: str
) -> None:
    def journey(page: Page) -> None:
        [stored] = stock(api_url, [product])
        page.goto(ui_url)
        browser.select_row(page, 0)
        button(page, "Editar").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Nome", exact=True).fill("O meu nome")
        change(api_url, stored, name="De outra pessoa", price=7)
        dialog.get_by_role("button", name="Salvar alterações").click()
        expect(dialog.get_by_text("Outra pessoa salvou este produto")).to_be_visible()
        expect(dialog.get_by_role("row")).to_contain_text(
            ["A sua alteraçãoO que foi salvo", "O meu nomeDe outra pessoa", "(não alterado)R$ 7,00"]
        )
        button(page, choice).click()
        expect(page.get_by_test_id("stToast")).to_contain_text(told)
        expect(browser.first_name(page)).to_have_text(name)
        assert read(api_url, stored) == read(api_url, stored) | {"name": name, "price": price}

    browser.travel(journey, viewport=DESKTOP)


def test_a_change_that_is_stored_already_is_saved_and_not_asked_about(
    ui_url: str, api_url: str, product: dict[str, Any]
) -> None:
    """As after an answer that came too late: what was sent has been done, and nobody else was there."""

    def journey(page: Page) -> None:
        [stored] = stock(api_url, [product])
        dialog = page.get_by_role("dialog")
        page.goto(f"{ui_url}/produto?id={stored['id']}")
        button(page, "Editar").click()
        dialog.get_by_label("Preço").fill("7,50")
        change(api_url, stored, price=7.5)
        dialog.get_by_role("button", name="Salvar alterações").click()
        expect(page.get_by_test_id("stToast")).to_contain_text("R$ 7,50")
        expect(dialog).not_to_be_attached()

        page.get_by_role("link", name="Produtos", exact=True).click()
        page.get_by_text("Editar na tabela").click()
        browser.edit_cell(page, "name", 0, "Mesa")
        change(api_url, stored, name="Mesa")
        button(page, "Revisar 1 alteração").click()
        button(page, "Salvar 1 produto").click()
        expect(dialog).not_to_be_attached()
        expect(page.get_by_test_id("stToast").last).to_contain_text("1 produto")
        assert read(api_url, stored) == read(api_url, stored) | {"name": "Mesa", "price": 7.5}

    browser.travel(journey, viewport=DESKTOP)


def test_many_products_are_deleted_at_once(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    def journey(page: Page) -> None:
        stock(api_url, numbered(product, 6))
        page.goto(ui_url)
        for row in (0, 2, 3):
            browser.select_row(page, row)
        button(page, "Delete (3)").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("listitem")).to_have_text(
            ["Produto 06, R$ 6.00", "Produto 04, R$ 4.00", "Produto 03, R$ 3.00"]
        )
        button(page, "Cancel").click()
        expect(dialog).not_to_be_attached()
        button(page, "Delete (3)").click()
        button(page, "Yes, delete 3").click()
        expect(page.get_by_test_id("stToast")).to_contain_text("3 products deleted")
        expect(page.get_by_text("3 products", exact=True)).to_be_visible()
        left = [stored["name"] for stored in httpx.get(f"{api_url}/products/").json()]
        assert left == ["Produto 01", "Produto 02", "Produto 05"]

    browser.travel(journey, viewport=DESKTOP, locale="en-US", color_scheme="dark")


def test_a_product_is_looked_up_by_its_id_and_by_its_address(
    ui_url: str, api_url: str, product: dict[str, Any]
) -> None:
    def journey(page: Page) -> None:
        one, two = stock(api_url, numbered(product, 2))
        page.goto(f"{ui_url}/produto?id={one['id']}")
        expect(page.get_by_role("heading", name="Produto 01")).to_be_visible()
        field = page.get_by_label("Código do produto")
        field.fill(str(two["id"]))
        field.press("Enter")
        expect(page.get_by_role("heading", name="Produto 02")).to_be_visible()
        expect(page).to_have_url(f"{ui_url}/produto?id={two['id']}")
        field.fill("2147483647")
        button(page, "Consultar").click()
        expect(page.get_by_role("alert")).to_contain_text("Este produto não existe, ou já foi excluído.")
        page.go_back()
        expect(page.get_by_role("heading", name="Produto 02")).to_be_visible()
        expect(field).to_have_value(str(two["id"]))
        page.go_back()
        expect(page.get_by_role("heading", name="Produto 01")).to_be_visible()
        expect(field).to_have_value(str(one["id"]))
        page.go_forward()
        expect(page.get_by_role("heading", name="Produto 02")).to_be_visible()
        button(page, "Editar").click()
        page.get_by_role("dialog").get_by_label("Nome", exact=True).fill("Mesa")
        page.get_by_role("dialog").get_by_role("button", name="Salvar alterações").click()
        expect(page.get_by_role("heading", name="Mesa")).to_be_visible()

    browser.travel(journey, viewport=DESKTOP)


@contextmanager
def api_on(port: int, database: URL, log: Path) -> Iterator[str]:
    """An API of its own, which a test may stop."""
    environment = {"DATABASE_URL": database.render_as_string(hide_password=False)}
    command = [sys.executable, "-m", "app.api.main"]
    with running(command, "API_PORT", "/health/ready", environment, log, port) as url:
        yield url


def test_an_api_that_is_down_for_a_while_costs_nothing_that_was_typed(
    api_url: str, migrated_postgres_url: URL, product: dict[str, Any], tmp_path: Path
) -> None:
    require("browser")
    port = free_port()

    def journey(page: Page) -> None:
        stock(api_url, numbered(product, 60))
        page.goto(ui_url)
        expect(page.get_by_role("alert")).to_contain_text("Não foi possível carregar os produtos")
        with api_on(port, migrated_postgres_url, tmp_path / "api.log"):
            expect(browser.first_name(page)).to_have_text("Produto 60")  # nobody has clicked
            button(page, "Novo produto").click()
            fill(page, PORTUGUESE, product)
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Cadastrar").click()
        expect(dialog.get_by_role("alert")).to_contain_text("A API não responde")
        expect(dialog.get_by_label("Nome", exact=True)).to_have_value(product["name"])
        page.keyboard.press("Escape")
        expect(dialog).not_to_be_attached()
        button(page, "Próxima").click()
        expect(page.get_by_role("alert")).to_contain_text("Não foi possível carregar os produtos")
        expect(page.get_by_text("Nova tentativa automática")).to_be_visible()
        for _theme in browser.both_themes(page):
            assert violations(page) == []
        with browser.run(page):
            button(page, "Novo produto").click()
        expect(dialog.get_by_label("Nome", exact=True)).to_have_value(product["name"])
        dialog.get_by_label("Descrição").fill("Escrita enquanto a API não respondia")
        with api_on(port, migrated_postgres_url, tmp_path / "api.log"):
            page.wait_for_timeout(1000 * (errors.RETRY_SECONDS + 1))  # the page does not run under who is typing
            expect(dialog.get_by_label("Descrição")).to_have_value("Escrita enquanto a API não respondia")
            dialog.get_by_role("button", name="Cadastrar").click()
            expect(dialog).not_to_be_attached()
            expect(browser.first_name(page)).to_have_text("Produto 10")
            [newest] = httpx.get(f"{api_url}/products/?sort=-id&limit=1").json()
            assert newest["name"] == product["name"]
            assert newest["description"] == "Escrita enquanto a API não respondia"
        assert "Traceback" not in page.content()

    environment, log = {"API_URL": f"http://127.0.0.1:{port}"}, tmp_path / "ui.log"
    with running(UI, "UI_PORT", "/_stcore/health", environment, log) as ui_url:
        browser.travel(journey, viewport=DESKTOP)
    assert "Traceback" not in log.read_text()


def test_while_the_api_is_slow_the_place_of_the_table_is_shown(
    ui_url: str, api_url: str, migrated_postgres_url: URL, product: dict[str, Any]
) -> None:
    engine = create_engine(migrated_postgres_url)

    def journey(page: Page) -> None:
        [stored] = stock(api_url, [product])
        skeleton = page.get_by_test_id("stSkeletonElement")
        with engine.begin() as connection:  # the API waits for the end of this
            connection.execute(text("LOCK TABLE products IN ACCESS EXCLUSIVE MODE"))
            page.goto(ui_url)
            expect(page.get_by_label("Buscar")).to_be_visible()
            expect(skeleton).to_be_visible()
        expect(browser.first_name(page)).to_have_text(product["name"])
        with engine.begin() as connection:
            connection.execute(text("LOCK TABLE products IN ACCESS EXCLUSIVE MODE"))
            page.goto(f"{ui_url}/produto?id={stored['id']}")
            expect(page.get_by_label("Código do produto")).to_be_visible()
            expect(skeleton).to_be_visible()
        expect(page.get_by_role("heading", name=product["name"])).to_be_visible()

    browser.travel(journey, viewport=DESKTOP)
    engine.dispose()


@pytest.mark.parametrize(("locale", "words", "other"), [("pt-BR", PORTUGUESE, ENGLISH), ("en-US", ENGLISH, PORTUGUESE)])
def test_the_language_is_the_browser_s_until_another_one_is_chosen(
    ui_url: str, api_url: str, product: dict[str, Any], locale: str, words: Any, other: Any
) -> None:
    def journey(page: Page) -> None:
        [stored] = stock(api_url, [product])
        html = page.locator("html")
        page.goto(ui_url)
        expect(html).to_have_attribute("lang", words.tag)
        switch_language(page, words, other)
        expect(html).to_have_attribute("lang", other.tag)
        expect(browser.first_name(page)).to_have_text(product["name"])
        page.reload()
        expect(button(page, other.add)).to_be_visible()
        page.goto(f"{ui_url}/resumo")  # an address without a language, as in a bookmark
        expect(page.get_by_role("heading", name=other.overview, exact=True)).to_be_visible()
        expect(html).to_have_attribute("lang", other.tag)
        page.get_by_role("link", name=other.product).click()
        expect(page.get_by_role("heading", name=other.product, exact=True)).to_be_visible()
        page.get_by_label(other.product_id).fill(str(stored["id"]))
        page.get_by_label(other.product_id).press("Enter")
        expect(page.get_by_test_id("stGrid").get_by_text(other.created_at, exact=True)).to_be_visible()
        page.reload()
        expect(page.get_by_test_id("stGrid").get_by_text(other.created_at, exact=True)).to_be_visible()
        page.get_by_role("link", name=other.products, exact=True).click()
        browser.select_row(page, 0)
        button(page, other.open).click()
        expect(page.get_by_test_id("stGrid").get_by_text(other.created_at, exact=True)).to_be_visible()
        code = next(code for code, texts in LANGUAGES.items() if texts is words)
        page.goto(f"{ui_url}/?lang={code}")
        expect(button(page, words.add)).to_be_visible()
        expect(html).to_have_attribute("lang", words.tag)
        page.goto(ui_url)
        expect(button(page, words.add)).to_be_visible()

    browser.travel(journey, viewport=DESKTOP, locale=locale)


def test_a_language_that_is_not_spoken_is_portuguese(ui_url: str) -> None:
    def journey(page: Page) -> None:
        page.goto(ui_url)
        expect(page.get_by_role("heading", name="Produtos", exact=True)).to_be_visible()

    browser.travel(journey, locale="ja-JP")


def test_streamlit_run_serves_it_too(api_url: str, tmp_path: Path) -> None:
    """Which is what people do who change the pages; no folder of ours is on Python's path then."""
    require("browser")
    command = [str(Path(sys.executable).with_name("streamlit")), "run", "app/ui/main.py"]
    environment, log = {"API_URL": api_url}, tmp_path / "ui.log"

    def journey(page: Page) -> None:
        page.goto(ui_url)
        switch_language(page, PORTUGUESE, ENGLISH)

    with running(command, "STREAMLIT_SERVER_PORT", "/_stcore/health", environment, log) as ui_url:
        browser.travel(journey)


def switch_language(page: Page, words: Any, other: Any) -> None:
    expect(button(page, words.add)).to_be_visible()
    page.get_by_role("combobox", name="Idioma / Language").click()
    page.get_by_role("option", name=other.language).click()
    expect(page.get_by_role("heading", name=other.products, exact=True)).to_be_visible()
    expect(button(page, other.add)).to_be_visible()
