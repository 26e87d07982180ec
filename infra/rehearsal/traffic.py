"""What people do all the time while something is deployed, and what became of all of it."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.products import HEADER, PRODUCT, ROW
from infra.rehearsal.site import Site

_PAUSE = 0.1  # seconds between two requests
_UPLOAD_ROWS = 8
_UPLOAD_SECONDS = 6  # less than a task that is replaced has for its last requests (infra/plan/timeouts.py, and its own)
_UPLOAD_PAUSE = 3  # in which a migration gets its lock


@dataclass
class Answers:
    """What became of requests by their kind: the number of each status, and 0 for those that were cut."""

    by_kind: dict[str, Counter[int]] = field(default_factory=dict)
    versions: list[str] = field(default_factory=list)  # of those that answered, in the order in which they first did
    created: int = 0

    def __str__(self) -> str:
        """Say how many were answered, by kind."""
        return ", ".join(f"{counter.total()} {kind}" for kind, counter in self.by_kind.items())

    def failed(self) -> str:
        """Name those that were not answered as they should be; "" when there are none."""
        return ", ".join(
            f"{count} {kind} with {status or 'nothing: they were cut'}"
            for kind, counter in self.by_kind.items()
            for status, count in sorted(counter.items())
            if status not in (200, 201)
        )


@contextmanager
def traffic(site: Site) -> Iterator[Answers]:
    """Read, create and upload without a break until the block ends; yield what becomes of it.

    An upload is under way for seconds, so that one is whenever a task is stopped.

    Raises:
        RehearsalError: a request was cut or refused, none of a kind was sent, or what was created is not there.
    """
    answers, ended = Answers(), threading.Event()
    before = site.count()

    def read() -> int:
        status, _page = site.fetch("GET", "/products/?limit=20")
        version = site.request("GET", "/openapi.json", 200)["info"]["version"]
        if version not in answers.versions:
            answers.versions.append(version)
        return status

    def create() -> int:
        status, _product = site.fetch("POST", "/products/", PRODUCT)
        answers.created += status == 201
        return status

    def upload() -> int:
        size = len(HEADER) + _UPLOAD_ROWS * len(ROW)
        headers = {"Content-Type": "text/csv", "Content-Length": str(size)}
        with site.sending("POST", "/products/import", _slowly(), headers=headers) as connection:
            response = connection.getresponse()
            response.read()
        answers.created += _UPLOAD_ROWS * (response.status == 200)
        ended.wait(_UPLOAD_PAUSE)
        return response.status

    def repeat(kind: str, request: Callable[[], int]) -> None:
        counter = answers.by_kind[kind]
        while not ended.wait(_PAUSE):
            try:
                counter[request()] += 1
            except RehearsalError:
                counter[0] += 1

    kinds = {"reads": read, "creates": create, "uploads of some seconds": upload}
    threads = []
    for kind, request in kinds.items():
        answers.by_kind[kind] = Counter()
        threads.append(threading.Thread(target=repeat, args=(kind, request), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    if failed := answers.failed():
        raise RehearsalError(f"of the requests meanwhile these were not answered: {failed}")
    if silent := [kind for kind, counter in answers.by_kind.items() if not counter]:
        raise RehearsalError(f"no {' or '.join(silent)} were sent meanwhile")
    if (more := site.count() - before) != answers.created:
        raise RehearsalError(f"{answers.created} products were created meanwhile, and {more} more are there")


def _slowly() -> Iterator[bytes]:
    yield HEADER
    for _ in range(_UPLOAD_ROWS):
        time.sleep(_UPLOAD_SECONDS / _UPLOAD_ROWS)
        yield ROW
