"""What is typed is what is stored, or is refused beside its field: prices, in browsers of both languages."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from app.ui.texts import LANGUAGES
from testkit import browser
from tests.end_to_end.catalogue import change, numbered, read, stock
from tests.end_to_end.journey import DESKTOP, LOCALES, button

TYPED = [
    ("1.250,00", 1250),
    ("19,90", 19.9),
    ("2,899.90", 2899.9),
    ("1250", 1250),
    ("R$ 2.899,90", 2899.9),
    ("0,5", 0.5),
]
REFUSED = {
    "pt": [
        ("10,505", "Pode ser R$ 10.505,00 ou R$ 10,505. Escreva 10505,00 ou 10,51."),
        ("1.250", "Pode ser R$ 1.250,00 ou R$ 1,25. Escreva 1250,00 ou 1,25."),
        ("0", "Precisa ser maior que 0."),
        ("-5", "Precisa ser maior que 0."),
        ("a combinar", "Precisa ser um número, como 19,90."),
        ("1234,567", "Use no máximo 2 casas decimais."),
        ("", "Preencha este campo."),
    ],
    "en": [
        ("10,505", "This can be R$ 10,505.00 or R$ 10.505. Write 10505.00 or 10.51."),
        ("0", "This has to be more than 0."),
        ("ask", "This has to be a number, such as 19.90."),
    ],
}


@pytest.mark.parametrize("language", ["pt", "en"])
def test_a_price_in_a_form_is_what_was_typed(ui_url: str, api_url: str, product: dict[str, Any], language: str) -> None:
    words = LANGUAGES[language]

    def journey(page: Page) -> None:
        [stored] = stock(api_url, [product | {"price": 77}])
        page.goto(f"{ui_url}/produto?id={stored['id']}")
        dialog = page.get_by_role("dialog")
        save = dialog.get_by_role("button", name=words.save_changes)
        field = dialog.get_by_label(words.price_in_reais)
        button(page, words.edit).click()
        for text, sentence in REFUSED[language]:
            field.fill(text)
            save.click()
            expect(beside(field)).to_contain_text(sentence)
            assert read(api_url, stored)["price"] == 77
        for text, price in TYPED:
            field.fill(text)
            save.click()
            expect(dialog).not_to_be_attached()
            assert read(api_url, stored)["price"] == price
            shown = {"pt": f"R$ {price:,.2f}".translate(str.maketrans(",.", ".,")), "en": f"R$ {price:,.2f}"}[language]
            expect(page.get_by_role("heading", name=shown)).to_be_visible()
            expect(page.get_by_test_id("stToast").last).to_contain_text(f"{product['name']}, {shown}")
            button(page, words.edit).click()
            expect(field).to_have_value(shown.removeprefix("R$ "))

    browser.travel(journey, viewport=DESKTOP, locale=LOCALES[language])


@pytest.mark.parametrize("language", ["pt", "en"])
def test_a_price_in_the_table_is_what_was_typed_or_pasted(
    ui_url: str, api_url: str, product: dict[str, Any], language: str
) -> None:
    words = LANGUAGES[language]

    def journey(page: Page) -> None:
        four, three, two, one = stock(api_url, numbered(product, 4))
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(ui_url)
        page.get_by_text(words.edit_in_place).click()
        expect(browser.cell_of(page, browser.CELLS["price"][0], 0)).to_contain_text(
            {"pt": "4,00", "en": "4.00"}[language]
        )
        browser.edit_cell(page, "price", 0, "1.250,00")
        browser.edit_cell(page, "price", 3, "10,505")
        expect(page.get_by_text(REFUSED[language][0][1])).to_be_visible()
        page.evaluate("navigator.clipboard.writeText('19,90\\nR$ 2.899,90')")
        browser.select_cell(page, "price", 1)
        page.keyboard.press("Control+v")
        button(page, words.review.format(count=4)).click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text(REFUSED[language][0][1])).to_be_visible()
        with browser.run(page):
            button(page, words.save_many.format(count=4)).click()
        expect(button(page, words.save_one)).to_be_visible()
        expect(dialog.get_by_text(REFUSED[language][0][1])).to_be_visible()
        assert [read(api_url, stored)["price"] for stored in (one, two, three, four)] == [1250, 19.9, 2899.9, 1]

    browser.travel(journey, viewport=DESKTOP, locale=LOCALES[language])


@pytest.mark.parametrize("language", ["pt", "en"])
def test_a_price_to_filter_by_is_what_was_typed(
    ui_url: str, api_url: str, product: dict[str, Any], language: str
) -> None:
    words = LANGUAGES[language]

    def journey(page: Page) -> None:
        stock(api_url, [product | {"name": f"De {price}", "price": price} for price in (1, 1250, 19.9)])
        page.goto(ui_url)
        expect(browser.table(page)).to_contain_text("De 1250")
        page.get_by_test_id("stPopoverButton").first.click()
        least, most = page.get_by_label(words.price_min), page.get_by_label(words.price_max)
        least.fill("1.250,00")
        least.press("Enter")
        expect(browser.table(page)).not_to_contain_text("De 19.9")
        expect(browser.table(page)).to_contain_text("De 1250")
        assert "price_min=1250.00" in page.url
        most.fill("10,505")
        most.press("Enter")
        expect(beside(most)).to_contain_text(REFUSED[language][0][1])
        assert "price_max" not in page.url
        most.fill("R$ 1.250,00")
        most.press("Enter")
        expect(page.get_by_text(REFUSED[language][0][1])).to_have_count(0)
        assert "price_max=1250.00" in page.url
        least.fill("-5")
        least.press("Enter")
        expect(beside(least)).to_contain_text(words.wrong_price_filter)

    browser.travel(journey, viewport=DESKTOP, locale=LOCALES[language])


def test_a_dialog_opens_with_what_is_stored_now(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    def journey(page: Page) -> None:
        [stored] = stock(api_url, [product | {"price": 322}])
        page.goto(ui_url)
        browser.select_row(page, 0)
        button(page, "Editar").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_label("Preço")).to_have_value("322,00")
        dialog.get_by_label("Preço").fill("5")
        browser.close_dialog(page)
        change(api_url, stored, price=4321)
        with browser.run(page):
            button(page, "Editar").click()
        expect(dialog.get_by_label("Preço")).to_have_value("4.321,00")
        dialog.get_by_label("Nome", exact=True).fill("Outro nome")
        dialog.get_by_role("button", name="Salvar alterações").click()
        expect(dialog).not_to_be_attached()
        assert read(api_url, stored) == read(api_url, stored) | {"name": "Outro nome", "price": 4321}

    browser.travel(journey, viewport=DESKTOP)


def test_a_new_product_half_typed_comes_back_as_a_draft(ui_url: str, api_url: str) -> None:
    def journey(page: Page) -> None:
        stock(api_url, [])
        page.goto(ui_url)
        dialog = page.get_by_role("dialog")
        name, price = dialog.get_by_label("Nome", exact=True), dialog.get_by_label("Preço")
        button(page, "Novo produto").click()
        name.fill("Mesa")
        price.press_sequentially("19,9")
        browser.close_dialog(page)
        page.get_by_role("link", name="Visão geral").click()
        expect(page.get_by_role("heading", name="Visão geral", exact=True)).to_be_visible()
        page.get_by_role("combobox", name="Idioma / Language").click()
        with browser.run(page):
            page.get_by_role("option", name="English").click()
        page.get_by_role("link", name="Products", exact=True).click()
        button(page, "New product").click()
        dialog.get_by_text("Draft:").wait_for()
        expect(dialog.get_by_label("Name", exact=True)).to_have_value("Mesa")
        expect(dialog.get_by_label("Price")).to_have_value("19,9")
        with browser.run(page):
            button(page, "Start empty").click()
        expect(dialog.get_by_label("Name", exact=True)).to_have_value("")
        expect(dialog.get_by_text("Draft:")).to_have_count(0)
        browser.close_dialog(page)
        button(page, "New product").click()
        expect(dialog.get_by_label("Name", exact=True)).to_have_value("")
        expect(dialog.get_by_text("Draft:")).to_have_count(0)

    browser.travel(journey, viewport=DESKTOP)


def test_a_duplicate_leaves_a_half_typed_product_as_it_is(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    def journey(page: Page) -> None:
        [stored] = stock(api_url, [product])
        page.goto(ui_url)
        dialog = page.get_by_role("dialog")
        name = dialog.get_by_label("Nome", exact=True)
        button(page, "Novo produto").click()
        name.fill("Mesa")
        browser.close_dialog(page)
        browser.open_row(page, 0)
        button(page, "Duplicar").click()
        expect(name).to_have_value(stored["name"])
        browser.close_dialog(page)
        page.get_by_role("link", name="Produtos", exact=True).click()
        button(page, "Novo produto").click()
        dialog.get_by_text("Rascunho:").wait_for()
        expect(name).to_have_value("Mesa")

    browser.travel(journey, viewport=DESKTOP)


def test_a_toast_about_a_long_name_says_the_price_and_covers_little(
    ui_url: str, api_url: str, product: dict[str, Any]
) -> None:
    def journey(page: Page) -> None:
        name = f"{'Mesa de jantar extensível ' * 7}oval"
        [stored] = stock(api_url, [product | {"name": name}])
        page.goto(f"{ui_url}/produto?id={stored['id']}")
        button(page, "Editar").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Preço").fill("19,90")
        dialog.get_by_role("button", name="Salvar alterações").click()
        said = page.get_by_test_id("stToastText")
        expect(said).to_contain_text("Mesa de jantar extensível Mesa")
        expect(said).to_contain_text("R$ 19,90")
        box = page.get_by_test_id("stToast").bounding_box()
        assert box
        assert box["height"] < 200, "it covers what else there is to do"
        assert said.evaluate("text => text.scrollHeight <= text.clientHeight + 1"), "its end is out of sight"
        expect(page.get_by_text("view more")).to_be_hidden()

    browser.travel(journey, viewport=DESKTOP)


def beside(field: Locator) -> Locator:
    """Return the place around a field, where messages about it are."""
    return field.locator("xpath=ancestor::*[@data-testid='stVerticalBlock'][1]")
