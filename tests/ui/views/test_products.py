"""The list of products as a visitor narrows, orders and turns it, by Streamlit's AppTest against the real API."""

import csv
import json
import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, create_engine, text
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import Product
from app.ui.files import download
from app.ui.texts import PORTUGUESE
from tests.ui.visiting import Visit, click, errors, messages, names, run, select

PAGE_SIZE = 50
CATALOGUE = [  # name, category, price, supplier, day of creation
    ("Geladeira inox", "Eletrodoméstico", 2899.9, "vendas@linha-branca.example.com", "2026-11-01"),
    ("Sofá de couro", "Móveis", 1500, "vendas@casa.example.com", "2026-11-10"),
    ("Mesa de inox", "Móveis", 350.5, "vendas@casa.example.com", "2026-11-20"),
    ("Tênis", "Calçados", 350.49, "vendas@passo.example.com", "2026-11-20"),
]
NEWEST_FIRST = ["Tênis", "Mesa de inox", "Sofá de couro", "Geladeira inox"]


@pytest.fixture
def catalogue(api: ApiClient, product: dict[str, Any], migrated_postgres_url: URL) -> None:
    """Four products, each created at noon of its day."""
    engine = create_engine(migrated_postgres_url)
    with engine.begin() as connection:
        for name, categoria, price, email, day in CATALOGUE:
            values = {"name": name, "categoria": categoria, "price": price, "email_fornecedor": email}
            made = api.create_product(product | values, uuid4().hex)
            update = text("UPDATE products SET created_at = :noon WHERE id = :id")
            connection.execute(update, {"noon": f"{day} 12:00+00", "id": made.id})
    engine.dispose()


def create_many(api: ApiClient, product: dict[str, Any], count: int) -> list[Product]:
    return [api.create_product(product | {"name": f"Produto {number}"}, uuid4().hex) for number in range(count)]


def filled_in(app: AppTest) -> set[str]:
    """Return the filters that the controls above the list show."""
    kinds: tuple[Iterable[Any], ...] = (app.text_input, app.multiselect, app.date_input)
    return {c.key.removeprefix("list_") for kind in kinds for c in kind if c.value not in ("", [], None)}


FILTERS = [
    # kind of control, parameter, what is chosen, what the address says, the names that are left
    ("text_input", "q", "inox", "inox", ["Mesa de inox", "Geladeira inox"]),
    ("text_input", "q", "  GELADEIRAS ino ", "GELADEIRAS ino", ["Geladeira inox"]),
    ("multiselect", "categoria", ["Móveis"], "Móveis", ["Mesa de inox", "Sofá de couro"]),
    (
        "multiselect",
        "categoria",
        ["Móveis", "Eletrodoméstico"],
        ["Móveis", "Eletrodoméstico"],
        ["Mesa de inox", "Sofá de couro", "Geladeira inox"],
    ),
    ("text_input", "price_min", "350,5", "350.50", ["Mesa de inox", "Sofá de couro", "Geladeira inox"]),
    ("text_input", "price_max", "R$ 350.49", "350.49", ["Tênis"]),
    ("text_input", "price_min", "0", "0.00", NEWEST_FIRST),
    ("text_input", "email_fornecedor", "vendas@passo.example.com", "vendas@passo.example.com", ["Tênis"]),
    ("date_input", "created_from", date(2026, 11, 20), "2026-11-20", ["Tênis", "Mesa de inox"]),
    ("date_input", "created_to", date(2026, 11, 10), "2026-11-10", ["Sofá de couro", "Geladeira inox"]),
]


@pytest.mark.parametrize(("kind", "name", "chosen", "in_address", "left"), FILTERS)
def test_a_filter_leaves_out_what_does_not_meet_it_and_is_part_of_the_address(
    visit: Visit,
    api_url: str,
    catalogue: None,
    kind: str,
    name: str,
    chosen: Any,
    in_address: str | list[str],
    left: list[str],
) -> None:
    app = visit(api_url)
    assert names(app) == NEWEST_FIRST
    getattr(app, kind)(key=f"list_{name}").set_value(chosen)
    run(app)
    assert dict(app.query_params) == {name: in_address}
    assert names(app) == left
    by_link = visit(api_url, **{name: in_address})
    assert names(by_link) == left
    assert filled_in(by_link) == {name}


