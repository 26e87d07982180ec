"""Changing several products in the table, from the first cell to the last answer, by Streamlit's AppTest."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import Product
from app.ui.formats import WORD_JOINER
from testkit.server import free_port
from tests.ui.visiting import Visit, click, errors, fill, is_open, messages, run, type_into_table

LOOK_UP_PAGE = "views/product.py"
FILTERED = ("list_q", "list_categoria", "list_price_min", "list_created_to", "list_sort", "page_size50")


@pytest.fixture
def three(api: ApiClient, product: dict[str, Any]) -> list[Product]:
    """Three products, as the list shows them: the newest first."""
    made = [api.create_product(product | {"name": f"Produto {n}"}, uuid4().hex) for n in range(3)]
    return made[::-1]


@pytest.fixture
def editing(visit: Visit, api_url: str, three: list[Product]) -> AppTest:
    """The table of the three, to be edited."""
    return edit(visit(api_url))


def edit(app: AppTest) -> AppTest:
    app.toggle(key="edit_in_place").set_value(True)
    return run(app)


def in_table(app: AppTest) -> list[str]:
    return list(app.data_editor[0].value["name"])


def reviewed(app: AppTest) -> list[list[str]]:
    """Return the rows of the review's tables, without the first column, which names the field."""
    return [
        [cell.replace("\\", "").replace(WORD_JOINER, "") for cell in row[1:]]
        for table in app.table
        for row in table.value.to_numpy()
    ]


def test_nothing_is_to_be_reviewed_before_a_change(editing: AppTest) -> None:
    assert in_table(editing) == ["Produto 2", "Produto 1", "Produto 0"]
    assert editing.button(key="review").disabled
    assert editing.button(key="discard").disabled
    assert not editing.toggle(key="edit_in_place").disabled


def test_changes_are_looked_through_before_they_are_saved(
    editing: AppTest, api: ApiClient, three: list[Product]
) -> None:
    first, second, third = three
    type_into_table(
        editing, {0: {"name": "Mesa", "price": "1.234,50"}, 2: {"description": None, "categoria": "Móveis"}}
    )
    assert editing.button(key="review").label == "Revisar 2 alterações"
    click(editing, "review")
    assert f"**Produto 2** (Código {first.id}) **Produto 0** (Código {third.id})" in messages(editing)
    assert reviewed(editing) == [
        ["Produto 2", "Mesa"],
        ["R$\N{NO-BREAK SPACE}2.899,90", "R$\N{NO-BREAK SPACE}1.234,50"],
        ["Eletrodoméstico", "Móveis"],
        ["Branca, 110 V", "—"],
    ]
    assert [api.read_product(product.id) for product in three] == three
    click(editing, "review_save")
    changed = api.read_product(first.id)
    assert (changed.name, changed.price, changed.description) == ("Mesa", Decimal("1234.5"), first.description)
    changed = api.read_product(third.id)
    assert (changed.name, changed.categoria, changed.description) == (third.name, "Móveis", None)
    assert api.read_product(second.id) == second
    assert "2 produtos salvos" in editing.toast[0].value
    assert not is_open(editing, "review_save")
    assert editing.button(key="review").disabled
    assert in_table(editing) == ["Mesa", "Produto 1", "Produto 0"]


def test_a_cell_that_is_as_before_is_no_change(editing: AppTest, three: list[Product]) -> None:
    type_into_table(editing, {0: {"name": "Produto 2", "price": "2899,9", "description": "Branca, 110 V"}})
    assert editing.button(key="review").disabled
    type_into_table(editing, {0: {"name": "Produto 2"}, 1: {"name": "Mesa"}})
    assert editing.button(key="review").label == "Revisar 1 alteração"


def test_changes_are_given_up_with_one_click(editing: AppTest, api: ApiClient, three: list[Product]) -> None:
    click(type_into_table(editing, {1: {"name": "Mesa"}}), "discard")
    assert editing.button(key="review").disabled
    assert in_table(editing) == ["Produto 2", "Produto 1", "Produto 0"]
    assert [api.read_product(product.id) for product in three] == three


def test_the_list_stays_as_it_is_while_there_are_changes(editing: AppTest) -> None:
    type_into_table(editing, {0: {"name": "Mesa"}})
    controls = {
        control.key: control.disabled
        for kind in ("text_input", "multiselect", "date_input", "selectbox")
        for control in getattr(editing, kind)
    }
    assert all(controls[key] for key in FILTERED)
    assert editing.toggle(key="edit_in_place").disabled
    click(editing, "discard")
    assert not editing.toggle(key="edit_in_place").disabled
    assert not editing.text_input(key="list_q").disabled


