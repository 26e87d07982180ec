"""The overview in a browser: charts that are drawn in both themes and languages, and what axe-core says of the page."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, expect

from app.ui.texts import PORTUGUESE
from testkit import browser
from testkit.server import running
from testkit.tools import require
from tests.end_to_end.accessibility import violations
from tests.end_to_end.journey import button

CHARTS = 5
PRICES = {"Eletrônico": 1500, "Móveis": 899.9, "Roupas": 59.9, "Calçados": 120}
CUT_OFF = """svg => {
    const frame = svg.getBoundingClientRect()
    return [...svg.querySelectorAll('text')].filter(text => {
        const box = text.getBoundingClientRect()
        const outside = box.left < frame.left - 1 || box.right > frame.right + 1
        return box.width && (outside || text.textContent.endsWith('…'))
    }).map(text => text.textContent)
}"""
FAINT = """svg => {  // axe-core does not look into drawings; the least contrasts are those of WCAG 2.2
    const luminance = colour => {
        const [red, green, blue] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(value => value / 255)
            .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    const contrast = element => {
        const style = getComputedStyle(element)
        const colour = style.fill == 'none' || style.fill == 'rgba(0, 0, 0, 0)' ? style.stroke : style.fill
        const [less, more] = [colour, getComputedStyle(svg).backgroundColor].map(luminance).sort((a, b) => a - b)
        return (more + 0.05) / (less + 0.05)
    }
    return [['text', 4.5], ['.mark-rect path, .mark-rule:not(.role-axis-grid) line', 3]].flatMap(([shapes, least]) =>
        [...svg.querySelectorAll(shapes)].filter(shape => contrast(shape) < least).map(shape => shape.outerHTML))
}"""
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def ui_url(api_url: str, product: dict[str, Any], tmp_path: Path) -> Iterator[str]:
    """The URL of a running UI whose catalogue has a product in each of some categories."""
    require("browser")
    for categoria, price in PRICES.items():
        body = product | {"name": f"Produto de {categoria}", "categoria": categoria, "price": price}
        httpx.post(f"{api_url}/products/", json=body).raise_for_status()
    command = [sys.executable, "-m", "app.ui.serve"]
    with running(command, "UI_PORT", "/_stcore/health", {"API_URL": api_url}, tmp_path / "ui.log") as url:
        yield url


def charts_are_drawn(page: Page, words: list[str]) -> None:
    """Expect every chart with its bars and these words, nothing cut off, and colours that stand out."""
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(charts).to_have_count(CHARTS)
    for number in range(CHARTS):
        expect(charts.nth(number).locator("svg [role=graphics-symbol]").first).to_be_attached()
    for word in words:
        expect(charts.locator("svg text").get_by_text(word, exact=True).first).to_be_attached()
    browser.settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for number in range(CHARTS):
        drawing = charts.nth(number).locator("svg").first
        assert drawing.evaluate(CUT_OFF) == []
        assert drawing.evaluate(FAINT) == []


@pytest.mark.parametrize(("color_scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["light", "dark"])
def test_the_charts_are_drawn_and_everybody_can_read_them(
    ui_url: str, color_scheme: Literal["light", "dark"], viewport: dict[str, int]
) -> None:
    def journey(page: Page) -> None:
        page.goto(f"{ui_url}/resumo")
        charts_are_drawn(page, ["Valor total (R$)", "R$\N{NO-BREAK SPACE}1.500,00", "1.000"])
        told = "Eletrônico: Valor total (R$) R$\N{NO-BREAK SPACE}1.500,00"  # by a screen reader
        expect(page.get_by_label(told, exact=True)).to_be_attached()
        assert violations(page) == []

        page.get_by_role("combobox", name="Idioma / Language").click()
        page.get_by_role("option", name="English").click()
        expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
        charts_are_drawn(page, ["Total value (R$)", "R$\N{NO-BREAK SPACE}1,500.00", "1,000"])
        assert violations(page) == []

    browser.travel(journey, viewport=viewport, color_scheme=color_scheme)


def test_the_keyboard_leads_from_the_dearest_product_to_its_page_in_the_same_language(ui_url: str) -> None:
    def journey(page: Page) -> None:
        page.goto(ui_url)
        page.get_by_role("combobox", name="Idioma / Language").click()
        page.get_by_role("option", name="English").click()
        page.get_by_role("link", name="Overview").click()
        expect(page.get_by_role("heading", name="Dearest products")).to_be_visible()
        dearest = page.get_by_role("link", name="Produto de Eletrônico").last
        dearest.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Produto de Eletrônico")).to_be_visible()
        expect(page.get_by_role("heading", name="Look up")).to_be_visible()
        assert "/produto?" in page.url
        page.go_back()
        expect(page.get_by_role("heading", name="Dearest products")).to_be_visible()

    browser.travel(journey, viewport=DESKTOP)


@pytest.mark.parametrize(
    ("chart", "bar", "address"),
    [
        (0, "Móveis: Quantidade de produtos 1", "/?categoria=M%C3%B3veis"),
        (1, "Roupas: Valor total (R$) R$\N{NO-BREAK SPACE}59,90", "/?categoria=Roupas"),
        (2, "R$\N{NO-BREAK SPACE}50–100: Quantidade de produtos 1", "/?price_min=50.00&price_max=99.99"),
    ],
)
def test_a_click_on_a_bar_leads_to_its_products(ui_url: str, chart: int, bar: str, address: str) -> None:
    def journey(page: Page) -> None:
        page.goto(f"{ui_url}/resumo")
        charts_are_drawn(page, [])
        page.get_by_test_id("stVegaLiteChart").nth(chart).get_by_label(bar, exact=True).click()
        expect(page).to_have_url(f"{ui_url}{address}")
        expect(browser.table(page).locator("tbody tr")).to_have_count(1)
        page.go_back()
        charts_are_drawn(page, [])
        expect(page.get_by_text(PORTUGUESE.ignored.partition("{")[0])).to_have_count(0)

    browser.travel(journey, viewport=DESKTOP)


def test_who_writes_sees_it_in_the_figures_at_once(ui_url: str) -> None:
    def journey(page: Page) -> None:
        page.goto(f"{ui_url}/resumo")
        count = page.get_by_test_id("stMetric").first
        expect(count).to_contain_text("4")
        page.get_by_role("link", name="Produtos", exact=True).click()
        browser.select_row(page, 0)
        button(page, "Excluir").click()
        page.get_by_role("dialog").get_by_role("button", name="Sim, excluir").click()
        expect(page.get_by_role("dialog")).not_to_be_attached()
        page.get_by_role("link", name="Visão geral").click()
        expect(count).to_contain_text("3")

    browser.travel(journey, viewport=DESKTOP)


def test_an_empty_catalogue_leads_to_the_products(ui_url: str, api_url: str) -> None:
    def journey(page: Page) -> None:
        for left_over in httpx.get(f"{api_url}/products/").json():
            httpx.delete(f"{api_url}/products/{left_over['id']}")
        page.goto(f"{ui_url}/resumo")
        page.get_by_role("link", name="Ir para os produtos").click()
        expect(page.get_by_role("button", name="Novo produto")).to_be_visible()

    browser.travel(journey, viewport=PHONE)
