"""The list: filters, orders, search and pages, the same on PostgreSQL and on SQLite."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api import pages as pages_module
from tests.api.conftest import Json, created, field_errors

COLUMNS = ("id", "name", "description", "price", "categoria", "email_fornecedor", "created_at", "updated_at")
SHOP: list[Json] = [
    {"name": "Geladeira Frost-Free", "description": "Inox, 220 V", "price": 2899.9, "categoria": "Eletrodoméstico"},
    {"name": "Água-viva de pelúcia", "description": None, "price": 49.5, "categoria": "Móveis"},
    {"name": "agua sanitária", "description": "Geladeiras não incluídas", "price": 49.5, "categoria": "Móveis"},
    {"name": "Sofá-cama", "description": "Ação de Natal: 10x sem juros", "price": 1500, "categoria": "Móveis"},
    {"name": "Tênis de corrida", "description": "", "price": 320.01, "categoria": "Calçados"},
    {"name": "Calça jeans", "description": "R$ 100 de desconto", "price": 100, "categoria": "Roupas"},
]


@pytest.fixture
def shop(client: TestClient, product: Json) -> list[Json]:
    """The products above, each of one supplier of two."""
    suppliers = ("a@fornecedor.example.com", "b@fornecedor.example.com")
    return [created(client, product, **p, email_fornecedor=suppliers[n % 2]) for n, p in enumerate(SHOP)]


def pages(client: TestClient, relation: str = "next", **query: Any) -> list[list[Json]]:
    response = client.get("/products/", params=query)
    found = []
    while True:
        assert response.status_code == 200, response.text
        found.append(response.json())
        if relation not in response.links:
            return found
        response = client.get(response.links[relation]["url"])


def names(client: TestClient, **query: Any) -> list[str]:
    response = client.get("/products/", params=query)
    assert response.status_code == 200, response.text
    return [p["name"] for p in response.json()]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("minus", ["", "-"])
def test_every_column_sorts_both_ways_over_pages(client: TestClient, shop: list[Json], column: str, minus: str) -> None:
    whole = client.get("/products/", params={"sort": minus + column}).json()
    assert sorted(p["id"] for p in whole) == [p["id"] for p in shop]
    two_by_two = pages(client, sort=minus + column, limit=2)
    assert [p for page in two_by_two for p in page] == whole
    assert [len(page) for page in two_by_two] == [2, 2, 2]
    if column not in ("name", "description"):
        pairs = [((a[column], a["id"]), (b[column], b["id"])) for a, b in pairwise(whole)]
        assert all(a > b if minus else a < b for a, b in pairs)


@pytest.mark.parametrize("sort", ["id", "-price", "name"])
def test_the_last_page_is_asked_for_by_an_empty_place(client: TestClient, shop: list[Json], sort: str) -> None:
    whole = client.get("/products/", params={"sort": sort}).json()
    last = client.get("/products/", params={"sort": sort, "limit": 4, "before": ""})
    assert last.json() == whole[-4:]
    assert set(last.links) == {"prev"}
    assert [p for page in pages(client, "prev", sort=sort, limit=4, before="")[::-1] for p in page] == whole
    assert client.get("/products/", params={"before": "", "q": "xilofone"}).links == {}


def test_a_search_finds_a_code(client: TestClient, shop: list[Json]) -> None:
    assert names(client, q=str(shop[3]["id"])) == ["Sofá-cama"]
    assert names(client, q=f" {shop[3]['id']} ", categoria="Roupas") == []
    both = created(client, shop[0] | {"name": f"Mesa {shop[3]['id']}"})
    assert [p["id"] for p in client.get("/products/", params={"q": str(shop[3]["id"])}).json()] == [
        shop[3]["id"],
        both["id"],
    ]
    assert names(client, q=str(2**31)) == []
    assert names(client, q="9" * 200) == []


@pytest.mark.parametrize("typed", ["a@fornecedor.example.com", "a@f", "a@FORNECEDOR", " a@fornecedor.ex "])
def test_a_search_finds_the_beginning_of_a_suppliers_address(client: TestClient, shop: list[Json], typed: str) -> None:
    assert [p["id"] for p in client.get("/products/", params={"q": typed}).json()] == [p["id"] for p in shop[::2]]
    assert client.get("/products/", params={"q": typed, "count": "exact"}).headers["X-Total-Count"] == "3"


def test_text_sorts_without_accents_and_case(client: TestClient, shop: list[Json]) -> None:
    assert names(client, sort="name") == [
        "agua sanitária",
        "Água-viva de pelúcia",
        "Calça jeans",
        "Geladeira Frost-Free",
        "Sofá-cama",
        "Tênis de corrida",
    ]


@pytest.mark.parametrize("sort", ["id", "-price", "name", "-created_at"])
def test_the_way_back_shows_the_same_pages(client: TestClient, shop: list[Json], sort: str) -> None:
    forth = client.get("/products/", params={"sort": sort, "limit": 2})
    assert "prev" not in forth.links
    second = client.get(forth.links["next"]["url"])
    third = client.get(second.links["next"]["url"])
    assert "next" not in third.links
    back = client.get(third.links["prev"]["url"])
    assert back.json() == second.json()
    first = client.get(back.links["prev"]["url"])
    assert first.json() == forth.json()
    assert "prev" not in first.links
    assert client.get(first.links["next"]["url"]).json() == second.json()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"categoria": ["Roupas", "Calçados"]}, {4, 5}),
        ({"price_min": 100, "price_max": 1500}, {3, 4, 5}),
        ({"price_max": 49.5}, {1, 2}),
        ({"email_fornecedor": "a@fornecedor.example.com"}, {0, 2, 4}),
        ({"categoria": "Móveis", "price_min": 50}, {3}),
        ({"q": "AGUA"}, {1, 2}),
        ({"q": "geladeira"}, {0, 2}),  # the second by its stem
        ({"q": "gela"}, {0, 2}),
        ({"q": "frost free"}, {0}),
        ({"q": "acao nat"}, {3}),
        ({"q": "geladeira sofa"}, set()),
        ({"q": "eladeira"}, set()),
        ({"q": "100"}, {5}),
        ({"q": "'|&!:* natal"}, {3}),
        ({"q": "agua", "sort": "-name", "categoria": "Móveis"}, {1, 2}),
        ({"created_after": "2020-01-01T00:00:00Z", "created_before": "2020-01-02T00:00:00-03:00"}, set()),
        ({"created_after": "2020-01-01T00:00:00Z"}, {0, 1, 2, 3, 4, 5}),
    ],
)
def test_filters_and_search_combine(client: TestClient, shop: list[Json], query: Json, expected: set[int]) -> None:
    found = client.get("/products/", params=query)
    assert {p["id"] for p in found.json()} == {shop[n]["id"] for n in expected}
    assert {p["id"] for page in pages(client, limit=1, **query) for p in page} == {shop[n]["id"] for n in expected}


def test_created_after_takes_the_moment_itself_and_created_before_does_not(
    client: TestClient, shop: list[Json]
) -> None:
    moment = shop[3]["created_at"]
    from_then = client.get("/products/", params={"created_after": moment}).json()
    before = client.get("/products/", params={"created_before": moment}).json()
    assert shop[3] in from_then
    assert shop[3] not in before
    assert len(from_then) + len(before) == len(shop)


def test_the_total_comes_on_request_and_says_what_it_is(client: TestClient, shop: list[Json]) -> None:
    assert "x-total-count" not in client.get("/products/").headers
    exact = client.get("/products/", params={"count": "exact", "categoria": "Móveis", "limit": 1}).headers
    assert (exact["x-total-count"], exact["x-total-count-kind"]) == ("3", "exact")
    few = client.get("/products/", params={"count": "estimated", "q": "agua", "price_min": "0.5"}).headers
    assert (few["x-total-count"], few["x-total-count-kind"]) == ("2", "exact")


def test_every_problem_of_a_query_is_told_at_once(client: TestClient) -> None:
    query = (
        "limit=0&sort=cor&categoria=Brinquedos&price_min=-1&price_max=x&created_after=2020-01-01T00:00:00"
        "&created_before=ontem&email_fornecedor=x&q=%20&count=1&cor=azul"
    )
    found = set(field_errors(client.get(f"/products/?{query}")))
    assert {field.split(".")[0] for field in found} == {part.split("=")[0] for part in query.split("&")}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("price_min=2&price_max=1", "price_max"),
        ("created_after=2020-01-02T00:00:00Z&created_before=2020-01-02T00:00:00Z", "created_before"),
        ("created_after=2020-01-01T00:00:00%2B16:00", None),  # which PostgreSQL knows no offset of
        ("created_after=2020-01-01T00:00:00-23:59", None),
        ("created_before=0001-01-01T00:00:00%2B01:00", "created_before"),
        ("created_after=0.5", "created_after"),
        ("price_min=NaN", "price_min"),
        ("price_min=1e99", "price_min"),
        ("q=a%00%00", None),
        ("q=%F0%9F%98%80", None),
        ("q=...", "q"),
        ("after=WyJpZCIsIjEiLDFd", None),
        ("after=WyJpZCIsIjEiLDFd&sort=-id", "after"),
        ("after=WyJpZCIsIjEiLDFd&before=WyJpZCIsIjEiLDFd", "before"),
        ("after=WyJpZCIsIjEiLDk5OTk5OTk5OTk5OTk5XQ", "after"),
        ("after=W10", "after"),
        ("after=%C3%A9", "after"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(client: TestClient, query: str, field: str | None) -> None:
    response = client.get(f"/products/?{query}")
    if field is None:
        assert response.status_code == 200, response.text
    else:
        assert list(field_errors(response)) == [field]


def test_a_cursor_of_any_position_is_a_page_or_a_problem(client: TestClient, shop: list[Json]) -> None:
    from app.api.cursor import encode

    values: tuple[str, ...] = ("", "1", "-1", "1e400", "NaN", "Infinity", "é\0", "Roupas", "2020-01-01")
    values += ("9999-12-31T23:59:59+00:00", "2020-01-01T00:00:00+23:59", "0001-01-01T00:00:00+01:00")
    for column in COLUMNS:
        for value in values:
            response = client.get("/products/", params={"sort": column, "after": encode(column, (value, 1))})
            assert response.status_code in (200, 422), (column, value, response.text)


moves = st.lists(st.tuples(st.sampled_from(["add", "delete", "change"]), st.integers(0, 30)), max_size=4)
FILTERS: list[tuple[Json, Callable[[Json], bool]]] = [
    ({}, lambda _: True),
    ({"price_min": 2}, lambda p: p["price"] >= 2),
    ({"q": "par"}, lambda p: p["name"] == "Par"),
    ({"categoria": "Roupas", "price_max": 3}, lambda p: p["categoria"] == "Roupas" and p["price"] <= 3),
]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.lists(st.integers(0, 7), min_size=1, max_size=16),
    between=st.lists(moves, max_size=16),
    limit=st.integers(1, 4),
    sort=st.sampled_from([minus + column for column in COLUMNS for minus in ("", "-")]),
    filtered=st.sampled_from(FILTERS),
    stretch=st.integers(0, 8),
    collected=st.sampled_from([0, 100]),
)
def test_pages_show_once_and_in_order_what_stays_while_products_come_go_and_change(
    client: TestClient,
    product: Json,
    start: list[int],
    between: list[Any],
    limit: int,
    sort: str,
    filtered: tuple[Json, Callable[[Json], bool]],
    stretch: int,
    collected: int,
) -> None:
    def add(number: int) -> Json:
        name, categoria = "Par" if number % 2 else "Impar", "Roupas" if number % 3 else "Móveis"
        return created(client, product, name=name, categoria=categoria, price=1 + number // 2)

    def move(kind: str, number: int) -> None:
        if kind == "add":
            there.append(add(number)["id"])
        elif there:
            moved = there[number % len(there)]
            unmoved.pop(moved, None)
            if kind == "change":
                changed.add(moved)
                assert client.patch(f"/products/{moved}", json={"price": 1 + number % 4, "name": "Par"}).is_success
            else:
                there.remove(moved)
                assert client.delete(f"/products/{moved}").is_success

    def visit(response: Any, relation: str) -> tuple[Any, list[list[int]]]:
        """Go from page to page while products move; return the last answer, and the ids on every page."""
        visited = []
        while True:
            assert response.status_code == 200, response.text
            visited.append([p["id"] for p in response.json()])
            assert len(visited[-1]) <= limit
            for kind, number in between.pop() if between else []:
                move(kind, number)
            if relation not in response.links:
                return response, visited
            response = client.get(response.links[relation]["url"])

    def check(visited: list[list[int]]) -> None:
        seen = [n for page in visited for n in page]
        column = sort.removeprefix("-")
        matching = sorted(filter(meets, unmoved.values()), key=lambda p: (p[column], p["id"]))
        if sort.startswith("-"):
            matching.reverse()
        assert [n for n in seen if n in unmoved] == [p["id"] for p in matching]
        once = [n for n in seen if n not in changed]
        assert len(once) == len(set(once))

    client.delete("/products/", params={"confirm": len(client.get("/products/", params={"limit": 200}).json())})
    query, meets = filtered
    unmoved = {p["id"]: p for p in map(add, start)}
    there, changed = list(unmoved), set[int]()
    with pytest.MonkeyPatch.context() as sizes:  # as if the products were very many
        for name, size in {"STRETCH": stretch, "STRETCH_PAGES": 0, "COLLECTED": collected}.items():
            sizes.setattr(pages_module, name, size)
        last, forth = visit(client.get("/products/", params={"limit": limit, "sort": sort, **query}), "next")
        check(forth)
        if "prev" in last.links:
            _, back = visit(client.get(last.links["prev"]["url"]), "prev")
            check([*reversed(back), forth[-1]])
