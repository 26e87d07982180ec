"""Bodies and parameters that cost much to look at, or make a parser stumble; some from strangers without a token."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Awaitable, Callable

from faults.application import Container
from faults.client import Answer, Connection
from faults.rest import MEBIBYTE
from faults.system import TOKEN
from faults.trial import Trial, experiment

JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
PRODUCT = {"name": "x", "price": 1, "categoria": "Móveis", "email_fornecedor": "a@example.com"}


@experiment("strangers-json", seconds=(10, 3), sized=True, recovers_in=2)
async def strangers_json(trial: Trial) -> None:
    """Three bodies of 19.5 MB, `[{},{},…]`, come without a token, then malformed JSON.

    Expected: 401 at once, and no memory taken for a body that nobody will look at.
    """
    body = b"[" + b"{}," * 6_500_000 + b"{}]"
    grown = await _grown(trial, lambda: _three(trial, body, signed_in=False))
    trial.goal("memory at most, MiB more", grown, at_most=64)
    malformed = await trial.ask("POST", "/products/", headers=JSON, body=b"{", signed_in=False)
    trial.expect(malformed.status == 401, f"malformed JSON without a token is answered {malformed.status}")
    wrong = await trial.ask("POST", "/products/", headers=JSON, body=b"{}", signed_in=False)
    trial.expect(wrong.status == 401, f"a wrong product without a token is answered {wrong.status}")


@experiment("unknown-keys", seconds=(10, 3), sized=True, recovers_in=2)
async def unknown_keys(trial: Trial) -> None:
    """Three products with 3.4 MB of unknown keys come with a token. Expected: a short refusal, and little memory."""
    keys = ",".join(f'"k{number}":0' for number in range(270_000))
    body = (json.dumps(PRODUCT)[:-1] + "," + keys + "}").encode()
    grown = await _grown(trial, lambda: _three(trial, body, signed_in=True))
    trial.goal("memory at most, MiB more", grown, at_most=64)
    many = json.dumps(PRODUCT | {f"k{number}": 0 for number in range(3000)}).encode()
    answer = await trial.ask("POST", "/products/", headers=JSON, body=many)
    trial.expect(answer.status in (413, 422), f"3,000 unknown keys are answered {answer.status or 'by nothing'}")
    trial.expect(len(answer.body) < 50_000, f"3,000 unknown keys are answered by {len(answer.body):,} bytes")


@experiment("chunked-bodies", long_only=True, seconds=(10, 3), recovers_in=2)
async def chunked_bodies(trial: Trial) -> None:
    """Products come in chunks without a length, 30 MB each: from a stranger, and with a token.

    Expected: refused after the first of them, in little memory.
    """
    grown = await _grown(trial, lambda: _chunked(trial))
    trial.goal("memory at most, MiB more", grown, at_most=40)


async def _chunked(trial: Trial) -> None:
    chunk = b"10000\r\n" + b" " * 2**16 + b"\r\n"
    for wanted, token in ((401, {}), (413, TOKEN)):
        connection = await Connection.open(trial.system.api.url)
        started, sent = time.perf_counter(), 0
        headers = {**JSON, **token, "Transfer-Encoding": "chunked"}
        connection.writer.write(connection.head("POST", "/products/", headers))
        answer = asyncio.create_task(connection.answer(started))
        with contextlib.suppress(OSError):
            while sent < 480 and not answer.done():
                connection.writer.write(chunk)
                await connection.writer.drain()
                sent += 1
            connection.writer.write(b"0\r\n\r\n")
        (found,) = await asyncio.gather(answer, return_exceptions=True)
        await connection.close()
        # A connection that is closed on what is still being sent may take the answer with it.
        said = found.status if isinstance(found, Answer) else f"nothing ({type(found).__name__})"
        trial.expect(said == wanted or (sent < 480 and isinstance(found, OSError)), f"answered {said}, not {wanted}")
        trial.notes.append(f"answered {said} after {sent * 65536 / 1e6:.1f} MB")


@experiment("csv-columns", seconds=(10, 3), recovers_in=2)
async def csv_columns(trial: Trial) -> None:
    """Imports have a header of 20,000 columns, and three of 150,000 at once. Expected: refused at once."""
    await _refused_soon(trial, "20,000 columns", CSV, _header(20_000))
    wide = _header(150_000)
    started = time.monotonic()
    asked = [_import(trial, CSV, wide) for _ in range(3)]
    products = trial.ask("GET", "/products/?limit=5", timeout=20)
    *answers, listed = await asyncio.gather(*asked, products)
    trial.goal("three of 150,000 columns, s", time.monotonic() - started, at_most=2)
    trial.goal("a list meanwhile, s", listed.seconds, at_most=1)
    trial.expect(all(a.status in (413, 422) for a in answers), f"answered {[a.status for a in answers]}")
    rows = b"name,price,categoria,email_fornecedor\n" + b"," * 900_000 + b"\n"
    await _refused_soon(trial, "a row of 900,000 values", CSV, rows)


@experiment("csv-row", long_only=True, seconds=(10, 3), sized=True, recovers_in=2)
async def csv_row(trial: Trial) -> None:
    """Imports have one row of 65 MB: in short quoted values over many lines, in one line, and as JSON.

    Expected: refused once a row is longer than any product, in little memory.
    """
    quoted = b"name,price,categoria,email_fornecedor\n" + b'"a\n",' * (1_000_000 if trial.short else 13_000_000)
    grown = await _grown(trial, lambda: _refused_soon(trial, "65 MB of short quoted values", CSV, quoted))
    trial.goal("memory at most, MiB more", grown, at_most=64)
    await _refused_soon(trial, "65 MB in a line", CSV, b"x" * 65_000_000)
    await _refused_soon(trial, "65 MB of JSON", {"Content-Type": "application/jsonl"}, b'{"name":"' + b"x" * 65_000_000)


@experiment("hostile-values", seconds=(10, 3), recovers_in=2)
async def hostile_values(trial: Trial) -> None:
    """Deep JSON, numbers of thousands of digits, cursors, repeated and endless parameters, odd methods and addresses.

    Expected: each is a problem document of 4xx within a second; none is a 500.
    """
    deep = b"[" * 30_000 + b"]" * 30_000
    bodies = {
        "deep JSON": deep,
        "a deep field": b'{"name":' + deep + b"}",
        "a huge number": json.dumps(PRODUCT).replace('"price": 1', '"price": 1e999999').encode(),
        "a long number": json.dumps(PRODUCT).replace('"price": 1', '"price": ' + "9" * 100_000).encode(),
        "a long fraction": json.dumps(PRODUCT).replace('"price": 1', '"price": 0.' + "1" * 60_000).encode(),
        "not UTF-8": b'{"name": "\xff\xfe"}',
        "a lone surrogate": json.dumps(PRODUCT | {"name": "\ud800"}).encode(),
        "a NUL": json.dumps(PRODUCT | {"name": "a\x00b"}).encode(),
        "NaN": json.dumps(PRODUCT | {"price": float("nan")}).encode(),
        "one key 5,000 times": b"{" + b'"name":"x",' * 5000 + b'"price":1}',
    }
    for what, body in bodies.items():
        _expect_refusal(trial, what, await trial.ask("POST", "/products/", headers=JSON, body=body))
    lines = b'{"name":' + deep + b"}\n"
    _expect_refusal(trial, "deep JSON in a file", await _import(trial, {"Content-Type": "application/jsonl"}, lines))
    huge = b'{"name":"x","price":1e131072,"categoria":"M\xc3\xb3veis","email_fornecedor":"a@example.com"}\n'
    _expect_refusal(trial, "a huge number in a file", await _import(trial, {"Content-Type": "application/jsonl"}, huge))
    long = b"name,price,categoria,email_fornecedor\nx," + b"9" * 500_000 + b",x,a@example.com\n"
    _expect_refusal(trial, "a long number in a file", await _import(trial, CSV, long))
    for path in (*_cursors(), *_parameters()):
        answer = await trial.ask("GET", path, timeout=10)
        what = path[:60]
        trial.expect(answer.status == 200 or 400 <= answer.status < 500, f"{what} is answered {answer.status}")
        trial.goal(f"{what}, s", answer.seconds, at_most=1) if answer.seconds > 1 else None


def _cursors() -> list[str]:
    """Return addresses with cursors that were never given out."""
    values = ["1e131072", "1e-131072", "-1", "9" * 5000, "NaN", "Infinity", "", "\x00", "\ud800", "0x10", "٣", "1_0"]
    values += ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "a" * 3000]
    sorts = ("price", "-price", "name", "created_at", "categoria", "id", "nothing")
    cursors = [
        (sort, _base64(json.dumps([sort, value, place])))
        for sort in sorts
        for value in values
        for place in (1, 2**31, -1, 1.5)
    ]
    packed = ["[" * 3000, '{"a": 1}', "null", '["price", 1, 1]', '["price", null, 1]', '["price", "1", 1, 1]']
    cursors += [("price", cursor) for cursor in (*map(_base64, packed), "%FF", "A" * 3000, "====", "%00", "%C3%A9")]
    return [f"/products/?sort={sort}&after={cursor}" for sort, cursor in cursors]


def _parameters() -> list[str]:
    """Return other addresses that nobody honest asks for."""
    return [
        "/products/?limit=" + "9" * 5000,
        "/products/?" + "&".join(["categoria=M%C3%B3veis"] * 3000),
        "/products/?" + "&".join(f"x{number}=1" for number in range(3000)),
        "/products/?q=" + "a%20" * 4000,
        "/products/?q=" + "%25_%5C" * 2000,
        "/products/?q=%00",
        "/products/?price_min=1e131072",
        "/products/?price_max=" + "9" * 3000,
        "/products/?created_from=9999999-01-01",
        "/products/?created_from=0001-01-01T00:00:00%2B23:59",
        "/products/" + "9" * 4000,
        "/products/1_000",
        "/products/%D9%A3",
        "/products/+1",
        "/products/1.0",
        "/products/%00",
        "/products/%2e%2e%2f",
    ]


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")


def _header(columns: int) -> bytes:
    names = ",".join(f"c{number}" for number in range(columns))
    return f"name,price,categoria,email_fornecedor,{names}\n".encode()


def _expect_refusal(trial: Trial, what: str, answer: Answer) -> None:
    trial.expect(400 <= answer.status < 500, f"{what} is answered {answer.status or answer.why}")
    if answer.status:
        problem = answer.headers.get("content-type", "").startswith("application/problem+json")
        trial.expect(problem, f"{what} is answered by {answer.headers.get('content-type')}")
    if answer.seconds > 1:
        trial.goal(f"{what}, s", answer.seconds, at_most=1)


async def _refused_soon(trial: Trial, what: str, headers: dict[str, str], body: bytes) -> None:
    answer = await _import(trial, headers, body)
    refused = 400 <= answer.status < 500
    trial.expect(refused, f"{what}: answered {answer.status or answer.why}")
    trial.goal(f"{what}, s", answer.seconds, at_most=1.5)


async def _import(trial: Trial, headers: dict[str, str], body: bytes) -> Answer:
    return await trial.ask("POST", "/products/import", headers=headers, body=body, timeout=60)


async def _three(trial: Trial, body: bytes, *, signed_in: bool) -> None:
    """Send a body three times at once; a refusal, or a connection closed once it has been given, is right."""
    asked = (trial.ask("POST", "/products/", headers=JSON, body=body, signed_in=signed_in) for _ in range(3))
    answers = await asyncio.gather(*asked)
    wanted = (413, 422) if signed_in else (401, 413)
    trial.expect(all(a.status in wanted for a in answers), f"answered {[a.status or a.why for a in answers]}")
    trial.goal("slowest refusal, s", max(a.seconds for a in answers), at_most=1.5)


async def _grown(trial: Trial, work: Callable[[], Awaitable[None]]) -> float:
    """Return by how many MiB the API's memory grew at most while `work` was done."""

    def resident() -> float:
        return sum(process.memory_info().rss for process in trial.system.api.processes()) / MEBIBYTE

    before = most = await asyncio.to_thread(resident)
    working = asyncio.ensure_future(work())
    while not working.done():
        await asyncio.wait([working], timeout=0.05)
        most = max(most, await asyncio.to_thread(resident))
    await working
    api = trial.system.api
    if isinstance(api, Container):
        trial.expect(not api.was_killed_for_memory(), "killed for want of memory")
    return most - before