def test_going_back_in_the_browser_moves_no_change_to_another_product(
    visit: Visit, api_url: str, api: ApiClient, product: dict[str, Any]
) -> None:
    made = [api.create_product(product | {"name": f"Produto {n}"}, uuid4().hex) for n in range(50)]
    app = edit(click(visit(api_url, limit="25"), "next"))
    type_into_table(app, {0: {"name": "Mesa"}})
    del app.query_params["after"]
    click(run(app), "review")
    assert reviewed(app) == [["Produto 24", "Mesa"]]
    click(app, "review_save")
    assert api.read_product(made[24].id).name == "Mesa"
    assert in_table(app)[0] == "Produto 49"  # now the table is what the address says


def test_a_product_that_is_added_meanwhile_moves_no_change_to_another_product(
    editing: AppTest, api: ApiClient, product: dict[str, Any], three: list[Product]
) -> None:
    type_into_table(editing, {0: {"name": "Mesa"}})
    fill(click(editing, "add"), "new1", product | {"name": "Novo"})
    click(editing, "new1_submit")
    assert "cadastrado" in editing.toast[0].value
    click(editing, "review")
    assert reviewed(editing) == [["Produto 2", "Mesa"]]
    click(editing, "review_save")
    assert api.read_product(three[0].id).name == "Mesa"
    assert in_table(editing) == ["Novo", "Mesa", "Produto 1", "Produto 0"]


def test_changes_survive_a_visit_to_another_page(editing: AppTest, three: list[Product]) -> None:
    type_into_table(editing, {1: {"name": "Mesa"}})
    run(editing.switch_page(LOOK_UP_PAGE))
    run(editing.switch_page("views/products.py"))
    assert editing.toggle(key="edit_in_place").value
    assert in_table(editing) == ["Produto 2", "Mesa", "Produto 0"]
    click(editing, "review")
    assert reviewed(editing) == [["Produto 1", "Mesa"]]


def test_changes_survive_another_language(editing: AppTest, three: list[Product]) -> None:
    type_into_table(editing, {1: {"name": "Mesa"}})
    editing.selectbox(key="lang_pt").set_value("en")
    run(editing)
    assert editing.button(key="review").label == "Review 1 change"
    assert editing.button(key="review").disabled is False


@pytest.fixture
def one_wrong(editing: AppTest, three: list[Product]) -> AppTest:
    """The review after an attempt to save three changes, of which the second one cannot be."""
    rows: dict[int, dict[str, Any]] = {
        0: {"name": "Mesa"},
        1: {"email_fornecedor": "nenhum", "price": "R$ 5"},
        2: {"name": "Sofá"},
    }
    return click(click(type_into_table(editing, rows), "review"), "review_save")


def test_a_change_that_cannot_be_saved_stays_with_its_reason_and_the_others_are_saved(
    one_wrong: AppTest, api: ApiClient, three: list[Product]
) -> None:
    assert errors(one_wrong).startswith("E-mail do fornecedor: Não é um endereço de e-mail válido")
    assert [row[1] for row in reviewed(one_wrong)] == ["R$\N{NO-BREAK SPACE}5,00", "nenhum"]
    assert [api.read_product(product.id).name for product in three] == ["Mesa", "Produto 1", "Sofá"]
    assert one_wrong.button(key="review_save").label == "Salvar 1 produto"


def test_a_change_that_could_not_be_saved_can_be_corrected(
    one_wrong: AppTest, api: ApiClient, three: list[Product]
) -> None:
    click(one_wrong, "review_back")
    assert in_table(one_wrong) == ["Mesa", "Produto 1", "Sofá"]
    assert list(one_wrong.data_editor[0].value["email_fornecedor"])[1] == "nenhum"
    assert one_wrong.button(key="review").label == "Revisar 1 alteração"
    type_into_table(one_wrong, {1: {"email_fornecedor": "vendas@casa.example.com"}})
    click(click(one_wrong, "review"), "review_save")
    changed = api.read_product(three[1].id)
    assert (changed.email_fornecedor, changed.price) == ("vendas@casa.example.com", Decimal(5))


@pytest.fixture
def conflict(editing: AppTest, api: ApiClient, three: list[Product]) -> AppTest:
    """The review after an attempt to save two changes, before the first of which somebody else was faster."""
    type_into_table(editing, {0: {"name": "O meu nome"}, 1: {"email_fornecedor": "nenhum"}})
    click(editing, "review")
    api.update_product(three[0].id, {"name": "De outra pessoa", "price": Decimal(7)}, version=three[0].version)
    return click(editing, "review_save")


