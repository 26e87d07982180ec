"""Imports that change products: found by id, name or supplier, previewed, all or nothing, and undone as a whole."""

import csv
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL

from tests.api.conftest import Json, connection, created, problem
from tests.api.serving import serving
from tests.api.test_import import CSV, HEADER, JSONL, SOFA, listed, outcome, send

ROWS = 300


def exported(client: Any) -> list[dict[str, str]]:
    """The rows of an export, to be changed as in a spreadsheet."""
    content = client.get("/products/export").content.decode()
    return list(csv.DictReader(io.StringIO(content, newline="")))


def written(rows: list[dict[str, Any]]) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def preview(client: Any, content: str | bytes, media_type: str = CSV, **query: str) -> Json:
    body = content.encode() if isinstance(content, str) else content
    answer = client.post("/products/import/preview", content=body, params=query, headers={"content-type": media_type})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def counts(found: Json) -> tuple[int, int, int, int, int]:
    return found["new"], found["changed"], found["same"], found["repeated"], found["refused"]


def undone(client: Any, answer: Any) -> Json:
    response = client.post(f"{answer.headers['location']}/undo")
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


@pytest.fixture
def catalogue(client: TestClient, product: Json) -> list[Json]:
    """Three products with ids."""
    return [
        created(client, product, name=name, price=price) for name, price in (("Mesa", 10), ("Sofá", 20), ("Pia", 3))
    ]


def test_an_export_changed_in_a_spreadsheet_changes_products_and_creates_none_twice(
    client: TestClient, catalogue: list[Json]
) -> None:
    rows = exported(client)
    assert preview(client, written(rows), match="id")["same"] == 3
    rows[0] |= {"price": "12.50", "description": ""}
    new = dict.fromkeys(rows[0], "") | {
        "name": "Banco",
        "price": "5",
        "categoria": "Móveis",
        "email_fornecedor": "a@b.co",
    }
    wrong = rows[1] | {"id": "999999"}
    content = written([*rows, new, wrong])

    found = preview(client, content, match="id")
    assert counts(found) == (1, 1, 2, 0, 1)
    [change] = found["changes"]
    assert (change["line"], change["id"], change["version"], change["name"]) == (2, catalogue[0]["id"], 1, "Mesa")
    assert change["before"] == {"description": catalogue[0]["description"], "price": 10}
    assert change["after"] == {"description": None, "price": 12.5}
    assert [(e["line"], e["field"], e["code"]) for e in found["errors"]] == [(6, "id", "unknown_id")]
    assert listed(client) == catalogue

    assert problem(send(client, content, match="id"), 422)["refused"] == 1
    assert listed(client) == catalogue
    answer = send(client, content, match="id", on_error="skip", confirm=found["confirm"]).json()
    assert answer == outcome(created=1, updated=1, unchanged=2, refused=1, errors=found["errors"])
    mesa, sofa, pia, banco = listed(client)
    assert (mesa["price"], mesa["description"], mesa["version"]) == (12.5, None, 2)
    assert [sofa, pia] == catalogue[1:]
    assert banco["name"] == "Banco"
    again = preview(client, content, match="id")
    assert (again["changed"], again["same"], again["new"]) == (0, 3, 1)


def test_a_row_that_was_exported_before_somebody_changed_its_product_is_refused(
    client: TestClient, catalogue: list[Json]
) -> None:
    rows = exported(client)
    assert {row["version"] for row in rows} == {"1"}
    first, second, _ = (p["id"] for p in catalogue)
    assert client.patch(f"/products/{first}", json={"price": 99}).status_code == 200
    assert client.patch(f"/products/{second}", json={"price": 21}).status_code == 200
    rows[0]["price"], rows[1]["price"], rows[2]["price"] = "11", "21", "4"
    found = preview(client, written(rows), match="id")
    assert counts(found) == (0, 1, 1, 0, 1)  # the second says what it was changed to
    [error] = found["errors"]
    assert (error["line"], error["field"], error["code"]) == (2, "version", "stale_version")
    assert error["context"] == {"id": first, "version": 2, "given": 1}
    for row in rows:
        del row["version"]
    assert send(client, written(rows), match="id").json() == outcome(updated=2, unchanged=1)
    assert [p["price"] for p in listed(client)] == [11, 21, 4]


@pytest.mark.parametrize(("mode", "expected"), [("create", (1, 0, 1)), ("update", (0, 1, 1)), ("upsert", (1, 1, 0))])
def test_what_is_wanted_of_a_file_is_done_and_the_rest_left_out(
    client: TestClient, catalogue: list[Json], mode: str, expected: tuple[int, int, int]
) -> None:
    rows = exported(client)
    rows[0]["price"], rows[1]["id"] = "11", ""
    answer = send(client, written(rows), match="id", mode=mode).json()
    assert (answer["created"], answer["updated"], answer["left_out"], answer["unchanged"]) == (*expected, 1)


