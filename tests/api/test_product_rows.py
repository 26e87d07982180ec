"""Files that were made to cost: whatever they hold, reading them takes little, and a sentence ends it."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from itertools import repeat

import pytest
from fastapi.testclient import TestClient

from app.api.errors import ImportRefusedError
from app.api.product_rows import LONGEST_ROW, Format, RowError, rows
from tests.api.conftest import Json, problem
from tests.api.test_import import CSV, HEADER, JSONL, SOFA, listed, send

MEMORY = 20 * LONGEST_ROW  # bytes that reading a file may take, however large it is
ROW_MEMORY = 80 * LONGEST_ROW  # and with the values of one row
SIZE = 65_000_000  # bytes
QUOTED = b'"' + b"x\n" * 30_000 + b'",'


def of_size(start: bytes, piece: bytes, times: int) -> Iterator[bytes]:
    yield start
    yield from repeat(piece, times)


@pytest.mark.parametrize(
    ("start", "piece", "file_format"),
    [
        (b"", b"name," * 1000, "csv"),
        (b"", b"," * 60_000, "csv"),
        (b"", b"x" * 60_000, "csv"),
        (HEADER.encode(), QUOTED, "csv"),
        (HEADER.encode() + b'"', b"x\n" * 30_000, "csv"),
        (HEADER.encode(), b"," * 60_000, "csv"),
        (HEADER.encode(), b"\0" * 60_000, "csv"),
        (HEADER.encode(), b"\r" * 60_000, "csv"),
        (b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 20_000, "csv"),
        (b"", b"[" * 60_000, "jsonl"),
        (b'{"name": "', b"x" * 60_000, "jsonl"),
        (b'{"price": ', b"9" * 60_000, "jsonl"),
    ],
)
def test_a_row_without_end_is_given_up_in_its_beginning(start: bytes, piece: bytes, file_format: Format) -> None:
    tracemalloc.start()
    before, started = tracemalloc.get_traced_memory()[0], time.process_time()
    with pytest.raises(ImportRefusedError):
        list(rows(of_size(start, piece, SIZE // len(piece)), file_format))
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < MEMORY
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("row", "file_format"),
    [
        ("[" * 90_000 + "\n", "jsonl"),
        ('{"a":' * 15_000 + "\n", "jsonl"),
        ("{" + ",".join(f'"{n}":1' for n in range(8000)) + "}\n", "jsonl"),
        (json.dumps({"price": int("9" * 4000)}) + "\n", "jsonl"),
        ('{"price":' + "9" * 90_000 + "}\n", "jsonl"),
        ('{"price":1e' + "9" * 90_000 + "}\n", "jsonl"),
        ("," * 90_000 + "\n", "csv"),
        ('"' + '""' * 40_000 + '",,' + "9" * 9_000 + ",,\n", "csv"),
    ],
)
def test_the_costliest_rows_take_time_by_their_length_and_no_memory(row: str, file_format: Format) -> None:
    count = 20
    header = HEADER.encode() if file_format == "csv" else b""

    def read() -> int:
        wrong = 0
        for _line, fields in rows(of_size(header, row.encode(), count), file_format):
            try:
                fields()
            except RowError:
                wrong += 1
        return wrong

    started = time.process_time()
    read()
    assert time.process_time() - started < 4  # 2 MB, of which half a second would be much
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    read()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < ROW_MEMORY


@pytest.mark.parametrize(
    ("content", "media_type", "says"),
    [
        (",".join(f"a{n}" for n in range(150_000)), CSV, "longer than"),
        (",".join(f"a{n}" for n in range(15_000)), CSV, "has 15,000 columns"),
        ("name," * 90, CSV, "'name' is there twice"),
        ("x" * 90_000 + "\n", CSV, "xxx…' is not a field"),
        ("\0" * 1000, CSV, "is not a field"),
        ("\ufeff", CSV, "The file is empty"),
        (HEADER + '"' + "Sofá\n" * 30_000, CSV, "a quote that does not end"),
    ],
)
def test_one_sentence_says_why_such_a_file_is_refused(
    client: TestClient, content: str, media_type: str, says: str
) -> None:
    body = problem(send(client, content, media_type), 422)
    assert says in body["detail"]
    assert len(json.dumps(body)) < 10_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"\ud800": 1},
        {"x" * 90_000: 1},
        {"name": "\ud800"},
        {"name": "\0"},
        {"name": ["x"] * 10_000},
        {"price": float("nan")},
        {"price": float("inf")},
        {"price": 10**4000},
        {"price": 1e-300},
        {"email_fornecedor": "a" * 90_000 + "@example.com"},
        {"email_fornecedor": "\ud800@example.com"},
        {"categoria": "Roupas" * 10_000},
    ],
    ids=lambda wrong: next(iter(wrong))[:20].encode(errors="replace").decode(),
)
def test_a_hostile_value_is_one_short_mistake_of_its_row(client: TestClient, product: Json, wrong: Json) -> None:
    content = json.dumps(product) + "\n" + json.dumps(product | wrong)
    body = problem(send(client, content, JSONL), 422)
    assert {error["line"] for error in body["errors"]} == {2}
    assert len(json.dumps(body)) < 5000
    assert listed(client) == []


def test_a_file_of_nothing_but_mistakes_has_a_short_answer(client: TestClient) -> None:
    keys = {f"{n}" + "x" * 500: 1 for n in range(90)}
    answer = send(client, (json.dumps(keys) + "\n") * 500, JSONL)
    assert len(answer.content) < 1_000_000
    assert problem(answer, 422)["refused"] == 500
    price = HEADER + SOFA.replace("1899.90", "9" * 90_000) + SOFA.replace("1899.90", "٣.٥")
    body = problem(send(client, price), 422)
    assert [(error["line"], error["field"]) for error in body["errors"]] == [(2, "price")]
