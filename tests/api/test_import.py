"""Files in and files out: all or nothing, every wrong row told, and what is exported can be imported as it was."""

import csv
import io
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import psutil
import psycopg2
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, insert

from app.api.database import make_engine
from app.api.exports import ExportQuery, export
from app.api.models import Product
from app.api.settings import Settings
from testkit.database import API_ROLE, libpq
from testkit.server import running
from tests.api.conftest import Json, connection, created, field_errors, problem

MANY = (
    "INSERT INTO products (name, price, categoria, email_fornecedor) "
    "SELECT repeat('x', 200), 1, 'Roupas', 'a@example.com' FROM generate_series(1, 20000)"
)

HEADER = "name,description,price,categoria,email_fornecedor\n"
SOFA = "Sofá,,1899.90,Móveis,vendas@fornecedor.example.com\n"
CSV = "text/csv"
JSONL = "application/jsonl"


def send(client: Any, content: str | bytes, media_type: str = CSV, **query: str) -> Any:
    body = content.encode() if isinstance(content, str) else content
    return client.post("/products/import", content=body, params=query, headers={"content-type": media_type})


def outcome(**counts: Any) -> Json:
    """What an import answers that did no more than this."""
    nothing = dict.fromkeys(("created", "updated", "unchanged", "repeated", "left_out", "refused"), 0)
    return nothing | {"errors": []} | counts


def listed(client: Any) -> list[Json]:
    products: list[Json] = client.get("/products/", params={"limit": 200}).json()
    return products


def test_csv_creates_products(client: TestClient) -> None:
    content = (
        "\ufeffprice,name,categoria,id,email_fornecedor,description\r\n"
        '10.5,"Camiseta ""Sol"", azul",Roupas,7,a@b.example.com,"duas\r\nlinhas"\r\n'
        "\r\n"
        "3, Meia ,Roupas,,a@b.example.com,\r\n"
    )
    assert send(client, content).json() == outcome(created=2)
    shirt, socks = listed(client)
    assert (shirt["name"], shirt["description"], shirt["price"]) == ('Camiseta "Sol", azul', "duas\r\nlinhas", 10.5)
    assert (socks["name"], socks["description"], socks["version"]) == ("Meia", None, 1)


def test_json_lines_create_products(client: TestClient, product: Json) -> None:
    content = json.dumps(product) + "\n\n" + json.dumps(product | {"name": "😀 outro", "description": None})
    assert send(client, content, JSONL).json()["created"] == 2
    assert [p["name"] for p in listed(client)] == [product["name"], "😀 outro"]


def test_every_wrong_row_is_told_and_nothing_is_written(client: TestClient) -> None:
    content = (
        HEADER + SOFA + 'Sofá,"a\nb",-1,Sofás,x\n' + "Sofá,1\n" + SOFA.replace("1899.90", "1,9").replace(",9", "x")
    )
    body = problem(send(client, content), 422)
    assert (body["created"], body["refused"]) == (0, 3)
    assert [(e["line"], e["field"]) for e in body["errors"]] == [
        (3, "price"),
        (3, "categoria"),
        (3, "email_fornecedor"),
        (5, ""),
        (6, "price"),
    ]
    assert body["errors"][0]["context"] == {"gt": 0}
    assert listed(client) == []


def test_the_good_rows_can_be_kept(client: TestClient) -> None:
    content = HEADER + SOFA + "x\n" * 1500 + SOFA
    body = send(client, content, on_error="skip").json()
    assert (body["created"], body["refused"], len(body["errors"])) == (2, 1500, 1000)
    assert len(listed(client)) == 2


def test_a_wrong_json_line_is_told(client: TestClient, product: Json) -> None:
    twice = json.dumps(product)[:-1] + ', "price": 2}'
    content = json.dumps(product) + '\n{"name": \n[]\nnull\n' + json.dumps(product | {"price": "1"}) + "\n" + twice
    body = problem(send(client, content, JSONL), 422)
    assert [(e["line"], e["field"]) for e in body["errors"]] == [(2, ""), (3, ""), (4, ""), (5, "price"), (6, "")]
    assert '"price" stands twice' in body["errors"][-1]["message"]
    assert listed(client) == []


@pytest.mark.parametrize(
    ("content", "media_type", "status", "says"),
    [
        ("", CSV, 422, "The file is empty"),
        ("name;price\n", CSV, 422, "'name;price' is not a field"),
        (HEADER.replace("price", "preço") + SOFA, CSV, 422, "'preço' is not a field; 'price' is missing"),
        ("name,name," + HEADER, CSV, 422, "'name' is there twice"),
        ((HEADER + SOFA).encode("latin-1"), CSV, 422, "Line 2: byte 0xe1 is not UTF-8"),
        (HEADER + SOFA + '"Sofá', CSV, 422, "From line 3 on this is no CSV: a quoted value does not end"),
        (HEADER + SOFA + "x" * 1_000_001, CSV, 422, "Line 3 is longer than"),
        (HEADER + SOFA, "application/json", 415, "text/csv"),
        (HEADER + SOFA, "", 415, "text/csv"),
    ],
)
def test_what_is_no_file_of_products_is_one_clear_error(
    client: TestClient, content: Any, media_type: str, status: int, says: str
) -> None:
    response = send(client, content, media_type, on_error="skip")
    assert says in problem(response, status)["detail"]
    assert listed(client) == []


