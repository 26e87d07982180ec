"""Dialogs, the look-up page and every failure as a visitor meets them, by Streamlit's AppTest and the real API."""

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import Product
from app.ui.texts import PORTUGUESE
from testkit.server import free_port
from tests.ui.conftest import Misbehaviour
from tests.ui.visiting import Visit, click, errors, fill, is_open, messages, run, select

LOOK_UP_PAGE = "views/product.py"


def test_a_product_is_added(visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]) -> None:
    app = click(visit(api_url), "add")
    fill(app, "new1", product)
    click(app, "new1_submit")
    [stored] = api.list_products().products
    assert {name: getattr(stored, name) for name in product} == product | {"price": stored.price}
    assert float(stored.price) == product["price"]
    assert f"R\\$\N{NO-BREAK SPACE}2\\.899\\,90, cadastrado com o código {stored.id}" in app.toast[0].value
    assert list(app.dataframe[0].value["name"]) == [product["name"]]
    assert not is_open(app, "new1_submit")
    assert click(app, "add").text_input(key="new2_name").value == ""


def test_wrong_fields_are_marked_and_what_was_typed_stays(
    visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]
) -> None:
    app = click(visit(api_url), "add")
    fill(app, "new1", product | {"name": "  ", "price": None, "email_fornecedor": "not an address"})
    click(app, "new1_submit")
    shown = messages(app)
    assert "Não pode ficar em branco" in shown
    assert "Preencha este campo" in shown
    assert "Não é um endereço" in shown
    assert "Corrija os campos indicados" in errors(app)
    assert app.text_input(key="new1_email_fornecedor").value == "not an address"
    assert app.text_area(key="new1_description").value == product["description"]
    assert api.list_products().products == ()


def test_a_half_typed_product_survives_a_closed_dialog(visit: Visit, api_url: str) -> None:
    app = click(visit(api_url), "add")
    app.text_input(key="new1_name").set_value("Sofá")
    click(app, "new1_submit")
    app.session_state["dialog"] = None
    assert not is_open(run(app), "new1_submit")
    assert click(app, "add").text_input(key="new1_name").value == "Sofá"
    assert "Rascunho" in app.caption[-1].value
    assert click(app, "drop_draft").text_input(key="new2_name").value == ""
    assert not is_open(app, "drop_draft")


def test_the_selected_product_is_changed(visit: Visit, api: ApiClient, api_url: str, stored: Product) -> None:
    app = visit(api_url)
    assert app.button(key="edit").disabled
    click(select(app, 0), "edit")
    form = "edit1"
    assert app.text_input(key=f"{form}_name").value == stored.name
    app.text_input(key=f"{form}_price").set_value("19,99")
    app.text_area(key=f"{form}_description").set_value("")
    click(app, f"{form}_submit")
    changed = api.read_product(stored.id)
    assert (changed.name, float(changed.price), changed.description) == (stored.name, 19.99, None)
    assert "atualizado" in app.toast[0].value
    assert list(app.dataframe[0].value["price"]) == ["R$\N{NO-BREAK SPACE}19,99"]


@pytest.fixture
def conflict(visit: Visit, api: ApiClient, api_url: str, stored: Product) -> AppTest:
    """The dialog after a change of the name that somebody else's change of name and price came before."""
    app = click(select(visit(api_url), 0), "edit")
    api.update_product(stored.id, {"name": "De outra pessoa", "price": Decimal(7)}, version=stored.version)
    app.text_input(key="edit1_name").set_value("O meu nome")
    return click(app, "edit1_submit")


def test_a_change_that_somebody_else_was_faster_with_shows_both(
    conflict: AppTest, api: ApiClient, stored: Product
) -> None:
    assert "Outra pessoa salvou este produto" in conflict.warning[0].value
    shown = conflict.table[0].value
    assert list(shown.iloc[0])[1:] == ["O meu nome", "De outra pessoa"]
    assert "não alterado" in shown.iloc[1].iloc[1]
    assert "7,00" in shown.iloc[1].iloc[2].replace("\\", "")
    assert api.read_product(stored.id).name == "De outra pessoa"


def test_one_s_own_change_can_be_saved_over_somebody_else_s(conflict: AppTest, api: ApiClient, stored: Product) -> None:
    click(conflict, "save_mine")
    saved = api.read_product(stored.id)
    assert (saved.name, saved.price) == ("O meu nome", Decimal(7))
    assert "atualizado" in conflict.toast[0].value


def test_what_somebody_else_saved_can_be_kept(conflict: AppTest, api: ApiClient, stored: Product) -> None:
    click(conflict, "keep_theirs")
    assert api.read_product(stored.id).name == "De outra pessoa"
    assert list(conflict.dataframe[0].value["name"]) == ["De outra pessoa"]


