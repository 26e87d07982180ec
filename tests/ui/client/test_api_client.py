"""The UI's client against the real API, and against servers that fail in ways the real one does not."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from app.api.models import Categoria
from app.ui.client.api_client import ApiClient
from app.ui.client.api_models import CATEGORIES, EVERYTHING, ApiError, Chosen, Failure, Imported, ProductFilter
from testkit.server import free_port
from tests.ui.conftest import Misbehaviour

UNAVAILABLE = (503, "application/problem+json", json.dumps({"title": "t", "status": 503, "detail": "Not now."}))
EMPTY_LIST = (200, "application/json", "[]")
HTML = (200, "text/html", "<h1>Welcome</h1>")


def key() -> str:
    return uuid4().hex


def failure(call: Any, *arguments: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(*arguments)
    return caught.value


def test_a_product_is_created_read_changed_and_deleted(api_url: str, product: dict[str, Any]) -> None:
    client = ApiClient(api_url)
    created = client.create_product(product | {"price": Decimal("2899.90")}, key())
    assert created.name == product["name"]
    assert created.price == Decimal("2899.9")
    assert created.created_at.tzinfo is not None
    assert client.read_product(created.id) == created
    changes = {"description": None, "price": Decimal("9999999999.99")}
    changed = client.update_product(created.id, changes, version=created.version)
    assert changed.description is None
    assert changed.price == Decimal("9999999999.99")
    assert changed.name == created.name
    assert client.delete_product(created.id, version=changed.version) == changed
    assert client.list_products().products == ()


def test_the_list_leads_from_page_to_page(api_url: str, product: dict[str, Any]) -> None:
    client = ApiClient(api_url)
    for _ in range(3):
        client.create_product(product, key())
    first = client.list_products(limit=2)
    assert (len(first.products), first.before) == (2, None)
    second = client.list_products(limit=2, after=first.after)
    assert (len(second.products), second.after) == (1, None)
    assert client.list_products(limit=2, before=second.before).products == first.products


def test_the_list_is_filtered_sorted_and_counted(api_url: str, product: dict[str, Any]) -> None:
    client = ApiClient(api_url)
    names = ["Sofá", "Mesa", "Sofá-cama"]
    for name in names:
        client.create_product(product | {"name": name}, key())
    page = client.list_products(ProductFilter(q="sofa", categoria=(product["categoria"],)), sort="-name", count=True)
    assert [found.name for found in page.products] == ["Sofá-cama", "Sofá"]
    assert page.total is not None
    hour = timedelta(hours=1)
    created = page.products[0].created_at
    assert len(client.list_products(ProductFilter(created_after=created - hour)).products) == 3
    assert client.list_products(ProductFilter(created_before=created - hour)).products == ()


def test_many_products_are_deleted_or_none(api_url: str, product: dict[str, Any]) -> None:
    client = ApiClient(api_url)
    ids = [client.create_product(product, key()).id for number in range(3)]
    assert failure(client.delete_products, Chosen((*ids, 2147483647)), 4).status == 409
    assert client.delete_products(Chosen(tuple(ids[:2])), 2).count == 2
    assert [left.id for left in client.list_products().products] == ids[2:]


def test_a_file_is_exported_and_imported(api_url: str, product: dict[str, Any]) -> None:
    client = ApiClient(api_url)
    client.create_product(product, key())
    file = b"".join(client.export_products(EVERYTHING, sort="id", file_format="csv"))
    assert client.import_products([file], skip_refused=False) == Imported(created=1, refused=0, errors=())
    wrong = ["name,description,price,categoria,email_fornecedor\nMesa,x,0,Móveis,vendas@example.com\n".encode()]
    [error] = client.import_products(wrong, skip_refused=True).errors
    assert (error.field, error.code, error.line) == ("price", "greater_than", 2)
    refused = failure(lambda: client.import_products(wrong, skip_refused=False))
    assert (refused.status, refused.refused, refused.errors) == (422, 1, (error,))


FILE = "name,description,price,categoria,email_fornecedor\nMesa,x,1,Móveis,vendas@example.com\n".encode()


@contextmanager
def cutting(api_url: str) -> Iterator[str]:
    """A proxy that breaks off the first connection when the whole request has gone through it."""
    place = urlsplit(api_url)
    server = socket.create_server(("127.0.0.1", 0))

    def pass_on(source: socket.socket, sink: socket.socket, until: bytes | None) -> None:
        with suppress(OSError):
            while data := source.recv(2**16):
                sink.sendall(data)
                if until is not None and data.endswith(until):
                    source.shutdown(socket.SHUT_RDWR)
                    break

    def accept() -> None:
        until: bytes | None = b"0\r\n\r\n"
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                api = socket.create_connection((place.hostname, place.port))
                threading.Thread(target=pass_on, args=(client, api, until), daemon=True).start()
                threading.Thread(target=pass_on, args=(api, client, None), daemon=True).start()
                until = None

    threading.Thread(target=accept, daemon=True).start()
    with server:
        yield "http://{}:{}".format(*server.getsockname())


def test_an_import_whose_connection_breaks_is_found_by_its_key(api_url: str) -> None:
    with cutting(api_url) as address:
        client = ApiClient(address)
        name = key()
        assert client.import_products([FILE], skip_refused=False, key=name) == Imported(1, 0, ())
        assert client.import_products([FILE], skip_refused=False, key=name) == Imported(1, 0, ())
        found = client.find_import(name)
        assert found is not None
        assert (found.is_over, found.imported, found.error) == (True, Imported(1, 0, ()), None)
        assert client.find_import(key()) is None
        assert len(client.list_products().products) == 1


def test_an_import_that_was_refused_is_found_by_its_key(api_url: str) -> None:
    client, name = ApiClient(api_url), key()
    wrong = FILE.replace(b",1,", b",0,")
    refused = failure(lambda: client.import_products([wrong], skip_refused=False, key=name))
    found = client.find_import(name)
    assert found is not None
    assert found.error is not None
    assert (found.error.status, found.error.errors) == (refused.status, refused.errors)


def test_a_change_for_another_version_is_refused(api_url: str, product: dict[str, Any]) -> None:
    client = ApiClient(api_url)
    first = client.create_product(product, key())
    client.update_product(first.id, {"name": "De outra pessoa"}, version=first.version)
    assert failure(lambda: client.update_product(first.id, {"name": "x"}, version=first.version)).status == 412
    assert failure(lambda: client.delete_product(first.id, version=first.version)).status == 412


def test_an_unknown_product_is_refused_with_the_apis_sentence(api_url: str) -> None:
    client = ApiClient(api_url)
    for error in (
        failure(client.read_product, 1),
        failure(lambda: client.update_product(1, {"name": "x"}, version=1)),
        failure(lambda: client.delete_product(1, version=1)),
    ):
        assert (error.failure, error.status, error.detail) == (Failure.REFUSED, 404, "Product not found")


def test_wrong_fields_come_with_a_message_each(api_url: str) -> None:
    error = failure(ApiClient(api_url).create_product, {"name": " ", "price": Decimal(-1)}, key())
    assert error.status == 422
    assert {(wrong.field, wrong.code) for wrong in error.errors} == {
        ("name", "string_too_short"),
        ("price", "greater_than"),
        ("categoria", "missing"),
        ("email_fornecedor", "missing"),
    }


def test_the_form_offers_the_categories_the_api_accepts() -> None:
    assert list(CATEGORIES) == [categoria.value for categoria in Categoria]


def test_a_closed_port_is_unreachable_and_nothing_was_done(product: dict[str, Any]) -> None:
    client = ApiClient(f"http://127.0.0.1:{free_port()}")
    for error in (failure(client.list_products), failure(client.create_product, product, key())):
        assert error.failure is Failure.UNREACHABLE
        assert not error.outcome_unknown


def test_a_host_that_does_not_exist_is_unreachable() -> None:
    assert failure(ApiClient("http://api.invalid:8000").list_products).failure is Failure.UNREACHABLE


def test_a_slow_answer_is_given_up_on(misbehaviour: Misbehaviour, product: dict[str, Any]) -> None:
    misbehaviour.answers, misbehaviour.delay = [EMPTY_LIST], 30
    client = ApiClient(misbehaviour.url, timeout=(1, 0.2))
    reading, writing = failure(client.list_products), failure(client.create_product, product, key())
    assert reading.failure is writing.failure is Failure.TIMEOUT
    assert not reading.outcome_unknown
    assert writing.outcome_unknown
    assert misbehaviour.requests == ["GET", "POST"]


def test_a_connection_that_breaks_leaves_the_outcome_of_a_change_open(misbehaviour: Misbehaviour) -> None:
    misbehaviour.answers = [None]
    error = failure(lambda: ApiClient(misbehaviour.url).delete_product(1, version=1))
    assert error.failure is Failure.INTERRUPTED
    assert error.outcome_unknown
    assert misbehaviour.requests == ["DELETE"]


def test_reading_and_a_create_are_tried_again_and_a_change_is_not(
    misbehaviour: Misbehaviour, product: dict[str, Any]
) -> None:
    client = ApiClient(misbehaviour.url)
    misbehaviour.answers = [UNAVAILABLE, EMPTY_LIST]
    assert client.list_products().products == ()
    misbehaviour.answers = [UNAVAILABLE]
    assert failure(lambda: client.update_product(1, {"price": Decimal(1)}, version=1)).detail == "Not now."
    assert failure(client.list_products).detail == "Not now."
    assert failure(client.create_product, product, key()).detail == "Not now."
    misbehaviour.answers = [None]
    assert failure(client.create_product, product, key()).failure is Failure.INTERRUPTED
    assert misbehaviour.requests == ["GET"] * 2 + ["PATCH"] + ["GET"] * 3 + ["POST"] * 6


@pytest.mark.parametrize(
    "answer",
    [
        HTML,
        (200, "application/json", '{"hello": "world"}'),
        (200, "application/json", '[{"id": 1}]'),
        (200, "application/json", "[7]"),
        (301, "text/html", ""),
        (404, "text/html", "nothing here"),
        (403, "text/html", "<h1>403 Forbidden</h1>"),  # of a web application firewall
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
