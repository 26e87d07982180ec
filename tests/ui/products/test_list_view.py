"""A view of the list and its address: what one says, the other says too."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import streamlit as st
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from app.ui.client.api_models import CATEGORIES
from app.ui.products.list_view import COLUMNS, LONGEST, SIZES, ListView

ORDERS = [minus + column for column in COLUMNS for minus in ("", "-")]
PARAMETERS = list(ListView().parameters())
address = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it is set anew in each example


def texts(longest: int) -> some.SearchStrategy[str]:
    letters = some.characters(exclude_categories=["Cs"])  # half a character has no place in an address
    return some.text(letters, max_size=longest).map(str.strip)


VIEWS = some.builds(
    ListView,
    q=texts(LONGEST["q"]),
    categoria=some.sets(some.sampled_from(CATEGORIES)).map(lambda chosen: tuple(c for c in CATEGORIES if c in chosen)),
    price_min=some.none() | some.decimals(0, Decimal("9999999999.99"), places=2),
    price_max=some.none() | some.decimals(0, Decimal("9999999999.99"), places=2),
    email_fornecedor=texts(LONGEST["email_fornecedor"]),
    created_from=some.none() | some.dates(date(1900, 1, 1), date(9998, 12, 31)),
    created_to=some.none() | some.dates(date(1900, 1, 1), date(9998, 12, 31)),
    sort=some.sampled_from(ORDERS),
    limit=some.sampled_from(SIZES),
    after=texts(300),
    before=texts(300),
)


@pytest.fixture(autouse=True)
def empty_address() -> Iterator[None]:
    """An address without parameters, outside of any page."""
    st.query_params.clear()
    yield
    st.query_params.clear()


def asked(parameters: Mapping[str, str | list[str]]) -> ListView:
    st.query_params.from_dict(parameters)
    return ListView.from_query_params()


@address
@given(VIEWS)
def test_the_address_of_a_view_leads_to_that_view(view: ListView) -> None:
    st.query_params.clear()
    view.go(after=view.after, before=view.before, start=view.start)
    assert ListView.from_query_params() == view


@address
@given(some.dictionaries(some.sampled_from(PARAMETERS), some.lists(texts(30) | some.decimals().map(str), max_size=3)))
def test_any_address_leads_to_a_view_that_can_be(parameters: dict[str, list[str]]) -> None:
    view = asked(parameters)
    view.go(after=view.after, before=view.before, start=view.start)
    assert ListView.from_query_params() == view
    assert view.filter(ZoneInfo("America/Sao_Paulo")).parameters().keys() <= {
        *PARAMETERS,
        "created_after",
        "created_before",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price_min", "cheap"),
        ("price_min", "NaN"),
        ("price_min", "Infinity"),
        ("price_min", "-1"),
        ("price_max", "1.999"),
        ("price_max", "10000000000"),
        ("price_max", "1e999999"),
        ("created_from", "yesterday"),
        ("created_from", "2026-02-30"),
        ("created_to", "9999-12-31"),
        ("categoria", "Carros"),
        ("sort", "evil"),
        ("sort", "--price"),
        ("limit", "7"),
        ("limit", "-50"),
        ("q", " "),
        ("q", "x" * 201),
        ("email_fornecedor", "x" * 255),
    ],
)
def test_a_value_that_cannot_be_is_as_if_it_were_not_there(name: str, value: str) -> None:
    assert asked({name: value, "after": "here"}) == ListView(after="here")


def test_of_a_value_that_is_there_twice_the_last_one_counts() -> None:
    assert asked({"q": ["a", "b"], "limit": ["25", "100"]}) == ListView(q="b", limit=100)


def test_a_usual_view_has_an_empty_address() -> None:
    assert not any(ListView().parameters().values())


def test_another_view_begins_with_its_first_page() -> None:
    asked({"q": "mesa", "after": "here"}).go(sort="price")
    assert ListView.from_query_params() == ListView(q="mesa", sort="price")


@pytest.mark.parametrize(
    ("zone", "day", "midnight"),
    [
        ("UTC", date(2026, 11, 24), datetime(2026, 11, 24, tzinfo=UTC)),
        ("America/Sao_Paulo", date(2026, 11, 24), datetime(2026, 11, 24, 3, tzinfo=UTC)),
        ("America/Sao_Paulo", date(1900, 1, 1), datetime(1900, 1, 1, 3, 6, 28, tzinfo=UTC)),
    ],
)
def test_days_begin_and_end_by_the_readers_clock(zone: str, day: date, midnight: datetime) -> None:
    chosen = ListView(created_from=day, created_to=day).filter(ZoneInfo(zone))
    assert chosen.created_after == midnight
    assert chosen.created_before is not None
    assert chosen.created_before.date() > midnight.date()
    assert chosen.parameters()["created_after"] == midnight.isoformat()


def test_order_and_place_leave_nothing_out() -> None:
    view = ListView(sort="price", limit=25, after="here")
    assert not view.is_filtered
    assert view.shows_the_same_products_as(ListView())
    assert ListView(price_min=Decimal(0)).is_filtered
