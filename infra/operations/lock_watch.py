"""What holds which table while a migration goes on, seen by a container beside it, fifty times a second."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.operations import as_owner
from infra.operations.deployment import Deployment
from infra.operations.one_off import Container

NAME = "watch"
_HEALTH = {"interval": 5, "timeout": 10, "retries": 10, "startPeriod": 60}  # seconds

# PostgreSQL, "Explicit Locking": the modes that conflict with what SELECT takes, and with what INSERT, UPDATE and
# DELETE take. A table that is not there for others yet keeps nobody waiting, nor does one of the catalogue for long.
SCRIPT = """
import signal
HELD = \"\"\"
SELECT l.pid, n.nspname || '.' || c.relname, l.mode FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.granted AND l.pid <> pg_backend_pid() AND c.relkind IN ('r', 'p', 'm')
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
\"\"\"
OTHERS = \"\"\"
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database()
AND application_name <> current_setting('application_name')
\"\"\"
ended = False
def end(*_):
    global ended
    ended = True
signal.signal(signal.SIGTERM, end)
cursor, held, first, last = connect(os.environ["HOSTS"]), {}, None, None
while True:
    over = ended
    cursor.execute(OTHERS)
    now = time.monotonic()
    if cursor.fetchone()[0]:
        first, last = first or now, now
    cursor.execute(HELD)
    kept = set()
    for pid, table, mode in cursor.fetchall():
        kept.add((pid, table, "writers"))
        if mode == "AccessExclusiveLock":
            kept.add((pid, table, "readers"))
    for one in kept:
        held.setdefault(one, now)
    for one in [one for one in held if over or one not in kept]:
        pid, table, who = one
        print(json.dumps({"table": table, "who": who, "seconds": round(now - held.pop(one), 3)}), flush=True)
    if over:
        break
    time.sleep(0.02)
print(json.dumps({"connected": round((last or 0) - (first or 0), 3)}), flush=True)
"""
IS_WATCHING = """
cursor = connect(os.environ["HOSTS"])
cursor.execute(
    "SELECT 1 FROM pg_stat_activity WHERE application_name = current_setting('application_name') "
    "AND pid <> pg_backend_pid()"
)
raise SystemExit(cursor.fetchone() is None)
"""


@dataclass(frozen=True)
class Lock:
    """The longest that something held a table so that `who`, readers or writers, would have waited."""

    table: str
    who: str
    seconds: float


class LockWatch:
    """What the watch has said."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.seconds = 0.0
        """From the first to the last sight of anybody else's connection."""
        self._longest: dict[tuple[str, str], float] = {}
        self._say = say

    @property
    def locks(self) -> list[Lock]:
        """The longest of each table, for readers and for writers, longest first."""
        found = [Lock(table, who, seconds) for (table, who), seconds in self._longest.items()]
        return sorted(found, key=lambda one: (-one.seconds, one.table, one.who))

    def heard(self, container: str, line: str) -> None:
        """Take what the watch says; pass on what others say."""
        try:
            said = json.loads(line) if container == NAME else {}
        except ValueError:
            said = {}
        if "connected" in said:
            self.seconds = said["connected"]
        elif "table" in said:
            which = (said["table"], said["who"])
            self._longest[which] = max(self._longest.get(which, 0.0), said["seconds"])
        else:
            self._say(line)


def watching(deployment: Deployment, described: Any, host: str) -> Container:
    """Return the container that watches the database at a host, of a task like the one described."""
    watch = as_owner.script(deployment, described, NAME, SCRIPT, {"HOSTS": host, "PGAPPNAME": NAME})
    check = {**_HEALTH, "command": ["CMD", "python", "-c", as_owner.CONNECT + IS_WATCHING]}
    return {**watch, "essential": False, "healthCheck": check}


def watched(container: Container) -> Container:
    """Return a container that starts when the other one watches."""
    return {**container, "dependsOn": [{"containerName": NAME, "condition": "HEALTHY"}]}
