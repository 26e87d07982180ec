"""The overview, by Streamlit's AppTest against the real API, and how its charts divide time and prices."""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pytest
import requests
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import Chosen
from app.ui.client.api_summary import Added, CategorySummary, PriceRange, Prices
from app.ui.products import overview_charts
from app.ui.products.list_view import ListView
from app.ui.products.overview_charts import ChartCard
from app.ui.sign_in import access
from app.ui.texts import ENGLISH, PORTUGUESE
from testkit.server import free_port
from testkit.tools import ROOT
from tests.ui.conftest import Misbehaviour
from tests.ui.visiting import click, errors, run

PAGE = "views/overview.py"
NBSP = "\N{NO-BREAK SPACE}"
PRICES = (("Roupas", "0.50"), ("Roupas", "10"), ("Roupas", "19.99"), ("Roupas", "20"), ("Móveis", "1500"))

Visit = Callable[[str], AppTest]


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """Open the overview, and nothing else, with API_URL set to an address."""

    def open_overview(url: str) -> AppTest:
        monkeypatch.setenv("API_URL", "no address")  # the first page stops at that: it asks the API for nothing
        app = run(AppTest.from_file(ROOT / "app/ui/main.py", default_timeout=30))
        monkeypatch.setenv("API_URL", url)
        return run(app.switch_page(PAGE))

    st.cache_data.clear()
    yield open_overview
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def five_products(api_url: str, product: dict[str, Any]) -> list[int]:
    """The ids of products whose figures are easy to tell, from the cheapest to the dearest."""
    client = ApiClient(api_url)
    return [
        client.create_product(
            product | {"name": f"**Produto** {price}", "categoria": categoria, "price": Decimal(price)}, uuid4().hex
        ).id
        for categoria, price in PRICES
    ]


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace("\\", "").replace(NBSP, " ") for metric in app.metric}


def tables(app: AppTest) -> dict[str, list[list[Any]]]:
    """Return what each chart shows, by what a screen reader says of it."""
    shown = {}
    for element in app.get("vega_lite_chart"):
        [dataset] = element.proto.datasets
        table = pa.ipc.open_stream(dataset.data.data).read_all().to_pandas()
        shown[element.proto.alt.replace(NBSP, " ")] = table.values.tolist()
    return shown


def summary_of(url: str) -> tuple[int, str, str]:
    return 200, "application/json", requests.get(f"{url}/products/summary", timeout=10).text


def test_the_figures_are_those_of_the_catalogue(visit: Visit, api_url: str, five_products: list[int]) -> None:
    app = visit(api_url)
    assert [heading.value for heading in app.title] == ["Visão geral"]
    assert figures(app) == {
        "Produtos": "5",
        "Valor total": "R$ 1.550,49",
        "Preço mediano": "R$ 19,99",
        "Mais caro": "R$ 1.500,00",
        "Categorias com produtos": "2 de 5",
    }
    as_of = ApiClient(api_url).read_summary().as_of
    assert app.caption[0].value.startswith(f"Números de {as_of:%d/%m/%Y} ")


