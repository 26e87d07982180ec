"""A visitor's whole way through the UI, against whatever runs it."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
from playwright.sync_api import Locator, Page, expect

from app.ui.formats import money
from app.ui.texts import LANGUAGES, Texts
from testkit import browser
from tests.end_to_end.catalogue import read, stock

LOCALES = {"pt": "pt-BR", "en": "en-US"}
DESKTOP = {"width": 1280, "height": 800}
REQUIRED = {"pt": "Preencha este campo.", "en": "Fill in this field."}
NOT_AN_ADDRESS = {"pt": "Não é um endereço de e-mail válido", "en": "This is not a valid e-mail address"}
SHOWN_PRICE = {"pt": "R$ 1.999,99", "en": "R$ 1,999.99"}


def create_find_change_delete(
    ui_url: str, api_url: str, product: dict[str, Any], *, language: str = "pt", **context: Any
) -> None:
    """Do in a browser all that can be done with one product; both servers may be processes or containers."""
    words = LANGUAGES[language]

    def journey(page: Page) -> None:
        stock(api_url, [])
        hosts: set[str | None] = set()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))

        page.goto(f"{ui_url}/produto?id=2147483647")  # the first thing a fresh server is asked for
        expect(page.get_by_role("alert")).to_contain_text(words.not_found)
        page.get_by_role("link", name=words.products, exact=True).click()
        expect(page.get_by_text(words.no_products)).to_be_visible()
        browser.settled(page)

        button(page, words.add).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name=words.save_new).click()
        expect(dialog.get_by_text(REQUIRED[language])).to_have_count(4)
        fill(page, words, product | {"email_fornecedor": "nenhum"})
        dialog.get_by_role("button", name=words.save_new).click()
        expect(dialog.get_by_text(NOT_AN_ADDRESS[language])).to_be_visible()
        expect(dialog.get_by_text(REQUIRED[language])).to_have_count(0)
        dialog.get_by_label(words.email_fornecedor).fill(product["email_fornecedor"])
        dialog.get_by_role("button", name=words.save_new).click()
        expect(page.get_by_test_id("stToast")).to_contain_text(product["name"])
        expect(dialog).not_to_be_attached()
        [stored] = httpx.get(f"{api_url}/products/").json()
        assert {name: stored[name] for name in product} == product

        search(page, words, "bicicleta")
        expect(page.get_by_text(words.no_matches, exact=True)).to_be_visible()
        search(page, words, product["name"].split()[0].lower())
        expect(browser.table(page)).to_contain_text(product["name"])
        page.reload()
        expect(browser.table(page)).to_contain_text(product["name"])

        browser.select_row(page, 0)
        button(page, words.edit).click()
        dialog.get_by_label(words.price_in_reais).fill("1.999,99")
        dialog.get_by_role("button", name=words.save_changes).click()
        expect(browser.table(page)).to_contain_text(money(Decimal("1999.99"), words))
        expect(
            page.get_by_test_id("stCaptionContainer").get_by_text(words.selected.split("{")[0].strip("* "))
        ).to_be_visible()
        assert read(api_url, stored)["price"] == 1999.99

        page.get_by_text(words.edit_in_place).click()
        browser.edit_cell(page, "name", 0, "Geladeira nova")
        button(page, words.review_one).click()
        expect(dialog.get_by_role("row").last).to_contain_text(f"{product['name']}Geladeira nova")
        assert read(api_url, stored)["name"] == product["name"]
        dialog.get_by_role("button", name=words.save_one).click()
        expect(page.get_by_test_id("stToast")).to_contain_text(words.saved_one)
        assert read(api_url, stored)["name"] == "Geladeira nova"
        page.get_by_text(words.edit_in_place).click()
        expect(page.get_by_text(words.select_a_row)).to_be_visible()

        browser.select_row(page, 0)
        button(page, words.open).click()
        expect(page.get_by_role("heading", name=SHOWN_PRICE[language])).to_be_visible()
        expect(page).to_have_url(f"{ui_url}/produto?id={stored['id']}")
        page.go_back()
        expect(browser.table(page)).to_contain_text("Geladeira nova")

        browser.select_row(page, 0)
        button(page, words.delete).click()
        expect(dialog).to_contain_text(
            f"{words.delete} Geladeira nova, {product['categoria']}, {SHOWN_PRICE[language]}"
        )
        dialog.get_by_role("button", name=words.delete_confirm).click()
        expect(page.get_by_text(words.no_matches, exact=True)).to_be_visible()
        assert httpx.get(f"{api_url}/products/").json() == []

        assert hosts <= {"127.0.0.1", ""}, "the page fetches something from elsewhere"
        assert "Traceback" not in page.content()

    browser.travel(journey, locale=LOCALES[language], viewport=DESKTOP, **context)


def button(page: Page, name: str) -> Locator:
    """Return the page's own button with this name, whether or not it has a key; Streamlit has others of its own."""
    named = re.compile(rf"^{re.escape(name)}( Shortcut \w+)?$")
    return page.get_by_test_id("stButton").get_by_role("button", name=named)


def search(page: Page, words: Texts, text: str) -> None:
    """Search the list."""
    page.get_by_label(words.q, exact=True).fill(text)
    page.get_by_label(words.q, exact=True).press("Enter")


def fill(page: Page, words: Texts, product: dict[str, Any]) -> None:
    """Fill in the form of a product."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(words.name, exact=True).fill(product["name"])
    dialog.get_by_role("combobox").click()
    page.get_by_role("option", name=product["categoria"]).click()
    dialog.get_by_label(words.price_in_reais).fill(str(product["price"]))
    dialog.get_by_label(words.email_fornecedor).fill(product["email_fornecedor"])
    dialog.get_by_label(words.description).fill(product["description"])