def test_a_wrong_wish_is_refused(client: TestClient) -> None:
    problem(send(client, HEADER + SOFA, on_error="maybe"), 422)
    problem(client.get("/products/export?format=xlsx&sort=x&limit=1"), 422)


@pytest.fixture
def small_api(migrated_postgres_url: URL, api_url: str, tmp_path: Path) -> Iterator[str]:
    """An API that takes files of 1,000 bytes."""
    url = migrated_postgres_url.set(username=API_ROLE).render_as_string(hide_password=False)
    environment = {"DATABASE_URL": url, "IMPORT_MAX_BYTES": "1000"}
    command = [sys.executable, "-m", "app.api.main"]
    with running(command, "API_PORT", "/health/ready", environment, tmp_path / "api.log") as address:
        yield address


def test_a_file_above_the_limit_is_refused(small_api: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield HEADER.encode()
        for _ in range(100):
            yield SOFA.encode()

    headers = {"content-type": CSV}
    for content in (b"".join(pieces()), pieces()):
        with httpx.Client(base_url=small_api) as client:
            response = client.post("/products/import", content=content, headers=headers)
            assert "1000 bytes" in problem(response, 413)["detail"]
            assert listed(client) == []


def test_an_upload_that_breaks_off_leaves_nothing(api_url: str) -> None:
    address = urlsplit(api_url)
    head = f"POST /products/import HTTP/1.1\r\nHost: x\r\nContent-Type: {CSV}\r\nContent-Length: 100000\r\n\r\n"
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall((head + HEADER + SOFA * 50).encode())
        time.sleep(0.3)
    with httpx.Client(base_url=api_url) as client:
        assert send(client, HEADER + SOFA).json()["created"] == 1  # the thread and connection are free again
        assert len(listed(client)) == 1


words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
awkward = st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\r", "=1+1", " x ", "\\N", "\\", "\t", "\u2028", "é😀", "\ufeff"]
)
products = st.fixed_dictionaries(
    {
        "name": (words | awkward.map(lambda a: f"a{a}b")).filter(lambda name: name.strip() != ""),
        "description": st.none() | words | awkward,
        "price": st.integers(1, 999_999_999_999).map(lambda cents: cents / 100),
        "categoria": st.sampled_from(["Eletrônico", "Roupas"]),
    }
)


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_products=st.lists(products, max_size=5))
def test_what_is_exported_comes_back_exactly(
    client: TestClient, product: Json, file_format: str, given_products: list[Json]
) -> None:
    def clear() -> None:
        client.delete("/products/", params={"confirm": len(listed(client))})

    def contents() -> list[Json]:
        return [{name: p[name] for name in product} for p in listed(client)]

    clear()
    for changes in given_products:
        created(client, product, **changes)
    before = contents()
    exported = client.get("/products/export", params={"format": file_format})
    assert f"products.{file_format}" in exported.headers["content-disposition"]
    clear()
    answer = send(client, exported.content, exported.headers["content-type"]).json()
    assert answer == outcome(created=len(before))
    assert contents() == before
    clear()


def test_an_export_has_what_the_filter_shows_in_its_order(client: TestClient, product: Json) -> None:
    for price in (1, 3, 2):
        created(client, product, price=price)
    query: Json = {"price_min": 2, "sort": "-price"}
    lines = client.get("/products/export", params={**query, "format": "jsonl"}).text.splitlines()
    exported = [json.loads(line) for line in lines]
    assert [p["price"] for p in exported] == [3, 2]
    rows = client.get("/products/export", params=query).text.split("\r\n")
    assert rows[0] == "id,name,description,price,categoria,email_fornecedor,created_at,updated_at,version"
    first = exported[0]
    assert rows[1] == (
        f'{first["id"]},"{first["name"]}","{first["description"]}",3.00,"{first["categoria"]}",'
        f'"{first["email_fornecedor"]}",{first["created_at"]},{first["updated_at"]},1'
    )