def test_the_charts_show_the_catalogue(visit: Visit, api_url: str, five_products: list[int]) -> None:
    shown = tables(visit(api_url))
    today = ApiClient(api_url).read_summary().as_of.date()
    week = [(today - timedelta(days=n)).strftime("%d/%m") for n in reversed(range(7))]
    assert shown == {
        "Produtos por categoria; o maior valor: Roupas, 4": [
            ["Eletrônico", 0, "0"],
            ["Eletrodoméstico", 0, "0"],
            ["Móveis", 1, "1"],
            ["Roupas", 4, "4"],
            ["Calçados", 0, "0"],
        ],
        "Valor total por categoria; o maior valor: Móveis, R$ 1.500,00": [
            ["Eletrônico", 0.0, f"R${NBSP}0,00"],
            ["Eletrodoméstico", 0.0, f"R${NBSP}0,00"],
            ["Móveis", 1500.0, f"R${NBSP}1.500,00"],
            ["Roupas", 50.49, f"R${NBSP}50,49"],
            ["Calçados", 0.0, f"R${NBSP}0,00"],
        ],
        "Produtos por faixa de preço; o maior valor: R$ 10–20, 2": [
            [f"R${NBSP}0–1", 1, "1"],
            [f"R${NBSP}1–2", 0, "0"],
            [f"R${NBSP}2–5", 0, "0"],
            [f"R${NBSP}5–10", 0, "0"],
            [f"R${NBSP}10–20", 2, "2"],
            [f"R${NBSP}20–50", 1, "1"],
            [f"R${NBSP}50–100", 0, "0"],
            [f"R${NBSP}100–200", 0, "0"],
            [f"R${NBSP}200–500", 0, "0"],
            [f"R${NBSP}500–1.000", 0, "0"],
            [f"R${NBSP}1.000–2.000", 1, "1"],
        ],
        "Preços por categoria; as medianas: Móveis R$ 1.500,00; Roupas R$ 15,00": [
            ["Móveis", 1500.0, 1500.0, 1500.0, 1500.0, 1500.0],
            ["Roupas", 0.5, 7.63, 15.0, 19.99, 20.0],
        ],
        f"Produtos cadastrados por dia; o maior valor: {week[-1]}, 5": [
            *([day, 0] for day in week[:-1]),
            [week[-1], 5],
        ],
    }


def test_the_cheapest_and_the_dearest_products_lead_to_their_pages(
    visit: Visit, api_url: str, five_products: list[int]
) -> None:
    links = [element.proto for element in visit(api_url).get("page_link")]
    assert [(link.page, link.query_string) for link in links] == [
        ("produto", f"id={product_id}") for product_id in [*five_products, *reversed(five_products)]
    ]
    assert links[0].label.replace("\\", "") == "**Produto** 0.50"
    assert "**" not in links[0].label


def test_an_empty_catalogue_says_so_and_leads_to_the_products(visit: Visit, api_url: str) -> None:
    app = visit(api_url)
    assert [heading.value for heading in app.subheader] == ["Ainda não há produtos"]
    assert [link.proto.label for link in app.get("page_link")] == ["Ir para os produtos"]
    assert not app.metric
    assert not tables(app)


def test_one_request_is_enough_for_everybody_until_somebody_reads_again(
    visit: Visit, api_url: str, five_products: list[int], misbehaviour: Misbehaviour
) -> None:
    misbehaviour.answers = [summary_of(api_url)]
    app = visit(misbehaviour.url)
    assert len(tables(app)) == 5
    visit(misbehaviour.url)
    assert misbehaviour.requests == ["GET"]
    ApiClient(api_url).delete_products(Chosen(tuple(five_products[:1])), 1)
    misbehaviour.answers = [summary_of(api_url)]
    assert figures(run(app))["Produtos"] == "5"
    assert figures(click(app, "read_again"))["Produtos"] == "4"
    assert misbehaviour.requests == ["GET", "GET"]


def test_exact_amounts_are_there_where_they_are_shortened(
    visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]
) -> None:
    api.create_product(product | {"price": Decimal("3678119.17")}, uuid4().hex)
    app = visit(api_url)
    assert figures(app)["Valor total"] == "R$ 3,68 mi"
    helped = {metric.label: metric.help.replace("\\", "").replace(NBSP, " ") for metric in app.metric}
    assert helped["Valor total"] == "R$ 3.678.119,17."
    [exact] = app.table
    assert "R$ 3.678.119,17" in exact.value["Valor total"].iloc[1].replace("\\", "").replace(NBSP, " ")