def test_a_change_that_somebody_else_was_faster_with_shows_both(
    conflict: AppTest, api: ApiClient, three: list[Product]
) -> None:
    assert "Outra pessoa salvou este produto" in conflict.warning[0].value
    assert reviewed(conflict)[:2] == [
        ["O meu nome", "De outra pessoa"],
        ["(não alterado)", "R$\N{NO-BREAK SPACE}7,00"],
    ]
    assert api.read_product(three[0].id).name == "De outra pessoa"


def test_one_s_own_change_can_be_saved_over_somebody_else_s(
    conflict: AppTest, api: ApiClient, three: list[Product]
) -> None:
    assert conflict.radio[0].value == "mine"
    click(conflict, "review_save")
    saved = api.read_product(three[0].id)
    assert (saved.name, saved.price) == ("O meu nome", Decimal(7))


def test_what_somebody_else_saved_can_be_kept_and_is_not_asked_about_again(
    conflict: AppTest, api: ApiClient, three: list[Product]
) -> None:
    conflict.radio[0].set_value("theirs")
    click(conflict, "review_save")
    assert not conflict.warning
    assert api.read_product(three[0].id).name == "De outra pessoa"
    click(conflict, "review_back")  # the other change is still wrong
    assert in_table(conflict) == ["De outra pessoa", "Produto 1", "Produto 0"]
    assert conflict.button(key="review").label == "Revisar 1 alteração"


def test_a_third_change_while_one_chooses_is_shown_in_turn(
    conflict: AppTest, api: ApiClient, three: list[Product]
) -> None:
    api.update_product(three[0].id, {"name": "De uma terceira"}, version=2)
    click(conflict, "review_save")
    assert reviewed(conflict)[0] == ["O meu nome", "De uma terceira"]
    assert api.read_product(three[0].id).name == "De uma terceira"


def test_a_product_that_is_gone_says_so_beside_its_change(
    editing: AppTest, api: ApiClient, three: list[Product]
) -> None:
    type_into_table(editing, {0: {"name": "Mesa"}, 1: {"name": "Sofá"}})
    api.delete_product(three[0].id, version=1)
    click(click(editing, "review"), "review_save")
    assert errors(editing) == "Este produto não existe, ou já foi excluído."
    assert api.read_product(three[1].id).name == "Sofá"
    assert editing.success[0].value == "Já salvos: Sofá."


@pytest.fixture
def gone(editing: AppTest, api: ApiClient, three: list[Product]) -> AppTest:
    """The review after an attempt to save two changes, the first one of a product that somebody has deleted."""
    type_into_table(editing, {0: {"name": "Mesa", "price": "19,90"}, 1: {"email_fornecedor": "nenhum"}})
    api.delete_product(three[0].id, version=1)
    return click(click(editing, "review"), "review_save")


def test_a_change_of_a_product_that_is_gone_can_be_dropped(gone: AppTest, three: list[Product]) -> None:
    click(gone, f"drop{three[0].id}")
    assert [row[1] for row in reviewed(gone)] == ["nenhum"]
    click(gone, "review_back")
    assert in_table(gone) == ["Produto 1", "Produto 0"]
    assert gone.button(key="review").label == "Revisar 1 alteração"


def test_a_change_of_a_product_that_is_gone_can_become_a_new_one(
    gone: AppTest, api: ApiClient, three: list[Product]
) -> None:
    click(gone, f"as_new{three[0].id}")
    assert gone.success[0].value == "Já salvos: Mesa."
    [new] = [product for product in api.list_products().products if product.name == "Mesa"]
    assert (new.price, new.description) == (Decimal("19.9"), three[0].description)
    assert [row[1] for row in reviewed(gone)] == ["nenhum"]


def test_the_review_is_over_when_its_last_change_is_dropped(
    editing: AppTest, api: ApiClient, three: list[Product]
) -> None:
    type_into_table(editing, {0: {"name": "Mesa"}})
    api.delete_product(three[0].id, version=1)
    click(click(editing, "review"), "review_save")
    click(editing, f"drop{three[0].id}")
    assert not is_open(editing, "review_save")
    assert in_table(editing) == ["Produto 1", "Produto 0"]
    assert not editing.toast


def test_an_api_that_goes_down_loses_no_change(
    editing: AppTest, api: ApiClient, api_url: str, three: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    click(type_into_table(editing, {0: {"name": "Mesa"}}), "review")
    monkeypatch.setenv("API_URL", f"http://127.0.0.1:{free_port()}")
    click(editing, "review_save")
    assert "A API não responde" in errors(editing)
    monkeypatch.setenv("API_URL", api_url)
    click(editing, "review_save")
    assert api.read_product(three[0].id).name == "Mesa"