@pytest.mark.parametrize(
    ("microsecond", "written"), [(0, "2026-11-01T12:30:00Z"), (120_000, "2026-11-01T12:30:00.12Z")], ids=str
)
def test_every_database_writes_the_same_lines(client: TestClient, microsecond: int, written: str) -> None:
    moment = datetime(2026, 11, 1, 12, 30, 0, microsecond, UTC)
    values = {"id": 7, "name": 'Sofá "😀" \\', "description": "a b\t\x01\r\n", "price": Decimal("19.90")}
    values |= {"categoria": "Móveis", "email_fornecedor": "a@b.example.com", "created_at": moment, "updated_at": moment}
    with client.app.state.resources.database.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(insert(Product), values)
        connection.execute(insert(Product), values | {"id": 8, "description": None})
    lines = client.get("/products/export").content.decode().partition("\r\n")[2]
    end = f'19.90,"Móveis","a@b.example.com",{written},{written},1\r\n'
    assert lines == f'7,"Sofá ""😀"" \\","a b\t\x01\r\n",{end}8,"Sofá ""😀"" \\",,{end}'
    lines = client.get("/products/export?format=jsonl").content.decode()
    start = r'"name":"Sofá \"😀\" \\","description":'
    end = '"price":19.90,"categoria":"Móveis","email_fornecedor":"a@b.example.com",'
    end += f'"created_at":"{written}","updated_at":"{written}","version":1}}\n'
    assert lines == f'{{"id":7,{start}' + r'"a b\t\u0001\r\n",' + f'{end}{{"id":8,{start}null,{end}'


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+55 11", "'+55 11"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1dA1", "'\uff1dA1"),
        ("'=1", "''=1"),
        ("'quoted'", "'quoted'"),
        ('a;"b"=1', 'a;"b"=1'),
    ],
)
def test_a_file_for_excel_holds_nothing_that_it_would_calculate(
    client: TestClient, product: Json, name: str, shown: str
) -> None:
    made = created(client, product, name=name, description="\t=A1", price=1234.5, email_fornecedor="-a@b.example.com")
    answer = client.get("/products/export?format=excel")
    assert answer.headers["content-disposition"] == 'attachment; filename="products.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbfid;name;")
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";")
    assert (row["name"], row["description"]) == (shown, "'\t=A1")
    assert (row["id"], row["price"], row["version"]) == (str(made["id"]), "1234,50", "1")
    assert row["email_fornecedor"] == "'-a@b.example.com"
    moment = datetime.fromisoformat(made["created_at"]).replace(microsecond=0)
    assert datetime.fromisoformat(row["created_at"] + "Z") == moment


def test_memory_stays_flat_whatever_the_size(api_url: str) -> None:
    """A hundred thousand products in and out, 11 MB, within what one per cent of them would take as objects."""
    process = next(
        p for p in psutil.Process(os.getpid()).children(recursive=True) if "app.api.main" in " ".join(p.cmdline())
    )

    def pieces() -> Iterator[bytes]:
        yield HEADER.encode()
        for n in range(100):
            yield (f"Produto {n},{'descrição ' * 4},19.90,Roupas,vendas@fornecedor.example.com\n" * 1000).encode()

    with httpx.Client(base_url=api_url, timeout=120) as client:
        send(client, HEADER + SOFA)
        idle = process.memory_info().rss
        answer = client.post("/products/import", content=pieces(), headers={"content-type": CSV})
        assert answer.json()["created"] == 100_000
        assert process.memory_info().rss - idle < 40 * 2**20
        size = 0
        with client.stream("GET", "/products/export") as response:
            for piece in response.iter_bytes():
                size += len(piece)
        assert size > 10_000_000
        assert process.memory_info().rss - idle < 40 * 2**20


def test_a_client_that_stops_reading_keeps_no_connection(
    migrated_postgres_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.exports.STALLED_SECONDS", 1)
    engine = make_engine(Settings(database_url=libpq(migrated_postgres_url)))
    with connection(migrated_postgres_url) as owner:
        owner.exec_driver_sql(MANY)
    pieces = export(engine, ExportQuery())
    next(pieces)
    time.sleep(2)
    with pytest.raises(psycopg2.OperationalError, match="server closed the connection"):
        list(pieces)
    with engine.connect() as again:  # the only one that the engine has
        assert again.exec_driver_sql("SELECT 1").scalar_one() == 1
    engine.dispose()


def test_exports_that_are_read_slowly_keep_nobody_from_listing(api_url: str, migrated_postgres_url: URL) -> None:
    with connection(migrated_postgres_url) as owner:
        owner.exec_driver_sql(MANY)
    place = urlsplit(api_url)
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection((place.hostname, place.port))) for _ in range(8)]
        for client in slow:
            client.sendall(b"GET /products/export HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(1)
        assert [httpx.get(f"{api_url}/products/", timeout=3).status_code for _ in range(5)] == [200] * 5
        for client in slow[:-1]:
            client.close()
        slow[-1].settimeout(10)
        assert slow[-1].recv(15) == b"HTTP/1.1 200 OK"  # whose turn has come


def test_a_client_that_goes_away_leaves_no_transaction_open(api_url: str, migrated_postgres_url: URL) -> None:
    # Not only idle ones: one that goes on is idle between its steps.
    open_ones = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'catalogue-api' AND xact_start IS NOT NULL"
    )
    with connection(migrated_postgres_url) as owner:
        owner.exec_driver_sql(MANY)
        for _ in range(12):
            with httpx.stream("GET", f"{api_url}/products/export") as response:
                next(response.iter_bytes(100))
        deadline = time.monotonic() + 20
        while (left := owner.exec_driver_sql(open_ones).scalar_one()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left == 0


def test_a_name_or_key_that_postgresql_cannot_store_is_refused(client: TestClient) -> None:
    assert list(field_errors(send(client, HEADER + SOFA, file_name="a\0b"))) == ["file_name"]
    assert list(field_errors(client.get("/products/imports", params={"idempotency_key": "a\0b"}))) == [
        "idempotency_key"
    ]
    assert listed(client) == []