def test_figures_of_another_api_or_read_with_another_token_are_not_shown(
    visit: Visit,
    api_url: str,
    five_products: list[int],
    misbehaviour: Misbehaviour,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    misbehaviour.answers = [summary_of(api_url)]
    visit(misbehaviour.url)
    visit(misbehaviour.url.replace("127.0.0.1", "localhost"))
    assert misbehaviour.requests == ["GET"] * 2
    monkeypatch.setenv("SERVICE_TOKEN", "a-token")
    visit(misbehaviour.url.replace("127.0.0.1", "localhost"))
    assert misbehaviour.authorizations == ["Bearer a-token"]


def problem(status: int) -> tuple[int, str, str]:
    return status, "application/problem+json", json.dumps({"title": "t", "status": status, "detail": "No."})


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (problem(401), "A API não aceita esta interface."),
        (problem(403), "Você não tem permissão para isto."),
        (problem(503), "O banco de dados não responde no momento."),
        ((502, "text/html", "<h1>Bad gateway</h1>"), "A API respondeu com o erro 502"),
        ((200, "text/html", "<h1>Welcome</h1>"), "não é a API do catálogo"),
        ((200, "application/json", '{"count": 5}'), "não é a API do catálogo"),
        (None, "A conexão com a API caiu antes da resposta"),
    ],
)
def test_an_api_that_fails_is_told_in_a_sentence_and_the_page_recovers(
    visit: Visit, api_url: str, misbehaviour: Misbehaviour, answer: tuple[int, str, str] | None, sentence: str
) -> None:
    misbehaviour.answers = [answer]
    app = visit(misbehaviour.url)
    assert "Não foi possível carregar os números" in errors(app)
    assert sentence in errors(app)
    misbehaviour.answers = [summary_of(api_url)]
    click(app, "retry")
    assert not app.error
    assert app.subheader


def test_an_api_that_is_down_is_told(visit: Visit) -> None:
    down = f"http://127.0.0.1:{free_port()}"
    assert f"A API não responde em {down}" in errors(visit(down))