def test_products_are_found_by_name_and_supplier(client: TestClient, product: Json) -> None:
    ana, bia = (created(client, product, name="Sofá", email_fornecedor=f"{name}@x.com") for name in ("Ana", "bia"))
    row = {"name": " SOFA ", "price": "7", "categoria": "Móveis", "email_fornecedor": "BIA@x.com"}
    answer = send(client, written([row]), match="name_and_supplier").json()
    assert answer == outcome(updated=1)
    assert [(p["id"], p["name"], p["price"]) for p in listed(client)] == [
        (ana["id"], "Sofá", ana["price"]),
        (bia["id"], "SOFA", 7),
    ]
    found = preview(client, written([row]), match="name")
    assert [(e["code"], e["context"]) for e in found["errors"]] == [("ambiguous", {"candidates": 2})]
    other = preview(client, written([row | {"name": "Sofá-cama"}]), match="name")
    assert counts(other) == (1, 0, 0, 0, 0)


@pytest.mark.parametrize("media_type", [CSV, JSONL])
def test_what_a_file_says_twice_is_flagged(client: TestClient, catalogue: list[Json], media_type: str) -> None:
    mesa = {name: catalogue[0][name] for name in ("id", "name", "description", "categoria", "email_fornecedor")}
    rows = [mesa | {"price": price} for price in (1, 1, 2)] + [mesa | {"id": None, "price": 5}] * 2
    content = "\n".join(map(json.dumps, rows)) if media_type == JSONL else written(rows)
    header = 1 if media_type == CSV else 0
    found = preview(client, content, media_type, match="id")
    assert counts(found) == (1, 1, 0, 2, 1)
    assert found["repeated_lines"] == [header + 2, header + 5]
    [error] = found["errors"]
    assert (error["line"], error["code"], error["context"]) == (header + 3, "contradicts", {"line": header + 1})
    new = preview(client, content, media_type)
    assert (*counts(new), new["repeated_lines"]) == (5, 0, 0, 2, 0, [header + 2, header + 5])
    assert new["changes"] == []


def test_a_preview_without_match_says_what_is_there_already(client: TestClient, catalogue: list[Json]) -> None:
    rows = exported(client)
    rows[1]["price"] = "1"
    assert counts(preview(client, written(rows))) == (3, 0, 2, 0, 0)
    assert counts(preview(client, HEADER + SOFA + "x\n")) == (1, 0, 0, 0, 1)


def test_a_file_is_imported_only_as_it_was_previewed(client: TestClient, catalogue: list[Json]) -> None:
    rows = exported(client)
    rows[0]["price"] = "11"
    content = written(rows).replace("\nmesa", "\nMesa")
    seen = preview(client, content, match="id")["confirm"]
    assert seen == preview(client, content, match="id")["confirm"]
    client.delete(f"/products/{catalogue[2]['id']}")
    refused = send(client, content, match="id", on_error="skip", confirm=seen)
    assert "has changed" in problem(refused, 409)["detail"]
    assert listed(client) == catalogue[:2]
    seen = preview(client, content, match="id")["confirm"]
    assert send(client, content, match="id", on_error="skip", confirm=seen).json()["updated"] == 1
    other = preview(client, HEADER + SOFA)["confirm"]
    problem(send(client, HEADER + SOFA * 2, confirm=other), 409)
    assert send(client, HEADER + SOFA, confirm=other).json() == outcome(created=1)


@pytest.mark.parametrize(
    ("name", "value"), [("id", "x"), ("id", "0"), ("id", str(2**31)), ("version", "-1"), ("id", "1.0")]
)
def test_what_is_no_id_is_told(client: TestClient, name: str, value: str) -> None:
    row = {"name": "", "price": "7", "categoria": "Móveis", "email_fornecedor": "a@b.co", name: value}
    body = problem(send(client, written([row]), match="id"), 422)
    assert [(e["field"], e["code"]) for e in body["errors"]] == [(name, "int_parsing"), ("name", "string_too_short")]
    assert send(client, written([row | {"name": "a"}])).json() == outcome(created=1)  # without match, ids say nothing


def test_a_misspelt_wish_creates_nothing(client: TestClient) -> None:
    for query in ({"mach": "id"}, {"match": "price"}, {"match": "id", "mode": "delete"}):
        problem(send(client, HEADER + SOFA, **query), 422)
    assert listed(client) == []


