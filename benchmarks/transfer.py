"""Import against psql's `\\copy`, export against COPY TO, and the memory they take: `python -m benchmarks.transfer`."""

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from sqlalchemy import URL

from app.example_products import demo_products
from benchmarks.report import Table, goal, show, spread
from testkit import server
from testkit.database import copy_in, execute, libpq, make_database, postgres, run_tool
from testkit.products import FIELDS, write_csv

IMPORTED = 200_000
EXPORTED = 1_000_000
ROUNDS = 3
IMPORT_GOAL, EXPORT_GOAL = 0.4, 0.5  # of the rate of psql
MEBIBYTES_OVER_IDLE = 40
MEBIBYTE = 2**20
CHUNK = MEBIBYTE
EXPORT_COLUMNS = "id, name, description, price, categoria, email_fornecedor, created_at, updated_at"


def measure() -> list[Table]:
    """Return the rates of import and export as parts of psql's, and the memory each took."""
    rates = Table(
        "Transfer: rows per second",
        ("", "rows", "API", "psql", "API / psql", "goal"),
        f"Medians of {ROUNDS} rounds in turns; ratios with the least and the largest. psql copies the same CSV file "
        "into a table with the same columns and indexes, and all products out of one.",
    )
    memory = Table("Transfer: memory of the API's process, in MiB", ("", "idle", "peak", "peak − idle", "goal"))
    with ExitStack() as stack:
        postgresql = stack.enter_context(postgres())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="catalogue-bench-")))
        empty, full = make_database(postgresql, 0), make_database(postgresql, EXPORTED)
        execute(empty, "CREATE TABLE copied (LIKE products INCLUDING ALL)")
        files = {
            "CSV": (folder / "products.csv", "text/csv"),
            "JSON Lines": (folder / "products.jsonl", "application/jsonl"),
        }
        write_csv(files["CSV"][0], IMPORTED)
        _write_jsonl(files["JSON Lines"][0])
        for name, (file, media_type) in files.items():
            with server.api(empty) as api:
                seconds, mebibytes = _rounds(
                    api.process,
                    partial(_import, api.url, file, media_type),
                    lambda: copy_in(empty, f"copied ({', '.join(FIELDS)})", files["CSV"][0]),
                    lambda: execute(empty, "TRUNCATE products, copied"),
                )
            _add(rates, memory, f"import, {name}", IMPORTED, IMPORT_GOAL, seconds, mebibytes)
        for name, kind in (("CSV", "csv"), ("JSON Lines", "jsonl")):
            with server.api(full) as api:
                seconds, mebibytes = _rounds(
                    api.process,
                    partial(_export, api.url, kind),
                    lambda: _copy_out(full, folder / "out.csv"),
                    lambda: None,
                )
            _add(rates, memory, f"export, {name}", EXPORTED, EXPORT_GOAL, seconds, mebibytes)
    return [rates, memory]


def _rounds(
    process: psutil.Process, ours: Callable[[], None], theirs: Callable[[], None], prepare: Callable[[], None]
) -> tuple[list[tuple[float, float]], tuple[float, float]]:
    """Return (our seconds, psql's seconds) of each round, and the process's MiB before the first one and at most."""
    seconds, peaks, idle = [], [], _mebibytes(process)
    for _ in range(ROUNDS):
        prepare()
        with _Peak(process) as peak:
            our_seconds = _timed(ours)
        peaks.append(peak.mebibytes)
        seconds.append((our_seconds, _timed(theirs)))
    return seconds, (idle, max(peaks))


def _add(
    rates: Table,
    memory: Table,
    name: str,
    rows: int,
    least: float,
    seconds: list[tuple[float, float]],
    mebibytes: tuple[float, float],
) -> None:
    ratios = [theirs / ours for ours, theirs in seconds]
    medians = [f"{rows / statistics.median(taken):,.0f}" for taken in zip(*seconds, strict=True)]
    rates.rows.append((name, f"{rows:,}", *medians, spread(ratios), goal(statistics.median(ratios), at_least=least)))
    idle, peak = mebibytes
    verdict = goal(peak - idle, at_most=MEBIBYTES_OVER_IDLE, unit=" MiB")
    memory.rows.append((name, f"{idle:.0f}", f"{peak:.0f}", f"{peak - idle:.0f}", verdict))


def _write_jsonl(file: Path) -> None:
    with file.open("w", encoding="utf-8") as lines:
        for product in demo_products(IMPORTED):
            lines.write(json.dumps(product, ensure_ascii=False) + "\n")


def _import(url: str, file: Path, media_type: str) -> None:
    with file.open("rb") as body:
        # Without its length it would be sent in one piece per line.
        headers = {"Content-Type": media_type, "Content-Length": str(file.stat().st_size)}
        answer = _request(url, "POST", "/products/import", body, headers)
    created = json.loads(answer)["created"]
    if created != IMPORTED:
        raise RuntimeError(f"the import created {created} products, not {IMPORTED}")


def _export(url: str, kind: str) -> None:
    _request(url, "GET", f"/products/export?format={kind}", None, {}, keep=False)


def _copy_out(database: URL, file: Path) -> None:
    query = f"SELECT {EXPORT_COLUMNS} FROM products ORDER BY id"
    run_tool("psql", "--quiet", "--command", f"\\copy ({query}) TO '{file}' WITH (FORMAT csv, HEADER)", libpq(database))


def _request(url: str, method: str, path: str, body: object, headers: dict[str, str], *, keep: bool = True) -> bytes:
    """Send a request and return the answer's body, or nothing when it is not to be kept."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=600, blocksize=CHUNK)
    connection.request(method, path, body, headers)  # type: ignore[arg-type]
    answer = connection.getresponse()
    kept = b""
    while chunk := answer.read(CHUNK):
        if keep or answer.status >= 300:
            kept += chunk
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path} answers {answer.status}: {kept[:500].decode(errors='replace')}")
    return kept


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class _Peak:
    """The most memory a process has while the block runs, looked at a hundred times a second."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.mebibytes = 0.0

    def __enter__(self) -> "_Peak":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self.mebibytes = max(self.mebibytes, _mebibytes(self._process))


def _mebibytes(process: psutil.Process) -> float:
    """Return the resident memory of a process and its children."""
    return float(sum(p.memory_info().rss for p in (process, *process.children(recursive=True)))) / MEBIBYTE


if __name__ == "__main__":
    show(measure())