def test_filters_go_together_and_are_cleared_with_one_click(visit: Visit, api_url: str, catalogue: None) -> None:
    app = visit(api_url, sort="name", limit="25")
    app.multiselect(key="list_categoria").set_value(["Móveis", "Eletrodoméstico"])
    run(app).text_input(key="list_q").set_value("inox")
    run(app).text_input(key="list_price_max").set_value("400")
    run(app)
    assert names(app) == ["Mesa de inox"]
    assert "Filtros: Preço até R$\N{NO-BREAK SPACE}400,00" in messages(app)
    click(app, "clear_filters")
    assert dict(app.query_params) == {"sort": "name", "limit": "25"}
    assert names(app) == sorted(NEWEST_FIRST, key=lambda name: name.replace("ê", "e"))
    assert filled_in(app) == set()


def test_two_filters_that_change_at_once_are_both_kept(visit: Visit, api_url: str, catalogue: None) -> None:
    app = visit(api_url)
    app.text_input(key="list_q").set_value("inox")
    app.text_input(key="list_price_max").set_value("400")
    assert names(run(app)) == ["Mesa de inox"]
    assert dict(app.query_params) == {"q": "inox", "price_max": "400.00"}


@pytest.mark.parametrize(
    ("order", "words", "sorted_names"),
    [
        ("id", "Mais antigos primeiro", NEWEST_FIRST[::-1]),
        ("price", "Preço, crescente", ["Tênis", "Mesa de inox", "Sofá de couro", "Geladeira inox"]),
        ("-name", "Nome, decrescente", ["Tênis", "Sofá de couro", "Mesa de inox", "Geladeira inox"]),
        ("categoria", "Categoria, crescente", ["Tênis", "Geladeira inox", "Sofá de couro", "Mesa de inox"]),
        ("-created_at", "Cadastrado em, decrescente", ["Tênis", "Mesa de inox", "Sofá de couro", "Geladeira inox"]),
    ],
)
def test_the_list_is_sorted_by_any_column(
    visit: Visit, api_url: str, catalogue: None, order: str, words: str, sorted_names: list[str]
) -> None:
    app = visit(api_url)
    assert words in app.selectbox(key="list_sort").options
    app.selectbox(key="list_sort").set_value(order)
    run(app)
    assert names(app) == sorted_names
    assert dict(app.query_params) == {"sort": order}
    assert names(visit(api_url, sort=order)) == sorted_names


def test_a_page_may_be_longer_or_shorter(visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]) -> None:
    create_many(api, product, PAGE_SIZE + 1)
    app = click(visit(api_url), "next")
    app.selectbox(key="page_size50").set_value(100)
    run(app)
    assert len(names(app)) == PAGE_SIZE + 1  # from the beginning again
    assert dict(app.query_params) == {"limit": "100"}
    app.selectbox(key="page_size100").set_value(25)
    assert len(names(run(app))) == 25
    app.selectbox(key="page_size25").set_value(50)
    assert len(names(run(app))) == PAGE_SIZE
    assert dict(app.query_params) == {}


def test_the_list_is_turned_page_by_page(visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]) -> None:
    create_many(api, product, PAGE_SIZE + 1)
    app = visit(api_url)
    assert names(app)[:2] == [f"Produto {PAGE_SIZE}", f"Produto {PAGE_SIZE - 1}"]
    assert f"{PAGE_SIZE + 1} produtos" in messages(app)
    assert app.button(key="previous").disabled
    click(app, "next")
    assert names(app) == ["Produto 0"]
    assert f"{PAGE_SIZE + 1} produtos" in messages(app)
    assert app.button(key="next").disabled
    assert names(visit(api_url, **dict(app.query_params))) == ["Produto 0"]
    click(app, "previous")
    assert len(names(app)) == PAGE_SIZE