def test_a_third_change_while_one_chooses_is_told_again(conflict: AppTest, api: ApiClient, stored: Product) -> None:
    api.update_product(stored.id, {"name": "De uma terceira"}, version=2)
    click(conflict, "save_mine")
    assert conflict.table[0].value.iloc[0].iloc[2] == "De uma terceira"
    assert api.read_product(stored.id).name == "De uma terceira"


def test_a_product_is_deleted_only_after_a_question_that_names_it(
    visit: Visit, api: ApiClient, api_url: str, stored: Product
) -> None:
    app = click(select(visit(api_url), 0), "delete")
    assert f"Excluir **{stored.name}**" in messages(app)
    assert "R$\N{NO-BREAK SPACE}2.899,90" in messages(app)
    click(app, "delete_cancel")
    assert api.read_product(stored.id) == stored
    click(click(app, "delete"), "delete_confirm")
    assert api.list_products().products == ()
    assert "excluído" in app.toast[0].value
    assert not app.dataframe


def test_a_product_that_is_gone_is_told_when_it_is_picked(
    visit: Visit, api: ApiClient, api_url: str, stored: Product
) -> None:
    app = select(visit(api_url), 0)
    api.delete_product(stored.id, version=stored.version)
    assert f"Não foi possível abrir o produto {stored.id} Este produto não existe" in errors(click(app, "edit"))


def test_a_product_that_changed_is_shown_again_before_it_is_deleted(
    visit: Visit, api: ApiClient, api_url: str, stored: Product
) -> None:
    app = click(select(visit(api_url), 0), "delete")
    api.update_product(stored.id, {"name": "Outro nome"}, version=stored.version)
    click(app, "delete_confirm")
    assert "Outra pessoa alterou este produto" in app.warning[0].value
    assert "Excluir **Outro nome**" in messages(app)
    click(app, "delete_confirm")
    assert api.list_products().products == ()


def test_many_products_are_deleted_after_a_question_that_names_them(
    visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]
) -> None:
    for number in range(12):
        api.create_product(product | {"name": f"Produto {number}"}, uuid4().hex)
    app = click(select(visit(api_url), *range(11)), "delete")
    assert "estes **11 produtos**" in messages(app)
    assert all(f"Produto {number}, R$" in messages(app) for number in range(2, 12))
    assert "e mais 1" in messages(app)
    click(app, "delete_confirm")
    assert [left.name for left in api.list_products().products] == ["Produto 0"]
    assert "11 produtos excluídos" in app.toast[0].value


def test_none_of_many_is_deleted_when_one_is_gone(
    visit: Visit, api: ApiClient, api_url: str, product: dict[str, Any]
) -> None:
    products = [api.create_product(product, uuid4().hex) for _ in range(3)]
    app = click(select(visit(api_url), 0, 1), "delete")
    api.delete_product(products[2].id, version=1)
    click(app, "delete_confirm")
    assert "Alguns destes produtos já não existem" in errors(app)
    assert len(api.list_products().products) == 2


def test_a_product_that_goes_while_its_dialog_is_open_is_told(
    visit: Visit, api: ApiClient, api_url: str, stored: Product
) -> None:
    app = click(select(visit(api_url), 0), "edit")
    api.delete_product(stored.id, version=stored.version)
    app.text_input(key="edit1_name").set_value("Tarde demais")
    click(app, "edit1_submit")
    assert errors(app) == "O produto não foi salvo Este produto não existe, ou já foi excluído."
    assert app.text_input(key="edit1_name").value == "Tarde demais"


def test_a_product_is_looked_up_by_id(visit: Visit, api_url: str, stored: Product) -> None:
    app = run(visit(api_url).switch_page(LOOK_UP_PAGE))
    app.text_input(key="product_id").set_value(str(stored.id))
    run(app)
    assert [heading.value.replace("\\", "") for heading in app.subheader] == [
        stored.name,
        "R$\N{NO-BREAK SPACE}2.899,90",
    ]
    app.text_input(key="product_id").set_value(str(stored.id + 1))
    assert (
        errors(run(app))
        == f"Não foi possível abrir o produto {stored.id + 1} Este produto não existe, ou já foi excluído."
    )


def test_an_address_with_an_id_leads_to_the_product(visit: Visit, api_url: str, stored: Product) -> None:
    app = visit(api_url)
    app.query_params["id"] = str(stored.id)
    app = run(app.switch_page(LOOK_UP_PAGE))
    assert app.subheader[0].value.replace("\\", "") == stored.name


@pytest.mark.parametrize("impossible", ["0", "-1", "1.5", "mesa", "2147483648", "9" * 5000, "²"])
def test_an_id_that_cannot_be_is_told(visit: Visit, api_url: str, impossible: str) -> None:
    app = visit(api_url)
    app.query_params["id"] = impossible
    run(app.switch_page(LOOK_UP_PAGE))
    assert f"“{impossible[:40]}” não é um código" in errors(app)
    assert app.text_input(key="product_id").value == impossible[:40]


