"""What people do all the time while something is deployed, and what became of all of it."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.products import PRODUCT
from infra.rehearsal.site import Site

_PAUSE = 0.1  # seconds between two requests
_SLOW_SECONDS = 6  # less than the API waits for a body, and than a task has for its last requests
_SLOW_PIECES = 8
_SLOW_SENDERS = 2  # in turns, so that one is always in the middle of a request


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
    """Read and create without a break until the block ends; yield what becomes of it.

    Some of what is created arrives over seconds, so that one of those requests is under way whenever a task is stopped.

    Raises:
        RehearsalError: a request was cut or refused, none of a kind was sent, or what was created is not there.
    """
    answers, ended = Answers(), threading.Event()
    before = site.count()

    def read() -> int:
        status, document = site.fetch("GET", "/openapi.json")
        if status != 200:
            return status
        version = json.loads(document)["info"]["version"]
        if version not in answers.versions:
            answers.versions.append(version)
        return site.fetch("GET", "/products/?limit=20")[0]

    def create() -> int:
        return site.fetch("POST", "/products/", PRODUCT)[0]

    def create_slowly() -> int:
        body = json.dumps(PRODUCT).encode()
        headers = {"Content-Length": str(len(body))}
        with site.sending("POST", "/products/", _slowly(body), headers=headers) as connection:
            response = connection.getresponse()
            response.read()
            return response.status

    def repeat(request: Callable[[], int], counter: Counter[int], delay: float) -> None:
        ended.wait(delay)
        while not ended.wait(_PAUSE):
            try:
                counter[request()] += 1
            except (RehearsalError, ValueError):  # no answer, or not all of it
                counter[0] += 1

    slow = f"creates of {_SLOW_SECONDS} s"
    senders = [("reads", read, 0.0), ("creates", create, 0.0)]
    senders += [(slow, create_slowly, number * _SLOW_SECONDS / _SLOW_SENDERS) for number in range(_SLOW_SENDERS)]
    counters: list[tuple[str, Counter[int]]] = [(kind, Counter()) for kind, _, _ in senders]
    threads = [
        threading.Thread(target=repeat, args=(request, counter, delay), daemon=True)
        for (_, request, delay), (_, counter) in zip(senders, counters, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        for kind, counter in counters:
            answers.by_kind.setdefault(kind, Counter()).update(counter)
            answers.created += counter[201]
    if failed := answers.failed():
        raise RehearsalError(f"of the requests meanwhile these were not answered: {failed}")
    if silent := [kind for kind, counter in answers.by_kind.items() if not counter]:
        raise RehearsalError(f"no {' or '.join(silent)} were sent meanwhile")
    if (more := site.count() - before) != answers.created:
        raise RehearsalError(f"{answers.created} products were created meanwhile, and {more} more are there")


def _slowly(body: bytes) -> Iterator[bytes]:
    size = -(-len(body) // _SLOW_PIECES)
    for start in range(0, len(body), size):
        yield body[start : start + size]
        time.sleep(_SLOW_SECONDS / _SLOW_PIECES)
