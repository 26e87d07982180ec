"""`python -m tests.end_to_end.public_journey`: the way of somebody invited, and of a product, through a rehearsed UI.

PUBLIC_URL is that of the UI, ADDRESS the address and port of this machine where every host is answered by HTTPS, EMAIL
whose account it is, and TEMPORARY_PASSWORD what it begins with.
"""

import os
import secrets
import sys
import uuid

from playwright.sync_api import Error, Page, expect

from app.ui.texts import LANGUAGES
from testkit import browser
from testkit.tools import CHROMIUM
from tests.end_to_end.journey import DESKTOP, button, fill, search

_PRODUCT = {
    "description": "Frost free, 375 L",
    "price": 2899,
    "categoria": "Eletrodoméstico",
    "email_fornecedor": "vendas@fornecedor.example.com",
}


def travel(url: str, address: str, email: str, temporary_password: str) -> list[str]:
    """Sign in, create, find, change and delete a product whose name nobody else has; return what was done."""
    words, name = LANGUAGES["pt"], f"Ensaio {uuid.uuid4().hex}"
    password = f"{secrets.token_urlsafe()}aA1!"
    done: list[str] = []

    def journey(page: Page) -> None:
        done.clear()
        page.goto(url)
        expect(page.get_by_text(words.sign_in_hint)).to_be_visible()
        button(page, words.sign_in).click()
        page.get_by_label("Username").fill(email)
        page.get_by_label("Password").fill(temporary_password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("New password", exact=True).fill(password)
        page.get_by_label("Confirm new password").fill(password)
        page.get_by_role("button", name="Update password").click()
        expect(page.get_by_role("button", name=email)).to_be_visible()
        done.append("invited, signed in")

        button(page, words.add).click()
        fill(page, words, _PRODUCT | {"name": name})
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name=words.save_new).click()
        expect(page.get_by_test_id("stToast")).to_contain_text(name)
        expect(dialog).not_to_be_attached()
        done.append("created")

        search(page, words, name)
        expect(browser.table(page)).to_contain_text(name)
        done.append("found")

        browser.select_row(page, 0)
        button(page, words.edit).click()
        dialog.get_by_label(words.price_in_reais).fill("1.999,99")
        dialog.get_by_role("button", name=words.save_changes).click()
        expect(browser.table(page)).to_contain_text("1999.99")
        expect(
            page.get_by_test_id("stCaptionContainer").get_by_text(words.selected.split("{")[0].strip("* "))
        ).to_be_visible()
        done.append("changed")

        browser.select_row(page, 0)
        button(page, words.delete).click()
        dialog.get_by_role("button", name=words.delete_confirm).click()
        expect(page.get_by_text(words.no_matches, exact=True)).to_be_visible()
        done.append("deleted")

    with browser.page(
        arguments=[f"--host-resolver-rules=MAP * {address}"],
        locale="pt-BR",
        viewport=DESKTOP,
        ignore_https_errors=True,
    ) as page:
        journey(page)
    return done


def main() -> int:
    """Travel as the environment says, and say what was done, or the first thing that was not as it should be."""
    if not CHROMIUM:
        print("left out: no Chromium or Chrome is installed")
        return 0
    where = (os.environ[name] for name in ("PUBLIC_URL", "ADDRESS", "EMAIL", "TEMPORARY_PASSWORD"))
    try:
        print(" · ".join(travel(*where)))
    except (AssertionError, Error) as error:
        print(" ".join(str(error).split())[:500], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
