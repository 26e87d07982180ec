"""Names that are addresses or markup: everywhere they are shown as they were typed, and lead nowhere."""

from typing import Any

from playwright.sync_api import Page, expect

from app.ui.formats import WORD_JOINER
from app.ui.texts import PORTUGUESE
from testkit import browser
from tests.end_to_end.catalogue import stock
from tests.end_to_end.journey import DESKTOP, button

NAMES = [
    "https://evil.example/a?b=c",
    "HTTP://evil.example",
    "www.evil.example",
    "ana@evil.example",
    "mailto:ana@evil.example",
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "<a href='https://evil.example'>x</a><img src=x onerror=alert(1)>",
    ":material/home: :red[x] :smile: **x** _x_ `x` ~x~",
    "$x^2$ $$y$$ # a",
]
MARKUP = "a[href*='evil' i], img[src*='evil' i], .katex, [data-testid=stIconMaterial] + em, strong em"


def test_every_name_is_shown_as_it_was_typed(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    stored = stock(api_url, [product | {"name": name, "description": name} for name in NAMES])

    def journey(page: Page) -> None:
        def check(shown: str, *names: str) -> None:
            expect(page.get_by_text(shown).first).to_be_visible()
            browser.settled(page)
            assert page.locator(MARKUP).count() == 0
            for name in names:
                assert name in page.locator("body").inner_text().replace(WORD_JOINER, ""), name

        for one in stored:
            page.goto(f"{ui_url}/produto?id={one['id']}")
            check(product["email_fornecedor"], one["name"])
            button(page, PORTUGUESE.delete).click()
            check(PORTUGUESE.cancel, one["name"])
        page.goto(ui_url)
        browser.select_row(page, 0)
        check(PORTUGUESE.selected.partition(":")[0], NAMES[-1])
        page.goto(f"{ui_url}/resumo")
        check(PORTUGUESE.cheapest_products)

    browser.travel(journey, viewport=DESKTOP)
