"""A server's health asked for again and again: `python -m faults.pulse URL PATH …`, until its stdin ends.

A process of its own, so that no answer waits for what else an experiment does. It prints the slowest answer of each
path in seconds, and what was no success, as JSON. The first path is asked for ten times as often as the others.
"""

import itertools
import json
import select
import sys
import time
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

PAUSE_SECONDS = 0.1
TIMEOUT = 30.0  # seconds


def main(url: str, *paths: str) -> None:
    """Ask until stdin ends, then print."""
    slowest, failures = dict.fromkeys(paths, 0.0), dict.fromkeys(paths, "")
    for turn in itertools.count():
        if select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
            break
        for path in paths if turn % 10 == 0 else paths[:1]:  # readiness opens a connection to the database
            started = time.perf_counter()
            answered = _status(url, path)
            slowest[path] = max(slowest[path], time.perf_counter() - started)
            failures[path] = failures[path] or ("" if answered == "200" else answered)
    print(json.dumps({"slowest": slowest, "failures": failures}))


def _status(url: str, path: str) -> str:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        return str(connection.getresponse().status)
    except (OSError, HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
