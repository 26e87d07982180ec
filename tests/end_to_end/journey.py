"""A visitor's whole way through the UI, against whatever runs it."""

from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
from playwright.sync_api import Page, expect

from tests.end_to_end import browser


def create_find_change_delete(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    """Do in a browser all that can be done with one product; both servers may be processes or containers."""

    def journey(page: Page) -> None:
        for left_over in httpx.get(f"{api_url}/products/").json():
            httpx.delete(f"{api_url}/products/{left_over['id']}")
        hosts: set[str | None] = set()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))

        page.goto(f"{ui_url}/produto?id=2147483647")  # the first thing a fresh server is asked for
        expect(page.get_by_role("alert")).to_contain_text("Product not found")
        page.get_by_role("link", name="Produtos").click()
        expect(page.get_by_text("Ainda não há produtos")).to_be_visible()

        page.get_by_role("button", name="Novo produto").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Cadastrar").click()
        expect(dialog.get_by_text("This field is required")).to_have_count(4)
        _fill(page, product)
        dialog.get_by_role("button", name="Cadastrar").click()
        expect(page.get_by_text("cadastrado com o código")).to_be_visible()
        expect(dialog).not_to_be_attached()
        [stored] = httpx.get(f"{api_url}/products/").json()
        assert {name: stored[name] for name in product} == product

        page.reload()
        expect(browser.table(page)).to_contain_text(product["name"])
        browser.select_row(page, 0)
        page.get_by_role("button", name="Editar").click()
        dialog.get_by_label("Preço (R$)").fill("1999.99")
        dialog.get_by_role("button", name="Salvar alterações").click()
        expect(page.get_by_text("atualizado.")).to_be_visible()
        # What assistive technology reads; the canvas shows R$ 1.999,99.
        expect(browser.table(page)).to_contain_text("1999.99")
        expect(page.get_by_text("Selecione uma linha")).to_be_visible()
        assert httpx.get(f"{api_url}/products/{stored['id']}").json()["price"] == 1999.99

        browser.select_row(page, 0)
        page.get_by_role("button", name="Abrir").click()
        expect(page.get_by_role("heading", name="R$ 1.999,99")).to_be_visible()
        expect(page).to_have_url(f"{ui_url}/produto?id={stored['id']}")
        page.go_back()
        expect(browser.table(page)).to_contain_text(product["name"])

        browser.select_row(page, 0)
        page.get_by_role("button", name="Excluir").click()
        expect(dialog).to_contain_text(f"Excluir {product['name']}, {product['categoria']}, R$")
        dialog.get_by_role("button", name="Sim, excluir").click()
        expect(page.get_by_text("Ainda não há produtos")).to_be_visible()
        assert httpx.get(f"{api_url}/products/").json() == []

        assert hosts <= {"127.0.0.1", ""}, "the page fetches something from elsewhere"
        assert "Traceback" not in page.content()

    browser.travel(journey, viewport={"width": 1280, "height": 800})


def _fill(page: Page, product: dict[str, Any]) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Nome").fill(product["name"])
    dialog.get_by_role("combobox").click()
    page.get_by_role("option", name=product["categoria"]).click()
    dialog.get_by_label("Preço (R$)").fill(str(product["price"]))
    dialog.get_by_label("E-mail do fornecedor").fill(product["email_fornecedor"])
    dialog.get_by_label("Descrição").fill(product["description"])
