"""The UI's client against the real API, and against servers that fail in ways the real one does not."""

import json
from decimal import Decimal
from typing import Any

import pytest

from app.api.models import Categoria
from app.ui.api_client import CATEGORIES, PAGE_SIZE, ApiClient, ApiError, Failure
from tests.conftest import free_port
from tests.ui.conftest import Misbehaviour

UNAVAILABLE = (503, "application/problem+json", json.dumps({"title": "t", "status": 503, "detail": "Not now."}))
EMPTY_LIST = (200, "application/json", "[]")
HTML = (200, "text/html", "<h1>Welcome</h1>")


def failure(call: Any, *arguments: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(*arguments)
    return caught.value


def test_a_product_is_created_read_changed_and_deleted(api_url: str, product: dict[str, Any]) -> None:
    client = ApiClient(api_url)
    created = client.create_product(product | {"price": Decimal("2899.90")})
    assert created.name == product["name"]
    assert created.price == Decimal("2899.9")
    assert created.created_at.tzinfo is not None
    assert client.read_product(created.id) == created
    changed = client.update_product(created.id, {"description": None, "price": Decimal("9999999999.99")})
    assert changed.description is None
    assert changed.price == Decimal("9999999999.99")
    assert changed.name == created.name
    assert client.delete_product(created.id) == changed
    assert client.list_products().products == ()


def test_the_list_leads_from_page_to_page(api_url: str, product: dict[str, Any]) -> None:
    client = ApiClient(api_url)
    for _ in range(PAGE_SIZE + 1):
        client.create_product(product)
    first = client.list_products()
    assert len(first.products) == PAGE_SIZE
    second = client.list_products(first.next_url)
    assert len(second.products) == 1
    assert second.next_url is None


def test_an_unknown_product_is_refused_with_the_apis_sentence(api_url: str) -> None:
    client = ApiClient(api_url)
    for error in (
        failure(client.read_product, 1),
        failure(client.update_product, 1, {"name": "x"}),
        failure(client.delete_product, 1),
    ):
        assert (error.failure, error.status, error.detail) == (Failure.REFUSED, 404, "Product not found")


def test_wrong_fields_come_with_a_message_each(api_url: str) -> None:
    error = failure(ApiClient(api_url).create_product, {"name": " ", "price": Decimal(-1)})
    assert error.status == 422
    assert set(error.fields) == {"name", "price", "categoria", "email_fornecedor"}
    assert error.fields["email_fornecedor"] == "This field is required"


def test_the_form_offers_the_categories_the_api_accepts() -> None:
    assert list(CATEGORIES) == [categoria.value for categoria in Categoria]


def test_a_closed_port_is_unreachable_and_nothing_was_done(product: dict[str, Any]) -> None:
    client = ApiClient(f"http://127.0.0.1:{free_port()}")
    for error in (failure(client.list_products), failure(client.create_product, product)):
        assert error.failure is Failure.UNREACHABLE
        assert not error.outcome_unknown


def test_a_host_that_does_not_exist_is_unreachable() -> None:
    assert failure(ApiClient("http://api.invalid:8000").list_products).failure is Failure.UNREACHABLE


def test_a_slow_answer_is_given_up_on(misbehaviour: Misbehaviour, product: dict[str, Any]) -> None:
    misbehaviour.answers, misbehaviour.delay = [EMPTY_LIST], 30
    client = ApiClient(misbehaviour.url, timeout=(1, 0.2))
    reading, writing = failure(client.list_products), failure(client.create_product, product)
    assert reading.failure is writing.failure is Failure.TIMEOUT
    assert not reading.outcome_unknown
    assert writing.outcome_unknown
    assert misbehaviour.requests == ["GET", "POST"]


def test_a_connection_that_breaks_leaves_the_outcome_of_a_change_open(misbehaviour: Misbehaviour) -> None:
    misbehaviour.answers = [None]
    error = failure(ApiClient(misbehaviour.url).delete_product, 1)
    assert error.failure is Failure.INTERRUPTED
    assert error.outcome_unknown
    assert misbehaviour.requests == ["DELETE"]


def test_reading_is_tried_again_and_changing_is_not(misbehaviour: Misbehaviour, product: dict[str, Any]) -> None:
    client = ApiClient(misbehaviour.url)
    misbehaviour.answers = [UNAVAILABLE, EMPTY_LIST]
    assert client.list_products().products == ()
    misbehaviour.answers = [UNAVAILABLE]
    assert failure(client.create_product, product).detail == "Not now."
    assert failure(client.list_products).detail == "Not now."
    assert misbehaviour.requests == ["GET", "GET", "POST", "GET", "GET", "GET"]


@pytest.mark.parametrize(
    "answer",
    [
        HTML,
        (200, "application/json", '{"hello": "world"}'),
        (200, "application/json", '[{"id": 1}]'),
        (200, "application/json", "[7]"),
        (301, "text/html", ""),
        (404, "text/html", "nothing here"),
        (404, "application/json", '["nothing"]'),
    ],
)
def test_what_is_not_the_api_is_told_apart(misbehaviour: Misbehaviour, answer: tuple[int, str, str]) -> None:
    misbehaviour.answers = [answer]
    assert failure(ApiClient(misbehaviour.url).list_products).failure is Failure.NOT_THE_API


def test_cookies_of_one_visitor_are_not_sent_for_another(misbehaviour: Misbehaviour) -> None:
    misbehaviour.answers = [EMPTY_LIST]
    client = ApiClient(misbehaviour.url)
    client.list_products()
    client.list_products()
    assert misbehaviour.requests == ["GET", "GET"]
    assert misbehaviour.cookies == []
