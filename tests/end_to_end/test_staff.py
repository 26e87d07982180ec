"""What staff does all day, in a browser: find, open, change many, delete and take back, and stay where one was."""

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.ui.formats import money
from app.ui.texts import LANGUAGES
from testkit import browser
from tests.end_to_end.catalogue import numbered, stock
from tests.end_to_end.journey import DESKTOP, LOCALES, button, search


@pytest.mark.parametrize(("language", "theme"), [("pt", "light"), ("en", "dark")])
def test_a_day_at_work(ui_url: str, api_url: str, product: dict[str, Any], language: str, theme: Any) -> None:
    words = LANGUAGES[language]

    def journey(page: Page) -> None:
        products = stock(api_url, numbered(product, 60))
        dialog, toast = page.get_by_role("dialog"), page.get_by_test_id("stToast")
        page.goto(ui_url)
        browser.settled(page)
        table = browser.table(page)
        browser.select_row(page, 0)
        expect(page.get_by_text(words.selected.split(":")[0])).to_be_visible()
        expect(page.get_by_role("button", name=words.choose_all.split(" {")[0])).to_be_visible()
        browser.settled(page)
        place = table.bounding_box()
        table.click(position={"x": 16, "y": browser.ROW_HEIGHT * 1.5})
        expect(page.get_by_text(words.select_a_row)).to_be_visible()
        browser.settled(page)
        assert table.bounding_box() == place, "the table jumps when a row is selected or not"
        browser.select_row(page, 0)
        table.hover()
        expect(page.get_by_role("button", name="Fullscreen")).to_be_visible()
        for sees_one_page_only in ("Search:", "Download as CSV"):
            expect(page.locator(f"button[aria-label^='{sees_one_page_only}']")).to_be_hidden()
        page.keyboard.press("Control+f")
        expect(page.locator(".gdg-search-bar")).to_be_hidden()
        page.get_by_test_id("stPopoverButton").last.click()
        for export in (words.export_excel, words.export_csv, words.export_jsonl):
            expect(page.get_by_role("link", name=export, exact=True)).to_be_visible()
        page.keyboard.press("Escape")

        page.get_by_role("button", name=words.choose_all.split(" {")[0]).click()
        button(page, f"{words.change_many} (60)").click()
        dialog.get_by_label(words.percent).fill("10")
        dialog.get_by_label(words.percent).press("Enter")
        expect(dialog.get_by_role("row").nth(1)).to_contain_text("Produto 01")
        dialog.get_by_role("button", name=words.change_many_confirm.format(count=60)).click()
        expect(dialog).not_to_be_attached()
        expect(toast).to_contain_text(words.changed_many.format(count=60))
        expect(table).to_contain_text(f"Eletrodoméstico{money(Decimal(66), words)}")

        browser.select_row(page, 0)
        button(page, words.delete).click()
        confirm = dialog.get_by_role("button", name=words.delete_confirm)
        expect(confirm).to_have_css("background-color", "rgb(179, 38, 30)")
        close, told = dialog.get_by_role("button", name="Close").bounding_box(), toast.first.bounding_box()
        assert close, "the dialog can be closed"
        assert told, "the toast is still there"
        assert told["y"] > close["y"] + close["height"], "the toast lies on the button that closes the dialog"
        place = confirm.bounding_box()
        assert place
        assert told["x"] + told["width"] < place["x"], "the toast may lie on the dialog's other buttons"
        confirm.click()
        expect(table).not_to_contain_text("Produto 60")
        page.get_by_role("button", name=words.undo).click()
        expect(table).to_contain_text("Produto 60")

        browser.settled(page)
        search(page, words, "produto 5")
        expect(page.get_by_text(words.total.format(count=10), exact=True)).to_be_visible()
        page.get_by_role("link", name=words.bin).click()
        expect(page.get_by_text(words.bin_empty)).to_be_visible()
        page.get_by_role("link", name=words.products, exact=True).click()
        expect(page.get_by_text(words.total.format(count=10), exact=True)).to_be_visible()
        expect(page.get_by_label(words.q, exact=True)).to_have_value("produto 5")

        page.goto(f"{ui_url}/produto?id={products[59]['id']}")
        expect(page.get_by_text(words.history_restored)).to_be_visible()
        page.goto(ui_url)
        expect(browser.table(page)).to_contain_text("Produto 60")
        opened = page.get_by_role("heading", name="Produto 60")
        browser.open_row(page, 0)
        expect(opened).to_be_visible()
        page.go_back()
        browser.select_row(page, 0)
        expect(page.get_by_text(words.ignored.partition("{")[0])).to_have_count(0)
        page.keyboard.press("o")
        expect(opened).to_be_visible()
        page.go_back()
        expect(button(page, words.add)).to_be_enabled()
        browser.settled(page)
        page.keyboard.press("n")
        expect(dialog.get_by_text(words.add_title)).to_be_visible()

    browser.travel(journey, locale=LOCALES[language], viewport=DESKTOP, color_scheme=theme)
