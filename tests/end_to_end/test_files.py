"""A spreadsheet on its way into the catalogue and out again, in Chromium, as a person does it."""

import csv
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from testkit import browser
from testkit.server import running
from testkit.tools import require

FIELDS = ("name", "description", "price", "categoria", "email_fornecedor")
SPREADSHEET = (
    "Produto;Detalhes;Preço (R$);Seção;E-mail do fornecedor\r\n"
    'Geladeira 375 L;"Branca;\r\n110 V";2.899,90;eletrodomestico;vendas@fornecedor.example.com\r\n'
    "Camiseta – azul;;29,90;ROUPAS;camisetas\r\n"
    ";;;;\r\n"
    "Sofá;;R$ 1.899,50;Móveis;vendas@fornecedor.example.com\r\n"
)
PRODUCTS = [
    ["Geladeira 375 L", "Branca;\r\n110 V", "2899.90", "Eletrodoméstico", "vendas@fornecedor.example.com"],
    ["Sofá", "", "1899.50", "Móveis", "vendas@fornecedor.example.com"],
    ["Camiseta – azul", "", "29.90", "Roupas", "camisetas@fornecedor.example.com"],
]


@pytest.fixture
def ui_url(api_url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a running UI, as `make run` starts it."""
    require("browser")
    command = [sys.executable, "-m", "app.ui.serve"]
    with running(command, "UI_PORT", "/_stcore/health", {"API_URL": api_url}, tmp_path / "ui.log") as url:
        yield url


def test_a_spreadsheet_is_imported_corrected_and_exported(ui_url: str, api_url: str) -> None:
    def journey(page: Page) -> None:
        for left_over in httpx.get(f"{api_url}/products/").json():
            httpx.delete(f"{api_url}/products/{left_over['id']}")
        page.goto(ui_url)
        page.get_by_role("link", name="Importar e exportar").click()
        expect(page).to_have_url(f"{ui_url}/arquivos")
        upload(page, SPREADSHEET.encode("cp1252"))
        expect(box(page, "Codificação")).to_have_value("Windows-1252")
        expect(box(page, "Separador")).to_have_value(re.compile("Ponto e vírgula"))
        expect(box(page, "Nome")).to_have_value("Produto · Geladeira 375 L")
        expect(page.get_by_text("Falta escolher a coluna de: Categoria.")).to_be_visible()
        expect(page.get_by_role("button", name="Importar 3 produtos")).to_be_disabled()
        start = page.get_by_role("button", name="Importar 2 produtos")
        box(page, "Categoria").click()
        page.get_by_role("option", name="Seção").click()
        expect(page.get_by_text("2 novos, 0 alterados, 0 iguais, 1 recusados")).to_be_visible()
        expect(start).to_be_enabled()
        start.dblclick()
        expect(page.get_by_text("2 produtos importados.")).to_be_visible()
        expect(page.get_by_text("1 linha não pôde ser importada.")).to_be_visible()
        expect(page.get_by_test_id("stDataFrame")).to_contain_text("Não é um endereço de e-mail válido")

        with page.expect_download() as refused:
            page.get_by_role("button", name="Baixar as linhas recusadas").click()
        file = refused.value.path().read_bytes()
        corrected = file.replace(b"camisetas;", b"camisetas@fornecedor.example.com;")
        assert corrected != file
        upload(page, corrected)
        expect(box(page, "Codificação")).to_have_value("UTF-8")
        box(page, "Categoria").click()
        page.get_by_role("option", name="Seção").click()
        page.get_by_role("button", name="Importar 1 produto").click()
        expect(page.get_by_text("1 produto importado.")).to_be_visible()
        expect(page.get_by_text("não pôde ser importada")).to_have_count(0)
        browser.settled(page)

        with page.expect_download() as exported:
            page.get_by_role("link", name="Baixar CSV", exact=True).click()
        assert exported.value.suggested_filename == "produtos.csv"
        rows = csv.DictReader(io.StringIO(exported.value.path().read_bytes().decode(), newline=""))
        assert [[row[field] for field in FIELDS] for row in rows] == PRODUCTS
        assert "Traceback" not in page.content()

        with page.expect_download() as for_excel:
            page.get_by_role("link", name="Baixar CSV para Excel").click()
        changed = for_excel.value.path().read_bytes().replace(b"1899,50", b"1800,00")
        page.get_by_role("button", name="Importar outro arquivo").click()
        expect(page.get_by_text("1 produto importado.")).to_have_count(0)
        browser.settled(page)
        upload(page, changed)
        expect(page.get_by_text("0 novos, 1 alterados, 2 iguais, 0 recusados")).to_be_visible()
        page.get_by_role("button", name="Importar 1 produto").click()
        expect(page.get_by_text("1 produto alterado.")).to_be_visible()
        assert [product["price"] for product in httpx.get(f"{api_url}/products/").json()] == [2899.9, 1800, 29.9]
        page.reload()
        page.get_by_role("button", name="Desfazer").first.click()
        page.get_by_role("button", name="Desfazer a importação inteira").click()
        expect(page.get_by_text("Desfeita: 0 excluídos de novo, 1 como eram antes.")).to_be_visible()
        assert [product["price"] for product in httpx.get(f"{api_url}/products/").json()] == [2899.9, 1899.5, 29.9]

    browser.travel(journey, viewport={"width": 1280, "height": 800})


def test_an_import_that_nobody_knows_any_more_stays_told(ui_url: str) -> None:
    def journey(page: Page) -> None:
        page.goto(f"{ui_url}/arquivos?import=long-ago")
        told = page.get_by_text("import=long-ago")
        expect(told).to_be_visible()
        expect(page).to_have_url(f"{ui_url}/arquivos")
        page.wait_for_timeout(5000)  # the page looks after an import every two seconds
        expect(told).to_be_visible()

    browser.travel(journey, viewport={"width": 1280, "height": 800})


@pytest.mark.parametrize("language", ["pt", "en"])
def test_on_a_phone_and_by_keyboard_nothing_is_out_of_reach(ui_url: str, language: str) -> None:
    """From the field to the button by Tab alone, and no part of the page is wider than the screen."""

    def journey(page: Page) -> None:
        page.goto(f"{ui_url}/arquivos?lang={language}")
        upload(page, SPREADSHEET.replace("Seção", "Categoria").encode())
        start = page.get_by_role("button").filter(has_text="2 produtos" if language == "pt" else "2 products")
        expect(start).to_be_enabled()
        browser.settled(page)
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
        page.locator("summary").filter(has_text="50 MB").focus()
        for _ in range(40):
            page.keyboard.press("Tab")
            if start.evaluate("button => button === document.activeElement"):
                break
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("stAlert").filter(has_text=re.compile("2 produ[ct]"))).to_be_visible()

    browser.travel(journey, viewport={"width": 390, "height": 844}, has_touch=True)


def upload(page: Page, content: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": "produtos.csv", "mimeType": "text/csv", "buffer": content}
    )


def box(page: Page, label: str) -> Locator:
    return page.get_by_role("combobox", name=label, exact=True)
