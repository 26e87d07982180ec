"""Files that take long: an import whose connection is cut, and an export that a slow reader takes whole."""

import time
import uuid
from typing import Any

from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.products import csv
from infra.rehearsal.site import Site

IMPORT_ROWS = 300_000
EXPORT_SECONDS = 120
_PATIENCE = 300  # seconds for an import to end
_PIECE = 2**16  # bytes


def import_whose_connection_is_cut(site: Site, rows: int = IMPORT_ROWS) -> list[str]:
    """Send a file, whose connection breaks in its middle and, sent again, before the answer; see that it is there once.

    Returns what happened, a sentence each; RehearsalError when it is not as it should be.
    """
    file, key, before = csv(rows), f"rehearsal-{uuid.uuid4()}", site.count()
    half = file[: len(file) // 2]
    headers = {"Content-Type": "text/csv", "Content-Length": str(len(file)), "Idempotency-Key": key}
    with site.sending("POST", "/products/import", iter([half, b""]), headers=headers):
        _wait(site, key, {"receiving"})
    cut = _wait(site, key, {"failed", "interrupted"})
    if site.count() != before:
        raise RehearsalError("an import whose file arrived by half has created products")
    with site.sending("POST", "/products/import", file, headers=headers):
        writing = _wait(site, key, {"writing", "done"})
    started = time.monotonic()
    ended = _wait(site, key, {"done"})
    seconds = time.monotonic() - started
    with site.sending("POST", "/products/import", file, headers=headers) as connection:
        again = connection.getresponse()
        again.read()
    if (there := site.count() - before) != rows:
        raise RehearsalError(f"of an import of {rows} products {there} are there")
    if again.status != 200 or again.headers.get("Location") != f"/products/imports/{ended['id']}":
        raise RehearsalError(f"the same file with the same key was answered {again.status}")
    return [
        f"cut after half of the file: {cut['state']}, and nothing is there",
        f"sent again and cut while it was {writing['state']}: done {seconds:.0f} s later",
        f"sent once more with the same key: 200, the same import; {there:,} products are there, once",
    ]


def export_to_a_slow_reader(site: Site, seconds: float = EXPORT_SECONDS) -> list[str]:
    """Take all products as one file in so many seconds; RehearsalError when it is not whole."""
    expected = site.count()
    started, lines, last = time.monotonic(), 0, b""
    with site.sending("GET", "/products/export") as connection:
        response = connection.getresponse()
        while piece := response.read(_PIECE):
            lines, last = lines + piece.count(b"\n"), piece
            due = started + seconds * min(1, lines / (expected + 1))
            time.sleep(max(0, due - time.monotonic()))
    took = time.monotonic() - started
    if response.status != 200 or lines != expected + 1 or not last.endswith(b"\r\n"):
        raise RehearsalError(f"an export of {expected} products was answered {response.status} with {lines} lines")
    return [f"{expected:,} products in {took:.0f} s, whole"]


def _wait(site: Site, key: str, states: set[str]) -> Any:
    """Return the import once it is in one of the states."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        found = site.request("GET", f"/products/imports?idempotency_key={key}", 200)
        if found and found[0]["state"] in states:
            return found[0]
        if time.monotonic() > deadline or (found and found[0]["state"] == "done"):
            raise RehearsalError(f"an import is {found[0]['state'] if found else 'not known'}, not {states}")
        time.sleep(0.2)