def test_an_api_that_is_too_slow_is_told(
    visit: Visit, misbehaviour: Misbehaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    misbehaviour.answers, misbehaviour.delay = [problem(500)], 30
    monkeypatch.setattr(access, "ApiClient", partial(ApiClient, timeout=(1, 0.2)))
    assert "A API demorou demais para responder." in errors(visit(misbehaviour.url))


def test_english_is_one_choice_away(visit: Visit, api_url: str, five_products: list[int]) -> None:
    app = visit(api_url)
    app.selectbox(key="lang_pt").set_value("en")
    run(app)
    assert app.title[0].value == "Overview"
    assert figures(app)["Total value"] == "R$ 1,550.49"
    assert figures(app)["Categories with products"] == "2 of 5"
    assert "Total value by category; the most: Móveis, R$ 1,500.00" in tables(app)
    [number_format] = {
        json.dumps(json.loads(element.proto.spec)["config"]["locale"]["number"])
        for element in app.get("vega_lite_chart")
    }
    assert json.loads(number_format)["thousands"] == ","


TODAY = date(2026, 11, 24)  # a Tuesday


def over(days: int) -> ChartCard:
    """Draw products that were added on the first and on the last of so many days."""
    added = [Added(TODAY - timedelta(days=days - 1), 2), Added(TODAY, 3)] if days > 1 else [Added(TODAY, 5)]
    return overview_charts.added_over_time(added, TODAY, 5, PORTUGUESE)


def rows(card: ChartCard) -> list[list[Any]]:
    assert isinstance(card.chart.data, pd.DataFrame)
    return card.chart.data.values.tolist()


@pytest.mark.parametrize(
    ("days", "title", "bars", "first", "last"),
    [
        (1, "Produtos cadastrados por dia", 7, ["18/11", 0], ["24/11", 5]),
        (31, "Produtos cadastrados por dia", 31, ["25/10", 2], ["24/11", 3]),
        (32, "Produtos cadastrados por semana", 6, ["19/10", 2], ["23/11", 3]),
        (210, "Produtos cadastrados por semana", 31, ["27/04", 2], ["23/11", 3]),
        (218, "Produtos cadastrados por mês", 8, ["04/2026", 2], ["11/2026", 3]),
        (1080, "Produtos cadastrados por mês", 36, ["12/2023", 2], ["11/2026", 3]),
        (1100, "Produtos cadastrados por ano", 4, ["2023", 2], ["2026", 3]),
    ],
)
def test_time_is_divided_so_that_the_bars_stay_readable(
    days: int, title: str, bars: int, first: list[Any], last: list[Any]
) -> None:
    card = over(days)
    shown = rows(card)
    assert (card.title, len(shown), shown[0], shown[-1]) == (title, bars, first, last)
    assert sum(count for _, count in shown) == 5
    assert card.hint == ""


def test_products_too_old_for_the_chart_are_mentioned() -> None:
    card = overview_charts.added_over_time([Added(TODAY, 1000)], TODAY, 1200, ENGLISH)
    assert card.hint == "Only the 1,000 that were added last, of 1,200."


def spread(*prices: str) -> CategorySummary:
    low, high = (Decimal(price) for price in prices)
    return CategorySummary("Móveis", 2, Prices(low, low, low, high, high, low + high))


@pytest.mark.parametrize(
    ("low", "high", "domain", "labels"),
    [
        ("100", "100", [100, 200], [100, 200]),
        ("12", "45", [10, 50], [10, 20, 50]),
        ("19", "14496", [10, 20000], [10, 100, 1000, 10000]),
        ("0.01", "9999999999.99", [0.01, 1e10], [10.0**power for power in range(-2, 11)]),
    ],
)
def test_prices_lie_between_round_ones_on_a_logarithmic_scale(
    low: str, high: str, domain: list[float], labels: list[float]
) -> None:
    card = overview_charts.spread_by_category([spread(low, high)], PORTUGUESE)
    x = json.loads(card.chart.to_json())["layer"][0]["encoding"]["x"]
    assert x["scale"] == {"type": "log", "domain": domain, "nice": False}
    assert x["axis"]["values"] == labels


def test_a_few_very_dear_products_make_no_other_bars_thin() -> None:
    counts = [3, 74, 300, 700, 800, 400, 300, 200, 120, 8, *[0] * 15, 1]
    bounds = [step * 10**power for power in range(10) for step in (1, 2, 5)]
    ranges = [PriceRange(low, high, n) for low, high, n in zip(bounds[3:], bounds[4:], counts, strict=False)]
    card = overview_charts.by_price(ranges, PORTUGUESE)
    shown = [(label.replace(NBSP, " "), count) for label, count, _ in rows(card)]
    assert len(shown) <= overview_charts.RANGES
    assert sum(count for _, count in shown) == sum(counts)
    assert shown[0] == ("R$ 10–20", 3)
    assert shown[-1] == ("R$ 20.000–5 bi", 1)
    assert card.views[rows(card)[-1][0]] == ListView(price_min=Decimal("20000.00"), price_max=Decimal("4999999999.99"))


def test_a_bar_knows_the_list_of_what_it_shows() -> None:
    card = overview_charts.by_price([PriceRange(10, 20, 3)], PORTUGUESE)
    assert [*card.views.values()] == [ListView(price_min=Decimal("10.00"), price_max=Decimal("19.99"))]
    card = over(1080)
    assert card.views["12/2023"] == ListView(created_from=date(2023, 12, 11), created_to=date(2023, 12, 31))
    assert card.views["11/2026"] == ListView(created_from=date(2026, 11, 1), created_to=TODAY)
    assert [(view.created_from, view.created_to) for view in over(1).views.values()][-1] == (TODAY, TODAY)


def test_large_prices_are_short() -> None:
    ranges = [PriceRange(500_000, 1_000_000, 1), PriceRange(2_000_000_000, 5_000_000_000, 2)]
    labels = [label.replace(NBSP, " ") for label, *_ in rows(overview_charts.by_price(ranges, PORTUGUESE))]
    assert labels == ["R$ 500.000–1 mi", "R$ 2 bi–5 bi"]
