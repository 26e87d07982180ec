"""Whether everybody can use the pages: without a mouse, and with assistive technology."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import ElementHandle, Locator, Page, expect

from app.ui.texts import LANGUAGES, PORTUGUESE
from testkit import browser
from tests.end_to_end.accessibility import violations
from tests.end_to_end.catalogue import change, delete, numbered, stock
from tests.end_to_end.journey import DESKTOP, LOCALES, button

MOST_STOPS = 80  # of the tab key on one page


@pytest.mark.parametrize(("language", "theme"), [("pt", "light"), ("en", "dark")])
def test_no_state_of_a_page_has_a_grave_violation(
    ui_url: str, api_url: str, product: dict[str, Any], language: str, theme: str
) -> None:
    words = LANGUAGES[language]

    def journey(page: Page) -> None:
        def check(state: str, shown: Locator) -> None:
            expect(shown).to_be_visible()
            browser.settled(page)
            found[state] = violations(page)

        found: dict[str, list[str]] = {}
        dialog, alert, table = page.get_by_role("dialog"), page.get_by_role("alert"), page.get_by_test_id("stDataFrame")
        page.goto(ui_url)
        check("empty catalogue", page.get_by_text(words.no_products, exact=True))
        newest = stock(api_url, numbered(product, 60))[-1]
        page.goto(f"{ui_url}/?q=bicicleta")
        check("nothing found", page.get_by_text(words.no_matches, exact=True))
        page.goto(f"{ui_url}/?q=produto&categoria={product['categoria']}&price_max=50&sort=-price&limit=25")
        check("filtered", table)
        page.get_by_test_id("stPopoverButton").first.click()
        check("popover", page.get_by_label(words.price_max))
        page.goto(f"{ui_url}/?price_min=2&price_max=1")
        check("wrong filter", alert)
        page.get_by_test_id("stPopoverButton").first.click()
        check("wrong filter in the popover", page.get_by_label(words.price_max))

        page.goto(ui_url)
        check("plain", table)
        browser.select_row(page, 0)
        check("one selected", page.get_by_text(f"{words.selected.partition(':')[0]}: Produto 60"))
        button(page, words.edit).click()
        check("edit", dialog.get_by_label(words.description))
        dialog.get_by_label(words.name, exact=True).fill("Mesa")
        change(api_url, newest, name="De outra pessoa")
        dialog.get_by_role("button", name=words.save_changes).click()
        check("conflict", dialog.get_by_text(words.conflict))
        browser.close_dialog(page)
        button(page, words.delete).click()
        check("delete", dialog.get_by_text(words.delete_warning))
        button(page, words.delete_confirm).click()
        check("delete what has changed", dialog.get_by_text(words.changed_before_delete))
        browser.close_dialog(page)
        browser.select_row(page, 1)
        button(page, f"{words.delete} (2)").click()
        check("delete many", dialog.get_by_text(words.delete_many_warning))
        browser.close_dialog(page)
        button(page, words.add).click()
        check("add", dialog.get_by_label(words.description))
        dialog.get_by_role("button", name=words.save_new).click()
        check("add with mistakes", dialog.get_by_text(words.see_fields))
        browser.close_dialog(page)

        button(page, words.reload).click()
        page.get_by_text(words.edit_in_place).click()
        check("table to edit", button(page, words.review_none))
        browser.edit_cell(page, "name", 0, "Mesa")
        check("table with changes", button(page, words.review_one))
        button(page, words.review_one).click()
        check("review", dialog.get_by_text(words.after, exact=True))
        change(api_url, newest, name="De mais uma pessoa")
        button(page, words.save_one).click()
        check("review with a conflict", dialog.get_by_text(words.conflict))

        page.goto(f"{ui_url}/produto")
        check("look up", page.get_by_text(words.look_up_hint))
        page.goto(f"{ui_url}/produto?id={newest['id']}")
        check("found", page.get_by_role("heading", name="De mais uma pessoa"))
        page.goto(f"{ui_url}/produto?id=2147483647")
        check("not found", alert)

        page.goto(ui_url)
        browser.settled(page)
        browser.select_row(page, 0)
        page.get_by_role("button", name=words.choose_all.split(" {")[0]).click()
        button(page, f"{words.change_many} (60)").click()
        check("change many", dialog.get_by_label(words.percent))
        dialog.get_by_label(words.percent).fill("10")
        dialog.get_by_label(words.percent).press("Enter")
        check("what that makes of them", dialog.get_by_role("row").nth(1))
        delete(api_url, newest)
        page.goto(f"{ui_url}/lixeira")
        check("bin", button(page, words.restore))
        assert {state: lines for state, lines in found.items() if lines} == {}

    browser.travel(journey, viewport=DESKTOP, locale=LOCALES[language], color_scheme=theme)


def test_everything_can_be_done_from_the_keyboard(ui_url: str, api_url: str, product: dict[str, Any]) -> None:
    def journey(page: Page) -> None:
        stock(api_url, numbered(product, 60))
        page.goto(ui_url)
        expect(browser.first_name(page)).to_have_text("Produto 60")
        dialog = page.get_by_role("dialog")

        tab_to(page, page.get_by_label("Buscar"))
        page.keyboard.type("produto 6", delay=20)
        page.keyboard.press("Enter")
        expect(page.get_by_text("1 produto", exact=True)).to_be_visible()
        tab_to(page, button(page, "Limpar filtros"))
        page.keyboard.press("Enter")
        expect(page.get_by_text("1–50 de 60 produtos", exact=True)).to_be_visible()

        tab_to(page, page.get_by_label("Ordem"), backwards=True)
        page.keyboard.press("ArrowDown")  # opens the list, behind what is chosen
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        take(page, "Mais antigos primeiro")
        expect(page).to_have_url(f"{ui_url}/?sort=id")
        expect(browser.first_name(page)).to_have_text("Produto 01")

        tab_to(page, button(page, "Próxima"))
        page.keyboard.press("Enter")
        expect(browser.first_name(page)).to_have_text("Produto 51")
        tab_to(page, button(page, "Anterior"), backwards=True)
        page.keyboard.press("Space")
        expect(browser.first_name(page)).to_have_text("Produto 01")

        enter_table(page)
        page.keyboard.press("ArrowDown")
        expect(browser.cell_of(page, 1, 1)).to_be_focused()
        page.keyboard.press("Shift+Space")
        expect(page.get_by_text("Selecionado: Produto 02")).to_be_visible()
        tab_to(page, button(page, "Editar"), backwards=True)
        page.keyboard.press("Enter")
        tab_to(page, dialog.get_by_label("Nome", exact=True))
        page.keyboard.press("Control+a")
        page.keyboard.type("Mesa", delay=20)
        tab_to(page, dialog.get_by_role("button", name="Salvar alterações"))
        page.keyboard.press("Enter")
        expect(dialog).not_to_be_attached()
        expect(browser.cell_of(page, 3, 1)).to_have_text("Mesa")

        enter_table(page)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(browser.cell_of(page, 3, 0)).to_be_focused()
        page.keyboard.press("Control+Space")  # the column: a wish for its order
        expect(page).to_have_url(f"{ui_url}/?sort=name")
        expect(browser.first_name(page)).to_have_text("Mesa")

        enter_table(page)
        page.keyboard.press("Shift+Space")
        expect(page.get_by_text("Selecionado: Mesa")).to_be_visible()
        tab_to(page, button(page, "Excluir"), backwards=True)
        page.keyboard.press("Enter")
        tab_to(page, button(page, "Sim, excluir"))
        page.keyboard.press("Enter")
        expect(page.get_by_text("1–50 de 59 produtos", exact=True)).to_be_visible()

        tab_to(page, button(page, "Novo produto"))
        page.keyboard.press("Enter")
        tab_to(page, dialog.get_by_label("Nome", exact=True))
        page.keyboard.type("Armário", delay=20)
        tab_to(page, dialog.get_by_role("combobox"))
        page.keyboard.type("Móv", delay=20)
        take(page, "Móveis")
        tab_to(page, dialog.get_by_label("Preço (R$)"))
        page.keyboard.type("19.9", delay=20)
        tab_to(page, dialog.get_by_label("E-mail do fornecedor"))
        page.keyboard.type("vendas@casa.example.com", delay=20)
        tab_to(page, dialog.get_by_role("button", name="Cadastrar"))
        page.keyboard.press("Enter")
        expect(dialog).not_to_be_attached()
        expect(browser.first_name(page)).to_have_text("Armário")
        expect(browser.cell_of(page, 5, 0)).to_have_text("R$\N{NO-BREAK SPACE}19,90")

        tab_to(page, page.get_by_role("switch", name="Editar na tabela"))
        page.keyboard.press("Space")
        expect(button(page, "Revisar alterações")).to_be_visible()
        enter_table(page)
        page.keyboard.press("ArrowRight")
        expect(browser.cell_of(page, 1, 0)).to_be_focused()
        browser.write_cell(page, "name", 0, "Armário novo")
        expect(button(page, "Revisar 1 alteração")).to_be_visible()
        tab_to(page, button(page, "Revisar 1 alteração"), backwards=True)
        page.keyboard.press("Enter")
        tab_to(page, button(page, "Salvar 1 produto"))
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("stToast").filter(has_text=PORTUGUESE.saved_one)).to_be_visible()

    browser.travel(journey, viewport=DESKTOP)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_has_the_focus_looks_different(ui_url: str, api_url: str, product: dict[str, Any], theme: str) -> None:
    def journey(page: Page) -> None:
        stock(api_url, numbered(product, 60))
        page.goto(ui_url)
        browser.select_row(page, 0)
        expect(button(page, "Editar")).to_be_enabled()
        browser.settled(page)
        page.mouse.move(0, 0)
        without = []
        for stop in stops(page):
            focused = page.screenshot(animations="disabled")
            stop.evaluate("element => element.blur()")
            if focused == page.screenshot(animations="disabled"):
                without.append(stop.evaluate("element => element.outerHTML.slice(0, 200)"))
            stop.evaluate("element => element.focus()")
        assert without == []

    browser.travel(journey, viewport=DESKTOP, color_scheme=theme)


def tab_to(page: Page, wanted: Locator, *, backwards: bool = False) -> None:
    """Press the tab key until `wanted` has the focus."""
    expect(wanted).to_be_enabled()
    for _ in range(MOST_STOPS):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
    pytest.fail(f"the tab key does not lead to {wanted}")


def take(page: Page, option: str) -> None:
    """Press Enter on the option of a list that the arrow keys have led to."""
    expect(page.get_by_role("option", name=option)).to_have_attribute("data-focused", "true")
    page.keyboard.press("Enter")


def enter_table(page: Page) -> None:
    """Press the tab key until the table has the focus, and go to its first cell."""
    browser.settled(page)
    for _ in range(MOST_STOPS):
        if page.evaluate("document.activeElement.tagName") == "CANVAS":
            page.keyboard.press("Control+Home")  # to the cell of the first row and column
            return
        page.keyboard.press("Tab")
    pytest.fail("the tab key does not lead into the table")


def stops(page: Page) -> Iterator[ElementHandle]:
    """Press the tab key from the beginning to the end of the page; yield what has the focus each time."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        element = page.evaluate_handle("document.activeElement").as_element()
        assert element is not None
        if element.evaluate("element => element === document.body"):
            return
        yield element
    pytest.fail("the tab key does not lead out of the page")
