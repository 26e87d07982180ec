"""`python -m tests.end_to_end.public_journey`: the way of somebody invited, and of a product, through a rehearsed UI.

PUBLIC_URL is that of the UI, ADDRESS the address and port of this machine where every host is answered by HTTPS, EMAIL
whose account it is, TEMPORARY_PASSWORD what it begins with, and SECOND_FACTOR is not empty where one has to be set up.
"""

import base64
import hmac
import os
import secrets
import sys
import time
import uuid

from playwright.sync_api import Error, Page, expect

from app.ui.texts import LANGUAGES
from testkit import browser
from testkit.tools import CHROMIUM
from tests.end_to_end.journey import DESKTOP, button, fill, search

_WORDS = LANGUAGES["pt"]
_PRODUCT = {
    "description": "Frost free, 375 L",
    "price": 2899,
    "categoria": "Eletrodoméstico",
    "email_fornecedor": "vendas@fornecedor.example.com",
}


def travel(url: str, address: str, email: str, temporary_password: str, second_factor: str) -> list[str]:
    """Sign in, create, find, change and delete a product; return what was done."""
    with browser.page(
        arguments=[f"--host-resolver-rules=MAP * {address}"],
        locale="pt-BR",
        viewport=DESKTOP,
        ignore_https_errors=True,
    ) as page:
        page.goto(url)
        sign_in(page, email, temporary_password, has_second_factor=bool(second_factor))
        create_to_delete(page)
    how = ", with the code of an authenticator app" if second_factor else ""
    return [f"invited, signed in{how}", "created", "found", "changed", "deleted"]


def sign_in(page: Page, email: str, temporary_password: str, *, has_second_factor: bool) -> None:
    """Sign in for the first time, on the pages of the emulated Cognito."""
    password = f"{secrets.token_urlsafe()}aA1!"
    expect(page.get_by_text(_WORDS.sign_in_hint)).to_be_visible()
    button(page, _WORDS.sign_in).click()
    page.get_by_label("Username").fill(email)
    page.get_by_label("Password").fill(temporary_password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("Confirm new password").fill(password)
    page.get_by_role("button", name="Update password").click()
    if has_second_factor:
        secret = page.get_by_label("Secret key").input_value()
        page.get_by_label("Code").fill("000000" if code(secret) != "000000" else "000001")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Invalid code")).to_be_visible()
        page.get_by_label("Code").fill(code(secret))
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name=email)).to_be_visible()


def code(secret: str) -> str:
    """Return what an authenticator app shows now (RFC 6238: SHA-1, 30 s, six digits)."""
    digest = hmac.digest(base64.b32decode(secret), int(time.time() // 30).to_bytes(8), "sha1")
    number = int.from_bytes(digest[(at := digest[-1] & 15) : at + 4]) & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def create_to_delete(page: Page) -> None:
    """Create, find, change and delete a product whose name nobody else has, from the list of products."""
    name, dialog = f"Ensaio {uuid.uuid4().hex}", page.get_by_role("dialog")
    button(page, _WORDS.add).click()
    fill(page, _WORDS, _PRODUCT | {"name": name})
    dialog.get_by_role("button", name=_WORDS.save_new).click()
    expect(page.get_by_test_id("stToast")).to_contain_text(name)
    expect(dialog).not_to_be_attached()

    search(page, _WORDS, name)
    expect(browser.table(page)).to_contain_text(name)

    browser.select_row(page, 0)
    button(page, _WORDS.edit).click()
    dialog.get_by_label(_WORDS.price_in_reais).fill("1.999,99")
    dialog.get_by_role("button", name=_WORDS.save_changes).click()
    expect(browser.table(page)).to_contain_text("1.999,99")

    button(page, _WORDS.delete).click()  # what was changed is still selected
    dialog.get_by_role("button", name=_WORDS.delete_confirm).click()
    expect(page.get_by_text(_WORDS.no_matches, exact=True)).to_be_visible()


def main() -> int:
    """Travel as the environment says, and say what was done, or the first thing that was not as it should be."""
    if not CHROMIUM:
        print("left out: no Chromium or Chrome is installed")
        return 0
    where = (os.environ[name] for name in ("PUBLIC_URL", "ADDRESS", "EMAIL", "TEMPORARY_PASSWORD", "SECOND_FACTOR"))
    try:
        print(" · ".join(travel(*where)))
    except (AssertionError, Error) as error:
        print(" ".join(str(error).split())[:500], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
