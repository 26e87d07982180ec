"""Names that are addresses or markup: everywhere they are shown as they were typed, and lead nowhere."""

import csv
import io
import re
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

from app.ui.formats import FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE, WORD_JOINER
from app.ui.texts import PORTUGUESE
from testkit import browser
from tests.end_to_end.catalogue import change, stock
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
    "[a](javascript:alert(1)) |a|b|",
    "\N{RIGHT-TO-LEFT OVERRIDE}elpmaxe.live//:sptth",
    "www\N{ZERO WIDTH SPACE}.evil.example\N{ZERO WIDTH JOINER} שלום",
]
DELETED = PORTUGUESE.deleted.rpartition("}")[2].strip(" *.")
INVISIBLE = f"[{WORD_JOINER}{FIRST_STRONG_ISOLATE}{POP_DIRECTIONAL_ISOLATE}]*"
MARKUP = "[href*='evil' i], [href^='javascript' i], [href^='mailto' i], img[src*='evil' i], img[src=x], "
MARKUP += ".katex, [data-testid=stIconMaterial] + em, strong em"


def checked(page: Page, place: Locator, *names: str) -> None:
    """Look for names in a place as a reader sees them, and for nothing of them that the browser took for markup."""
    expect(place.first).to_be_visible()
    browser.settled(page)
    for name in names:  # waited for, as a dialog opens before all of it is there
        seen = re.compile(INVISIBLE.join(re.escape(character) for character in name))
        expect(place.first).to_contain_text(seen, use_inner_text=True)
    assert page.locator(MARKUP).count() == 0


def test_every_name_is_shown_as_it_was_typed(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    stored = stock(api_url, [product | {"name": name, "description": name} for name in NAMES])

    def journey(page: Page) -> None:
        everything, dialog, toast = (
            page.get_by_test_id("stApp"),
            page.get_by_role("dialog"),
            page.get_by_test_id("stToast"),
        )
        page.goto(f"{ui_url}/resumo")
        expect(page.get_by_text(PORTUGUESE.cheapest_products)).to_be_visible()
        checked(page, everything)
        page.goto(ui_url)
        browser.select_row(page, 0)
        expect(page.get_by_text(PORTUGUESE.selected.partition(":")[0])).to_be_visible()
        checked(page, everything, NAMES[-1])
        for one in stored:
            page.goto(f"{ui_url}/produto?id={one['id']}")
            expect(page.get_by_text(product["email_fornecedor"])).to_be_visible()
            checked(page, everything, one["name"])
            button(page, PORTUGUESE.edit).click()
            dialog.get_by_label(PORTUGUESE.description).fill(one["name"] * 2)
            change(api_url, one, description="De outra pessoa")
            dialog.get_by_role("button", name=PORTUGUESE.save_changes).click()
            expect(dialog.get_by_text(PORTUGUESE.conflict)).to_be_visible()
            checked(page, dialog, one["name"] * 2)
            dialog.get_by_role("button", name=PORTUGUESE.save_mine).click()
            checked(page, toast, one["name"])
            button(page, PORTUGUESE.delete).click()
            checked(page, dialog, one["name"])
            dialog.get_by_role("button", name=PORTUGUESE.delete_confirm).click()
            checked(page, toast.filter(has_text=DELETED), one["name"])

    browser.travel(journey, viewport=DESKTOP)


def test_files_and_addresses_of_such_names_are_shown_as_they_are(
    ui_url: str, api_url: str, product: dict[str, Any]
) -> None:
    stock(api_url, [product])
    file = io.StringIO()
    csv.writer(file).writerows([["categoria", *NAMES], [product["categoria"], *NAMES]])

    def journey(page: Page) -> None:
        alert = page.get_by_role("alert")
        for name in NAMES:
            wrong = {"q": name, "email_fornecedor": name, "categoria": name, "price_min": "2", "price_max": "1"}
            page.goto(f"{ui_url}/?{urlencode(wrong)}")
            checked(page, alert)
        page.goto(f"{ui_url}/arquivos?{urlencode({'import': NAMES[0]})}")
        content = file.getvalue().encode()
        name = f"{NAMES[5]} {NAMES[8]}.csv"
        page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
        checked(page, alert, PORTUGUESE.columns_missing.partition("{")[0])
        page.get_by_role("combobox", name=PORTUGUESE.name, exact=True).click()
        checked(page, page.get_by_role("listbox"), NAMES[0])

    browser.travel(journey, viewport=DESKTOP)
