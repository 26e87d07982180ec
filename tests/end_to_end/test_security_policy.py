"""Every page under the policy that its answers carry, in both themes: the browser refuses nothing of it."""

from typing import Any

from playwright.sync_api import Page, expect

from app.ui.texts import PORTUGUESE
from testkit import browser
from tests.end_to_end.catalogue import numbered, stock
from tests.end_to_end.journey import DESKTOP, button


def test_every_page_works_under_its_own_policy(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    stock(api_url, numbered(product, 60))

    def journey(page: Page) -> None:
        page.goto(ui_url)
        for _ in browser.both_themes(page):
            browser.select_row(page, 0)
            button(page, PORTUGUESE.edit).click()
            expect(page.get_by_role("dialog").get_by_label(PORTUGUESE.description)).to_be_visible()
            browser.close_dialog(page)
            page.reload()
        page.goto(f"{ui_url}/resumo")
        charts = page.get_by_test_id("stVegaLiteChart").locator("svg [role=graphics-symbol]")
        expect(charts.first).to_be_attached()
        page.goto(f"{ui_url}/produto?id=1")
        expect(page.get_by_text(product["email_fornecedor"])).to_be_visible()
        page.goto(f"{ui_url}/arquivos")
        with page.expect_download() as template:
            page.get_by_role("button", name=PORTUGUESE.import_template).click()
        page.locator("input[type=file]").set_input_files(template.value.path())
        expect(page.get_by_text(PORTUGUESE.preview)).to_be_visible()
        with page.expect_download() as export:
            page.get_by_role("link", name=PORTUGUESE.export_csv, exact=True).click()
        assert export.value.suggested_filename == "produtos.csv"
        page.goto(f"{ui_url}/nothing")
        expect(page.get_by_text(PORTUGUESE.no_page)).to_be_visible()

    browser.travel(journey, viewport=DESKTOP)