def test_an_import_is_undone_as_a_whole(client: TestClient, catalogue: list[Json]) -> None:
    rows = exported(client)
    for row in rows:
        row["price"] = "77"
    new = rows[0] | {"id": "", "name": "Banco"}
    answer = send(client, written([*rows, new, new | {"name": "Cama"}]), match="id", file_name="preços.xlsx")
    assert answer.json() == outcome(created=2, updated=3)
    client.patch(f"/products/{catalogue[1]['id']}", json={"price": 78})
    state = undone(client, answer)
    assert (state["state"], state["undone"], state["result"]) == (
        "undone",
        {"deleted": 2, "restored": 2, "kept": 1},
        None,
    )
    assert state["file_name"] == "preços.xlsx"
    now = listed(client)
    assert [(p["name"], p["price"], p["version"]) for p in now] == [("Mesa", 10, 3), ("Sofá", 78, 3), ("Pia", 3, 3)]
    assert undone(client, answer) == state
    assert listed(client) == now


def test_what_was_deleted_after_an_import_stays_deleted_when_it_is_undone(client: TestClient) -> None:
    answer = send(client, HEADER + SOFA * 5)
    for gone in listed(client)[1:3]:
        client.delete(f"/products/{gone['id']}")
    assert undone(client, answer)["undone"] == {"deleted": 3, "restored": 0, "kept": 2}
    assert listed(client) == []
    again = send(client, HEADER + SOFA)
    assert again.json() == outcome(created=1)


def test_only_what_is_done_can_be_undone(client: TestClient) -> None:
    headers = {"content-type": CSV, "idempotency-key": "wrong"}
    client.post("/products/import", content=HEADER + "x", headers=headers)
    [found] = client.get("/products/imports").json()
    problem(client.post(f"/products/imports/{found['id']}/undo"), 409)
    problem(client.post("/products/imports/2f1c1b1e-6f0a-8b57-9d0c-0a5f3a2f8f11/undo"), 404)
    send(client, HEADER + SOFA)
    [newest, _] = client.get("/products/imports").json()
    with client.app.state.resources.database.engine.begin() as database:  # type: ignore[attr-defined]
        database.exec_driver_sql("DELETE FROM import_changes")  # as of an import by the version before
    problem(client.post(f"/products/imports/{newest['id']}/undo"), 409)
    assert len(listed(client)) == 1
    assert client.get(f"/products/imports/{newest['id']}").json()["state"] == "done"


def test_a_file_can_be_imported_again_with_its_key_after_it_was_undone(client: TestClient) -> None:
    headers = {"content-type": CSV, "idempotency-key": "again"}
    answer = client.post("/products/import", content=HEADER + SOFA, headers=headers)
    undone(client, answer)
    assert client.post("/products/import", content=HEADER + SOFA, headers=headers).json() == outcome(created=1)
    assert len(listed(client)) == 1
    assert undone(client, answer)["undone"]["deleted"] == 1


@pytest.fixture
def many(migrated_postgres_url: URL) -> Any:
    """An API with ROWS products, and a file that changes all of their prices."""
    with connection(migrated_postgres_url) as owner:
        owner.exec_driver_sql("TRUNCATE products, imports, import_changes")
    with serving(migrated_postgres_url) as (host, port), httpx.Client(base_url=f"http://{host}:{port}") as api:
        send(api, HEADER + SOFA * ROWS)
        yield api


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def test_two_imports_of_the_same_products_at_once_are_done_one_after_the_other(many: httpx.Client) -> None:
    """In opposite order, so that they would wait for each other; and no product has half of each."""
    rows = exported(many)
    for row in rows:
        del row["version"]

    def change(number: int) -> Any:
        changed = [row | {"price": str(number + 1)} for row in rows]
        content = written(changed[:: 1 if number % 2 else -1])
        return send(many, content, match="id")

    answers = at_once(4, change)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert any(answer.status_code == 200 for answer in answers)
    products = many.get("/products/export?format=jsonl").text.splitlines()
    assert len(products) == ROWS
    assert len({json.loads(line)["price"] for line in products}) == 1


def test_an_import_that_is_undone_twice_at_once_is_undone_once(many: httpx.Client) -> None:
    [done] = many.get("/products/imports").json()
    answers = at_once(4, lambda _: many.post(f"/products/imports/{done['id']}/undo").json())
    assert [answer["undone"]["deleted"] for answer in answers] == [ROWS] * 4
    assert listed(many) == []


def test_an_import_whose_rows_came_in_turn_with_anothers_is_undone_in_time(
    many: httpx.Client, migrated_postgres_url: URL
) -> None:
    many.timeout = 40  # compared each with each, the undoing would take minutes
    answer = send(many, HEADER + SOFA * 20_000)
    with connection(migrated_postgres_url) as owner:
        owner.exec_driver_sql(
            "WITH gone AS (DELETE FROM import_changes WHERE import_id = %s RETURNING *) "
            "INSERT INTO import_changes (import_id, first_id, last_id, version) "
            "SELECT import_id, id, id, version FROM gone, generate_series(first_id, last_id) AS id",
            (answer.headers["location"].rpartition("/")[2],),
        )
    assert undone(many, answer)["undone"] == {"deleted": 20_000, "restored": 0, "kept": 0}
    assert len(many.get("/products/export?format=jsonl").text.splitlines()) == ROWS
