"""What was deleted comes back, a product's page says what became of it, and many are changed at once."""

from typing import Any
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import Chosen, Product
from app.ui.products import bulk
from app.ui.texts import PORTUGUESE
from tests.ui.visiting import Visit, click, errors, is_open, messages, names, run, select


@pytest.fixture
def shop(api: ApiClient, product: dict[str, Any]) -> list[Product]:
    """Thirty products, Produto 0 at R$ 1.00 and so on."""
    return [api.create_product(product | {"name": f"Produto {n}", "price": n + 1}, uuid4().hex) for n in range(30)]


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption).replace("\\", "").replace("\xa0", " ")


def test_one_that_was_deleted_is_taken_back_where_it_was_deleted(
    visit: Visit, api: ApiClient, api_url: str, shop: list[Product]
) -> None:
    app = click(select(visit(api_url), 0), "delete")
    assert "pode voltar por 30 dias" in captions(app)
    click(app, "delete_confirm")
    assert "**Produto 29** excluído." in messages(app)
    assert names(app)[0] == "Produto 28"
    click(app, "undo_delete")
    assert names(app)[0] == "Produto 29"
    assert not is_open(app, "undo_delete")
    assert api.read_product(shop[-1].id) == shop[-1]


def test_a_products_page_from_which_it_was_deleted_says_just_that(
    visit: Visit, api: ApiClient, api_url: str, shop: list[Product]
) -> None:
    app = visit(api_url).switch_page("views/product.py")
    app.query_params["id"] = str(shop[4].id)
    app = click(click(run(app), "delete"), "delete_confirm")
    assert "**Produto 4** excluído." in messages(app)
    assert not app.error
    assert not is_open(app, "retry")
    app.query_params["id"] = str(shop[5].id)
    api.delete_product(shop[5].id, version=1)
    assert "já foi excluído" in run(app).error[0].value
    app.query_params["id"] = str(shop[4].id)
    assert click(run(app), "undo_delete").subheader[0].value == "Produto 4"


def test_many_that_were_deleted_are_taken_back_together(visit: Visit, api_url: str, shop: list[Product]) -> None:
    app = click(click(select(visit(api_url), 0, 1, 2), "delete"), "delete_confirm")
    assert names(app)[0] == "Produto 26"
    assert names(click(app, "undo_delete"))[0] == "Produto 29"


def test_the_bin_shows_what_was_deleted_by_whom_and_takes_it_back(
    visit: Visit, api: ApiClient, api_url: str, shop: list[Product]
) -> None:
    api.delete_product(shop[3].id, version=1)
    app = visit(api_url).switch_page("views/deleted.py")
    run(app)
    assert "Produto 3" in messages(app)
    assert f"Código {shop[3].id} · excluído em" in captions(app)
    assert "alguém nesta máquina" in captions(app)
    click(app, f"restore{shop[3].id}")
    assert [info.value for info in app.info] == ["A lixeira está vazia."]
    assert api.read_product(shop[3].id) == shop[3]


def test_a_products_page_says_what_became_of_it(
    visit: Visit, api: ApiClient, api_url: str, shop: list[Product]
) -> None:
    api.update_product(shop[0].id, {"price": 7, "name": "Sofá"}, version=1)
    app = visit(api_url, id=str(shop[0].id)).switch_page("views/product.py")
    app.query_params["id"] = str(shop[0].id)
    text = messages(run(app)).replace("\xa0", " ")
    assert "Alterado" in text
    assert "Criado" in text
    assert "Preço: R$ 1,00 → R$ 7,00" in text
    assert "Nome: Produto 0 → Sofá" in text
    assert "alguém nesta máquina" in text


def test_all_that_the_filters_show_are_changed_after_a_look(
    visit: Visit, api: ApiClient, api_url: str, shop: list[Product]
) -> None:
    app = select(visit(api_url, limit="25", price_min="2"), 0, 1)
    assert "2 produtos selecionados · total R$ 59,00, média R$ 29,50" in captions(app)
    click(app, "choose_all")
    assert "Todos os 29 produtos" in captions(app)
    assert "total R$ 464,00, média R$ 16,00" in captions(app)
    click(app, "change_many")
    app.text_input(key="bulk_percent").set_value("0")
    assert [info.value for info in run(app).info] == ["Com 0, nada muda."]
    assert app.button(key="bulk_confirm").disabled
    app.text_input(key="bulk_percent").set_value("-12,5")
    assert "29 de 29 produtos mudam; o total vai de R$ 464,00 para R$ 406,0" in messages(run(app)).replace("\xa0", " ")
    assert api.read_product(shop[1].id).price == 2
    click(app, "bulk_confirm")
    assert api.read_product(shop[1].id).price == pytest.approx(1.75)
    assert api.read_product(shop[0].id).price == 1
    assert not is_open(app, "bulk_confirm")


def test_all_that_the_filters_show_are_deleted_and_taken_back(
    visit: Visit, api: ApiClient, api_url: str, shop: list[Product]
) -> None:
    app = click(click(select(visit(api_url, limit="25"), 0), "choose_all"), "delete")
    api.delete_product(shop[0].id, version=1)
    assert "mudaram enquanto isso" in errors(click(app, "delete_confirm"))
    assert api.total(Chosen()).count == 29
    assert "Todos os" not in captions(click(app, "bulk_cancel"))
    app = click(click(click(select(visit(api_url, limit="25"), 0), "choose_all"), "delete"), "delete_confirm")
    assert api.total(Chosen()).count == 0
    click(app, "undo_delete")
    assert api.total(Chosen()).count == 29


