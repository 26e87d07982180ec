"""At a million products no request reads the whole table: the plans that PostgreSQL makes for it are looked at."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, Connection, event

from app.api.database import IN_ORDER, Database
from app.api.exports import ExportQuery, export
from app.api.listing import Sort
from app.api.main import create_app
from app.api.prepared import Parameters, Prepared, Row
from app.api.settings import Settings
from testkit.database import API_ROLE
from testkit.lists import MONTH, REQUESTS

Json = dict[str, Any]
MOST = 100_000  # products that may be looked at for one page: a tenth of all, as a month's are
SUPPLIER = "atacado.recife@fornecedores.example.com"
FILTERS: list[Json] = [
    {"categoria": "Roupas"},
    {"categoria": ["Roupas", "Móveis"]},
    {"price_min": 2000},
    {"price_max": 20},
    {"created_after": "2026-10-30T00:00:00Z"},
    {"created_before": "2025-11-02T00:00:00Z"},
    {"email_fornecedor": SUPPLIER},
    {"email_fornecedor": "ninguem@fornecedores.example.com"},
    {"q": "garantia"},
    {"q": "xilofone"},
    {"q": "500000"},
    {"q": SUPPLIER},
    {"q": "ninguem@"},
]
COMBINATIONS: list[Json] = [
    {"created_before": "2025-11-02T00:00:00Z", "sort": "-price"},
    {**MONTH, "sort": "-email_fornecedor"},
    {"price_min": 100, "sort": "-created_at"},
    {"price_max": 20, "sort": "name"},
    {"price_min": 10_000, "sort": "categoria"},
    {"categoria": "Roupas", "sort": "-updated_at"},
    {"categoria": "Roupas", "price_min": 5000},
    {"categoria": ["Roupas", "Móveis"], "price_min": 100, "price_max": 500, "q": "jeans carvalho", "sort": "name"},
    {"email_fornecedor": SUPPLIER, "price_min": 100, "price_max": 101, "sort": "-updated_at"},
    {"q": "a", "sort": "-id"},
    {"q": "garantia", "sort": "name"},
    {"q": "garantia frete", "sort": "price"},
    {"q": "xilofone garantia", "sort": "-description"},
    {"q": "xilofone", "categoria": "Roupas", "sort": "-price"},
    {"q": "colecionador", "sort": "-price"},
    {"q": "colecionador", "sort": "name", "limit": 200},
    {"before": "", "sort": "-price"},
    {"before": "", "q": "xilofone"},
]
# Without a filter, count=exact has every product to count, and so has the summary, which is why it is a snapshot.
COUNTS: list[Json] = [
    {"count": "estimated"},
    {"count": "estimated", "q": "garantia"},
    {"count": "estimated", "q": "colecionador"},
    {"count": "exact", "q": "colecionador"},
    {"count": "exact", **MONTH},
    {"count": "exact", "email_fornecedor": SUPPLIER},
]
LISTS = [
    *({"sort": sort} for sort in get_args(Sort)),
    *FILTERS,
    *(parameters for parameters in REQUESTS.values() if len(parameters) > 1),
    *COMBINATIONS,
    *COUNTS,
]


@pytest.fixture(scope="module")
def million(million_products_url: URL) -> Iterator[TestClient]:
    """A client of an API with a million products."""
    url = million_products_url.set(username=API_ROLE).render_as_string(hide_password=False)
    with TestClient(create_app(Settings(database_url=url))) as client:
        yield client


def scans(client: TestClient, work: Callable[[], Any]) -> tuple[Any, list[Json]]:
    """Do the work; return what it gave, and how the queries it sent read the table of products."""
    database: Database = client.app.state.resources.database  # type: ignore[attr-defined]
    engine, rows = database.engine, database.rows
    sent: list[tuple[str, Any]] = []
    prepared: list[tuple[Prepared, Parameters]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, context: Any, _many: bool) -> None:
        in_pieces = context is not None and context.execution_options.get("yield_per")
        sent.append((f"DECLARE pieces CURSOR FOR {statement}" if in_pieces else statement, values))

    async def note_prepared(statement: Prepared, parameters: Parameters) -> Sequence[Row]:
        prepared.append((statement, parameters))
        return await rows(statement, parameters)

    event.listen(engine, "before_cursor_execute", note)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(database, "rows", note_prepared)
            given = work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        for setting in (s for s, _ in sent if s.startswith("SET LOCAL enable_")):
            connection.exec_driver_sql(setting.replace("LOCAL ", ""))
        # SET has no plan, and a query that the API has explained to it, for an estimate, is not run.
        plans = [_plan(connection, s, v) for s, v in sent if not s.startswith(("SET", "EXPLAIN"))]
        connection.exec_driver_sql("RESET ALL")
        plans += [_kept_plan(connection, statement, parameters) for statement, parameters in prepared]
    assert plans or any(statement.startswith("EXPLAIN") for statement, _ in sent)
    return given, [scan for plan in plans for scan in _scans(plan)]


def _plan(connection: Connection, statement: str, values: Any) -> Json:
    how = "ANALYZE, FORMAT JSON" if statement.startswith(("SELECT", "WITH")) else "FORMAT JSON"  # else not run
    plan: Json = connection.exec_driver_sql(f"EXPLAIN ({how}) {statement}", values).scalar_one()[0]["Plan"]
    return plan


def _kept_plan(connection: Connection, statement: Prepared, parameters: Parameters) -> Json:
    """Return the plan that is kept for a prepared statement, whatever its values, and what these made it read."""
    values = statement.values(parameters)
    placeholders = f"({', '.join(['%s'] * len(values))})" if values else ""
    for name, value in {**IN_ORDER, "plan_cache_mode": "force_generic_plan"}.items():
        connection.exec_driver_sql(f"SET {name} = {value}")
    try:
        connection.exec_driver_sql(f"PREPARE kept AS {statement.sql.replace('%', '%%')}")
        how = "FORMAT JSON" if statement.changes else "ANALYZE, FORMAT JSON"  # a change is not made
        explain = f"EXPLAIN ({how}) EXECUTE kept {placeholders}"
        plan: Json = connection.exec_driver_sql(explain, tuple(values)).scalar_one()[0]["Plan"]
    finally:
        connection.exec_driver_sql("DEALLOCATE ALL")
        connection.exec_driver_sql("RESET ALL")
    return plan


def _scans(plan: Json) -> list[Json]:
    here = [plan] if plan.get("Relation Name") == "products" and plan["Node Type"] != "ModifyTable" else []
    return here + [scan for inner in plan.get("Plans", []) for scan in _scans(inner)]


def assert_few_are_read(found: list[Json]) -> None:
    assert [scan for scan in found if scan["Node Type"] == "Seq Scan"] == []
    for scan in found:
        # An index that is read from end to end is no better.
        read = sum(scan.get(of, 0) for of in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"))
        assert read * scan.get("Actual Loops", 1) <= MOST, scan


@pytest.mark.parametrize("parameters", LISTS, ids=str)
def test_no_page_of_a_list_reads_the_whole_table(million: TestClient, parameters: Json) -> None:
    response, found = scans(million, lambda: million.get("/products/", params=parameters))
    assert response.status_code == 200, response.text
    assert_few_are_read(found)
    for relation in ("next", "prev"):  # there, and back again
        if relation in response.links:
            url = response.links[relation]["url"]
            response, found = scans(million, partial(million.get, url))
            assert response.status_code == 200, response.text
            assert_few_are_read(found)


@pytest.mark.parametrize("sort", get_args(Sort))
@pytest.mark.parametrize("others", [{}, {"price_min": 100}], ids=str)
def test_no_page_deep_in_an_order_reads_the_whole_table(million: TestClient, sort: str, others: Json) -> None:
    start = million.get("/products/", params={"sort": sort, "limit": 1, "created_after": "2026-05-01T00:00:00Z"})
    place = parse_qs(urlsplit(start.links["next"]["url"]).query)["after"]
    for direction in ("after", "before"):
        query = {"sort": sort, direction: place, **others}
        response, found = scans(million, partial(million.get, "/products/", params=query))
        assert response.status_code == 200, response.text
        assert_few_are_read(found)


@pytest.mark.parametrize("typed", ["garamtia", "colecionadro", "xgaramtia"])
def test_near_spellings_are_found_by_the_index_of_the_search(million: TestClient, typed: str) -> None:
    response, found = scans(million, partial(million.get, "/products/suggestions", params={"q": typed}))
    assert bool(response.json()["suggestions"]) is (typed != "xgaramtia")
    assert_few_are_read(found)


def test_a_history_reads_one_product(million: TestClient) -> None:
    response, found = scans(million, partial(million.get, "/products/500000/history"))
    assert [entry["action"] for entry in response.json()] == ["created"]
    assert [scan["Node Type"] for scan in found] == ["Index Scan"]


def test_one_product_is_found_by_its_key(million: TestClient) -> None:
    _, found = scans(million, lambda: million.get("/products/500000"))
    assert [scan["Node Type"] for scan in found] == ["Index Scan"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("headers", [{}, {"if-match": '"7"'}], ids=str)
def test_a_change_finds_its_product_by_the_key(million: TestClient, method: str, headers: Json) -> None:
    product_id = 500_000 if headers else 2_000_000  # not there, or another version: nothing is changed
    body: Json = {} if method == "DELETE" else {"json": {"price": 7}}
    response, found = scans(
        million, lambda: million.request(method, f"/products/{product_id}", headers=headers, **body)
    )
    assert response.status_code == (412 if headers else 404), response.text
    assert {scan["Node Type"] for scan in found} == {"Index Scan"}
    assert_few_are_read(found)


@pytest.mark.parametrize(
    "query", [{"id": list(range(1, 500_000, 500))}, {"id": [1, 2], "q": "garantia"}, {"q": "colecionador"}], ids=str
)
@pytest.mark.parametrize("confirm", [{}, {"confirm": 5000}], ids=str)  # of which none is true: nothing is deleted
def test_what_is_to_be_deleted_is_found_by_an_index(million: TestClient, query: Json, confirm: Json) -> None:
    response, found = scans(million, lambda: million.delete("/products/", params=query | confirm))
    assert response.status_code == (409 if confirm else 422), response.text
    assert "Nothing was deleted" in response.json()["detail"]
    assert_few_are_read(found)


@pytest.mark.parametrize("query", [*({"sort": sort} for sort in get_args(Sort)), *FILTERS], ids=str)
def test_an_export_begins_without_having_read_the_whole_table(million: TestClient, query: Json) -> None:
    def begin() -> None:
        pieces = export(million.app.state.resources.database.engine, ExportQuery.model_validate(query))  # type: ignore[attr-defined]
        assert next(pieces).startswith(b"id,name,")
        next(pieces, b"")
        pieces.close()

    query = query | ({"categoria": [query["categoria"]]} if isinstance(query.get("categoria"), str) else {})
    _, found = scans(million, begin)
    assert [scan for scan in found if scan["Node Type"] == "Seq Scan"] == []
    assert found