def test_the_looked_up_product_is_changed_and_deleted(
    visit: Visit, api: ApiClient, api_url: str, stored: Product
) -> None:
    app = run(visit(api_url).switch_page(LOOK_UP_PAGE))
    app.text_input(key="product_id").set_value(str(stored.id))
    click(run(app), "edit")
    app.text_input(key="edit1_name").set_value("Geladeira nova")
    click(app, "edit1_submit")
    assert app.subheader[0].value == "Geladeira nova"
    click(click(app, "delete"), "delete_confirm")
    assert api.list_products().products == ()
    assert "**Geladeira nova** excluído." in messages(app)


def test_english_is_one_choice_away(visit: Visit, api_url: str, stored: Product) -> None:
    app = visit(api_url)
    app.selectbox(key="lang_pt").set_value("en")
    run(app)
    assert app.title[0].value == "Products"
    assert app.button(key="add").label == "New product"


def test_an_api_that_is_down_is_told_and_the_page_recovers(
    visit: Visit, api_url: str, stored: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = f"http://127.0.0.1:{free_port()}"
    app = visit(down)
    assert f"A API não responde em {down}" in errors(app)
    assert not app.dataframe
    monkeypatch.setenv("API_URL", api_url)
    click(app, "retry")
    assert not app.error
    assert list(app.dataframe[0].value["id"]) == [stored.id]


def test_what_may_have_been_saved_is_not_said_to_be_not_saved(
    visit: Visit, api_url: str, product: dict[str, Any], misbehaviour: Misbehaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = click(visit(api_url), "add")
    fill(app, "new1", product)
    monkeypatch.setenv("API_URL", misbehaviour.url)
    misbehaviour.answers = [None]  # the connection breaks after the request
    click(app, "new1_submit")
    assert errors(app).startswith(f"{PORTUGUESE.outcome_unknown_title} A conexão com a API caiu antes da resposta.")


def test_an_api_that_goes_down_loses_nothing_that_was_typed(
    visit: Visit,
    api: ApiClient,
    api_url: str,
    product: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = click(visit(api_url), "add")
    fill(app, "new1", product)
    monkeypatch.setenv("API_URL", f"http://127.0.0.1:{free_port()}")
    click(app, "new1_submit")
    assert "O produto não foi salvo A API não responde" in errors(app)
    assert app.text_input(key="new1_name").value == product["name"]
    monkeypatch.setenv("API_URL", api_url)
    click(app, "new1_submit")
    assert [stored.name for stored in api.list_products().products] == [product["name"]]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            (503, "application/problem+json", json.dumps({"detail": "The database does not answer."})),
            "O banco de dados não responde no momento.",
        ),
        ((401, "application/problem+json", json.dumps({"detail": "No."})), "A API não aceita esta interface"),
        ((403, "application/problem+json", json.dumps({"detail": "No."})), "Você não tem permissão para isto"),
        ((502, "text/html", "<h1>Bad gateway</h1>"), "A API respondeu com o erro 502"),
        ((200, "text/html", "<h1>Welcome</h1>"), "não é a API do catálogo"),
        (None, "A conexão com a API caiu antes da resposta"),
    ],
)
def test_an_api_that_fails_is_told_in_a_sentence(
    visit: Visit, misbehaviour: Misbehaviour, answer: tuple[int, str, str] | None, sentence: str
) -> None:
    misbehaviour.answers = [answer]
    assert sentence in errors(visit(misbehaviour.url))


@pytest.mark.parametrize(("status", "is_named"), [(500, True), (404, False)])
def test_an_error_of_ours_names_the_request_that_is_in_the_log(
    visit: Visit, misbehaviour: Misbehaviour, status: int, is_named: bool
) -> None:
    problem = json.dumps({"title": "t", "status": status, "detail": "It broke."})
    misbehaviour.answers = [(status, "application/problem+json", problem)]
    app = visit(misbehaviour.url)
    assert misbehaviour.ids[-1]
    assert len(misbehaviour.ids[-1]) == 32
    named = [caption for caption in app.caption if misbehaviour.ids[-1] in caption.value]
    assert bool(named) is is_named


def test_a_change_whose_outcome_is_unknown_says_so(
    visit: Visit, misbehaviour: Misbehaviour, product: dict[str, Any]
) -> None:
    misbehaviour.answers = [(200, "application/json", "[]")]
    app = click(visit(misbehaviour.url), "add")
    fill(app, "new1", product)
    misbehaviour.answers = [None]
    assert "confira na lista antes de repetir" in errors(click(app, "new1_submit"))
    assert misbehaviour.requests == ["GET", *["POST"] * 3]


def test_an_api_url_that_is_no_address_is_told(visit: Visit) -> None:
    app = visit("api:8000")
    assert "`api:8000`, que não é um endereço" in errors(app)
    assert not app.button


def test_an_error_of_the_ui_itself_is_a_sentence(visit: Visit, api_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(ApiClient, "list_products", fail)
    app = visit(api_url)
    assert "Algo deu errado na interface" in errors(app)
    assert "a bug" not in errors(app)