def test_filters_order_and_size_stay_from_page_to_page(
    visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]
) -> None:
    create_many(api, product, 30)
    app = click(visit(api_url, q="produto", sort="name", limit="25"), "next")
    assert dict(app.query_params).keys() == {"q", "sort", "limit", "after", "start"}
    assert len(names(app)) == 5
    app.text_input(key="list_q").set_value("geladeira")  # another list: its first page
    run(app)
    assert dict(app.query_params) == {"q": "geladeira", "sort": "name", "limit": "25"}


def test_a_page_that_has_become_empty_gives_way_to_the_one_before(
    visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]
) -> None:
    first, *_ = create_many(api, product, PAGE_SIZE + 1)
    app = click(visit(api_url), "next")
    api.delete_product(first.id, version=first.version)
    assert names(click(app, "reload"))[-1] == "Produto 2"
    assert names(click(app, "next")) == ["Produto 1"]


@pytest.mark.parametrize(
    "impossible",
    [
        {"sort": "evil"},
        {"categoria": "Carros"},
        {"price_min": "cheap", "price_max": "1.999"},
        {"created_from": "yesterday", "created_to": "2026-02-30"},
        {"limit": "7"},
        {"q": "x" * 201, "email_fornecedor": "x" * 255},
        {"after": "tampered"},
        {"before": "W10"},
        {"after": "WyItaWQiLCIyIiwyXQ", "before": "WyItaWQiLCIyIiwyXQ"},
        {"unknown": "1"},
    ],
)
def test_what_an_address_cannot_ask_for_is_as_if_it_were_not_there(
    visit: Visit, api_url: str, catalogue: None, impossible: dict[str, str]
) -> None:
    app = visit(api_url, **impossible)
    assert not app.error
    assert names(app) == NEWEST_FIRST
    assert filled_in(app) == set()


def test_a_place_in_another_order_is_the_beginning_of_this_one(
    visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]
) -> None:
    create_many(api, product, PAGE_SIZE + 1)
    app = click(visit(api_url), "next")
    app = visit(api_url, sort="price", after=dict(app.query_params)["after"])
    assert not app.error
    assert len(names(app)) == PAGE_SIZE
    assert dict(app.query_params) == {"sort": "price"}


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        (
            {"price_min": "300", "price_max": "100"},
            ("text_input", "price_max", "400"),
            "Preço até: Não pode ser menor que o preço inicial.",
        ),
        (
            {"created_from": "2026-11-20", "created_to": "2026-11-10"},
            ("date_input", "created_to", date(2026, 11, 30)),
            "Cadastrados até: Precisa vir depois do primeiro dia.",
        ),
        (
            {"created_from": "2026-11-20", "created_to": "2026-11-19"},
            ("date_input", "created_to", date(2026, 11, 20)),
            "Cadastrados até: Precisa vir depois do primeiro dia.",
        ),
        (
            {"email_fornecedor": "casa"},
            ("text_input", "email_fornecedor", "vendas@casa.example.com"),
            "E-mail do fornecedor: Não é um endereço de e-mail válido, como vendas@fornecedor.com.br.",
        ),
        ({"q": "!?"}, ("text_input", "q", "mesa"), "Buscar: Escreva ao menos uma letra ou um número."),
    ],
)
def test_a_wrong_filter_is_told_beside_it_and_nothing_is_lost(
    visit: Visit,
    api_url: str,
    catalogue: None,
    wrong: dict[str, str],
    field: tuple[str, str, Any],
    sentence: str,
) -> None:
    kind, name, right = field
    app = visit(api_url, categoria="Móveis", **wrong)
    assert errors(app) == sentence
    _, told = sentence.split(": ", maxsplit=1)
    assert (told in messages(app)) == (name != "q")  # beside the field too, unless that is the search
    assert filled_in(app) == {"categoria", *wrong}
    assert not app.dataframe
    assert not any(button.key == "retry" for button in app.button)
    getattr(app, kind)(key=f"list_{name}").set_value(right)
    assert "Mesa de inox" in names(run(app))
    assert not app.error


