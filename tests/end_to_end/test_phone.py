"""A phone's screen: everything that matters without sideways scrolling, and nothing too small for a finger."""

from typing import Any

from playwright.sync_api import Page, expect

from app.ui.texts import PORTUGUESE
from testkit import browser
from tests.end_to_end.accessibility import violations
from tests.end_to_end.catalogue import numbered, read, stock
from tests.end_to_end.journey import button, search

PHONE = {"width": 390, "height": 844}
SMALL = """[...document.querySelectorAll('button, a, input, textarea, [role=combobox]')].map(one => {
    const box = one.getBoundingClientRect()
    return [one.tagName, one.innerText || one.ariaLabel, box.width, box.height, one.tabIndex]
}).filter(([tag, name, width, height, order]) => width > 1 && order >= 0 && (width < 44 || height < 44)
    && name != 'Link to heading')"""


def fits(page: Page) -> None:
    """Expect that nothing lies beside the screen and that a finger hits whatever can be tapped."""
    browser.settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(SMALL) == []


def test_a_product_is_found_and_changed_on_a_phone(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    def journey(page: Page) -> None:
        *_, stored = stock(api_url, [*numbered(product, 30), product | {"name": "Mesa " * 20, "price": 1234.5}])
        page.goto(ui_url)
        cards = page.locator(".st-key-cards").get_by_role("link")
        expect(cards).to_have_count(31)
        expect(cards.first).to_contain_text("Mesa Mesa")
        expect(cards.first).to_contain_text("R$ 1.234,50 · Eletrodoméstico")
        box = cards.first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        fits(page)
        for _ in browser.both_themes(page):
            assert violations(page) == []
        for name in ("Buscar", "Ordem"):
            box = page.get_by_label(name, exact=True).locator("xpath=ancestor::*[@data-testid][1]").bounding_box()
            assert box is not None
            assert box["width"] > 0.85 * PHONE["width"]

        further = page.get_by_role("button", name=PORTUGUESE.further_filters)
        further.click()
        expect(page.get_by_label(PORTUGUESE.price_min)).to_be_visible()
        fits(page)
        further.click()
        expect(page.get_by_label(PORTUGUESE.price_min)).to_be_hidden()
        search(page, PORTUGUESE, "mesa")
        expect(cards).to_have_count(1)
        cards.first.click()
        expect(page).to_have_url(f"{ui_url}/produto?id={stored['id']}")
        fits(page)
        button(page, "Editar").click()
        dialog = page.get_by_role("dialog")
        fits(page)
        dialog.get_by_label("Preço").fill("99,90")
        dialog.get_by_role("button", name="Salvar alterações").click()
        expect(dialog).not_to_be_attached()
        assert read(api_url, stored)["price"] == 99.9

    browser.travel(journey, viewport=PHONE, has_touch=True, is_mobile=True)


def test_the_menu_closes_after_a_choice_and_stays_closed(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    def journey(page: Page) -> None:
        stock(api_url, numbered(product, 3))
        page.goto(ui_url)
        menu = page.get_by_role("button", name="Menu", exact=True)
        for choice in ("Visão geral", "Importar e exportar", "Consultar", "Produtos"):
            menu.click()
            option = page.get_by_role("menuitem", name=choice).or_(page.get_by_role("option", name=choice))
            option.click()
            expect(page.get_by_role("heading", name=choice, exact=True, level=1)).to_be_visible()
            browser.settled(page)
            expect(option).to_have_count(0)
            expect(page.get_by_test_id("stSidebar")).to_have_count(0)
            fits(page)

    browser.travel(journey, viewport=PHONE, has_touch=True, is_mobile=True)