def test_marked_products_get_another_category(visit: Visit, api: ApiClient, api_url: str, shop: list[Product]) -> None:
    app = click(select(visit(api_url), 0, 2), "change_many")
    app.radio(key="bulk_kind").set_value("categoria")
    run(app)
    app.selectbox(key="bulk_categoria").set_value("Roupas")
    run(app)
    click(app, "bulk_confirm")
    assert [api.read_product(shop[n].id).categoria for n in (29, 28, 27)] == ["Roupas", "Eletrodoméstico", "Roupas"]


def test_a_change_that_makes_no_price_is_told_before_it_is_made(
    visit: Visit, api_url: str, shop: list[Product]
) -> None:
    app = click(click(select(visit(api_url), 0), "choose_all"), "change_many")
    app.radio(key="bulk_kind").set_value("amount")
    run(app)
    app.text_input(key="bulk_amount").set_value("-2")
    assert "2 produtos custariam nada ou menos" in errors(run(app))
    assert app.button(key="bulk_confirm").disabled


def test_a_percentage_that_cannot_be_is_refused_in_the_page_s_language(
    visit: Visit, api_url: str, shop: list[Product]
) -> None:
    app = click(click(select(visit(api_url), 0), "choose_all"), "change_many")
    app.text_input(key="bulk_percent").set_value("-100")
    assert errors(run(app)).strip() == PORTUGUESE.wrong_percent
    assert app.button(key="bulk_confirm").disabled


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        *(("5", "5"), ("12,5", "12.5"), ("-12.50 %", "-12.50"), ("+3%", "3"), ("R$ 10,00", "10.00"), ("\u22122", "-2")),
        *(("1.250,00", "1250.00"), ("1,250.00", "1250.00"), ("-R$ 1.250,00", "-1250.00"), ("R$ -5", "-5")),
        *(
            ("", None),
            ("1.250", None),
            ("1,250", None),
            ("5,125", None),
            ("abc", None),
            ("--5", None),
            ("5 5", None),
        ),
    ],
)
def test_a_percentage_or_amount_is_what_was_typed(typed: str, read: str | None) -> None:
    found = bulk.read_number(typed)
    assert (found and str(found)) == read


def test_a_search_that_finds_nothing_suggests_what_does(
    visit: Visit, api: ApiClient, api_url: str, stored: Product
) -> None:
    app = visit(api_url, q="geladera")
    assert app.button(key="suggestion0").label == "geladeira"
    assert names(click(app, "suggestion0")) == [stored.name]


def test_the_pager_says_where_it_is_and_leads_to_both_ends(visit: Visit, api_url: str, shop: list[Product]) -> None:
    app = visit(api_url, limit="25")
    assert "1–25 de 30 produtos" in messages(app)
    assert "26–30 de 30 produtos" in messages(click(app, "next"))
    assert "1–25 de 30 produtos" in messages(click(app, "first"))
    app = click(app, "last")
    assert "6–30 de 30 produtos" in messages(app)
    assert names(app)[-1] == "Produto 0"
    assert app.button(key="next").disabled
    assert names(click(app, "previous")) == [f"Produto {n}" for n in range(29, 24, -1)]


def test_filters_survive_a_visit_to_another_page(visit: Visit, api_url: str, shop: list[Product]) -> None:
    app = visit(api_url, q="produto 29", sort="name")
    app.switch_page("views/deleted.py")
    run(app)
    app.query_params.clear()
    app.switch_page("views/products.py")
    assert names(run(app)) == ["Produto 29"]
    assert dict(app.query_params)["q"] == "produto 29"


def test_after_saving_the_row_stays_selected(visit: Visit, api: ApiClient, api_url: str, shop: list[Product]) -> None:
    app = click(select(visit(api_url), 3), "edit")
    [field] = [field for field in app.text_input if (field.key or "").endswith("_name")]
    field.set_value("Sofá")
    [submit] = [button for button in app.button if (button.key or "").endswith("_submit")]
    submit.click()
    run(app)
    assert names(app)[3] == "Sofá"
    assert "Selecionado: **Sofá**" in captions(app)


def test_a_product_is_duplicated(visit: Visit, api: ApiClient, api_url: str, shop: list[Product]) -> None:
    app = visit(api_url).switch_page("views/product.py")
    app.query_params["id"] = str(shop[4].id)
    click(run(app), "duplicate")
    [submit] = [button for button in app.button if (button.key or "").endswith("_submit")]
    submit.click()
    run(app)
    newest = api.list_products(sort="-id", limit=1).products[0]
    assert (newest.name, newest.price, newest.description) == (shop[4].name, shop[4].price, shop[4].description)


def test_a_products_page_leads_to_its_neighbours_in_the_list(visit: Visit, api_url: str, shop: list[Product]) -> None:
    app = visit(api_url).switch_page("views/product.py")
    app.query_params["id"] = str(shop[29].id)
    assert run(app).button(key="previous_product").disabled
    click(app, "next_product")
    assert dict(app.query_params)["id"] == str(shop[28].id)