def test_a_wrong_filter_is_told_in_english_too(visit: Visit, api_url: str) -> None:
    app = visit(api_url, lang="en", price_min="400", price_max="100")
    assert errors(app) == "Price up to: This must not be less than the price it starts from."


@pytest.mark.parametrize(("language", "words"), [("pt", "1 produto"), ("en", "1 product")])
def test_one_product_is_no_plural(visit: Visit, api_url: str, stored: Product, language: str, words: str) -> None:
    assert words in [markdown.value for markdown in visit(api_url, lang=language).markdown]


def test_how_many_products_there_are_is_counted_while_they_are_few_and_estimated_beyond(
    visit: Visit, api: ApiClient, api_url: str, stored: Product, migrated_postgres_url: URL
) -> None:
    engine = create_engine(migrated_postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        copy = text(
            "INSERT INTO products (name, price, categoria, email_fornecedor)"
            " SELECT name, price, categoria, email_fornecedor FROM products, generate_series(1, :count) WHERE id = :id"
        )
        connection.execute(copy, {"count": 9_999, "id": stored.id})
        assert "10.000 produtos" in messages(visit(api_url))
        connection.execute(copy, {"count": 22_345, "id": stored.id})
        connection.execute(text("ANALYZE products"))
    engine.dispose()
    assert "cerca de 32.345 produtos" in messages(visit(api_url))
    assert "about 32,345 products" in messages(visit(api_url, lang="en"))


def test_an_empty_catalogue_says_so(visit: Visit, api_url: str) -> None:
    app = visit(api_url)
    assert [heading.value for heading in app.title] == ["Produtos"]
    assert [heading.value for heading in app.subheader] == ["Ainda não há produtos"]
    assert not app.dataframe


def test_filters_that_nothing_meets_are_not_an_empty_catalogue(visit: Visit, api_url: str, catalogue: None) -> None:
    app = visit(api_url, q="bicicleta")
    assert [heading.value for heading in app.subheader] == ["Nenhum produto com estes filtros"]
    assert names(click(app, "clear_filters")) == NEWEST_FIRST


def offered(app: AppTest) -> set[str]:
    """Return what can be done with the selected rows."""
    return {app.button(key=key).label for key in ("edit", "delete", "open") if not app.button(key=key).disabled}


def test_the_page_says_what_is_selected(visit: Visit, api_url: str, catalogue: None) -> None:
    app = visit(api_url)
    assert "Selecione uma linha" in app.caption[0].value
    assert offered(app) == set()
    select(app, 1)
    assert app.caption[0].value == "Selecionado: **Mesa de inox**"
    assert offered(app) == {"Abrir", "Editar", "Excluir"}
    select(app, 0, 1, 3)
    words = "3 produtos selecionados · total R$\xa03.600,89, média R$\xa01.200,30"
    assert app.caption[0].value.replace("\\", "") == words
    assert offered(app) == {"Excluir (3)"}
    app.text_input(key="list_q").set_value("inox")  # other rows: none of them is selected
    assert "Selecione uma linha" in run(app).caption[0].value


def test_the_table_shows_prices_and_dates_in_the_visitors_way(visit: Visit, api_url: str, stored: Product) -> None:
    for language, price, when in (
        ("pt", "R$\N{NO-BREAK SPACE}2.899,90", r"\d\d/\d\d/\d{4} \d\d:\d\d"),
        ("en", "R$\N{NO-BREAK SPACE}2,899.90", r"\d{4}-\d\d-\d\d \d\d:\d\d"),
    ):
        table = visit(api_url, lang=language).dataframe[0].value
        assert list(table["price"]) == [price]
        assert all(re.fullmatch(when, shown) for shown in table["updated_at"])


def test_a_name_is_shown_as_it_was_typed(visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]) -> None:
    name = "**R$ 5** :red[oferta] <b>"
    api.create_product(product | {"name": name}, uuid4().hex)
    app = select(visit(api_url), 0)
    assert any(name in caption.value.replace("\\", "") for caption in app.caption)
    assert not any(name in caption.value for caption in app.caption)


def test_an_empty_catalogue_is_filled_with_examples_by_one_click(visit: Visit, api: ApiClient, api_url: str) -> None:
    app = click(visit(api_url), "load_examples")
    assert "3.000 produtos de exemplo cadastrados" in app.toast[0].value
    assert "3.000 produtos" in messages(app)
    assert len(names(app)) == PAGE_SIZE
    assert "load_examples" not in {button.key for button in app.button}


def test_examples_are_loaded_into_an_empty_catalogue_only(
    visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]
) -> None:
    app = visit(api_url)
    api.create_product(product, uuid4().hex)  # as a first click would have, before a second one is done
    assert names(click(app, "load_examples")) == [product["name"]]


@pytest.mark.usefixtures("catalogue")
def test_what_the_filters_show_is_exported_in_its_order(
    visit: Visit, api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "is_served", True)
    app = visit(api_url, categoria="Móveis", sort="price")
    with TestClient(Starlette(routes=[download.route()])) as client:
        for_excel, spreadsheet, lines = (client.get(link.url).text for link in app.link_button)
    assert [row["name"] for row in csv.DictReader(spreadsheet.splitlines())] == ["Mesa de inox", "Sofá de couro"]
    assert [row["name"] for row in csv.DictReader(for_excel.splitlines(), delimiter=";")] == [
        "Mesa de inox",
        "Sofá de couro",
    ]
    assert [json.loads(line)["name"] for line in lines.splitlines()] == ["Mesa de inox", "Sofá de couro"]


@pytest.mark.parametrize(
    ("asked", "told", "left"),
    [
        ({"price_min": "abc"}, "price_min=abc", {}),
        ({"price_min": "-5", "sort": "name"}, "price_min=-5", {"sort": "name"}),
        ({"categoria": ["Móveis", "Brinquedos"]}, "categoria=Brinquedos", {"categoria": "Móveis"}),
        ({"sort": "color", "limit": "7", "cor": "azul"}, "sort=color, limit=7, cor=azul", {}),
        ({"lang": "de"}, "lang=de", {}),
        ({"q": "a" * 300}, f"q={'a' * 60}…", {}),
        ({"sort": ["name", "price"]}, "sort=name", {"sort": "price"}),
        ({"after": "tampered", "sort": "price"}, "after=tampered", {"sort": "price"}),
        ({"after": "tampered", "start": "4"}, "after=tampered, start=4", {}),
        ({"start": "51", "q": "geladeira"}, "start=51", {"q": "geladeira"}),
    ],
)
def test_what_an_address_asks_for_in_vain_is_told_and_taken_out_of_it(
    visit: Visit, api_url: str, stored: Product, asked: dict[str, Any], told: str, left: dict[str, str]
) -> None:
    app = visit(api_url, **asked)
    assert app.warning[0].value.replace("\\", "") == f"{PORTUGUESE.ignored.format(parts=told)}"
    assert dict(app.query_params) == left
    assert not run(app).warning


def test_a_refused_price_filter_is_told_until_another_page_is_visited(
    visit: Visit, api_url: str, catalogue: None
) -> None:
    app = visit(api_url)
    app.text_input(key="list_price_min").set_value("1.250")
    assert "1250,00" in errors(run(app))
    assert app.text_input(key="list_price_min").value == "1.250"
    app.multiselect(key="list_categoria").set_value(["Móveis"])
    assert "1250,00" in errors(run(app))
    run(app.switch_page("views/overview.py"))
    run(app.switch_page("views/products.py"))
    assert not app.error
    assert filled_in(app) == {"categoria"}
    assert names(app) == ["Mesa de inox", "Sofá de couro"]


def test_an_address_that_is_as_it_should_be_is_left_alone(visit: Visit, api_url: str, catalogue: None) -> None:
    app = visit(api_url, q=" mesa", price_min="350", sort="-id", lang="pt", email_fornecedor="")
    assert not app.warning
    assert dict(app.query_params)["price_min"] == "350"
