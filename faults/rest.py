"""What the processes take when nobody asks for anything."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from faults.application import Server
from faults.postgres import Postgres

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Usage:
    """CPU in cores and resident memory in MiB; of PostgreSQL the memory that no other process shares."""

    cores: float
    mebibytes: float


@dataclass(frozen=True)
class Rest:
    """The usage of API, UI and PostgreSQL, and what the API logs, in bytes a second."""

    api: Usage
    ui: Usage
    postgres: Usage
    logged: float


async def rest(api: Server, ui: Server, postgres: Postgres, *, seconds: float) -> Rest:
    """Look at the processes for so long."""
    groups = [api.processes(), ui.processes(), postgres.processes()]
    before = [_cpu_seconds(group) for group in groups]
    logged = api.log_size()
    await asyncio.sleep(seconds)
    cores = [(_cpu_seconds(group) - start) / seconds for group, start in zip(groups, before, strict=True)]
    memory = [_resident(groups[0]), _resident(groups[1]), _unshared(groups[2])]
    usages = [Usage(round(max(0, c), 2), round(m)) for c, m in zip(cores, memory, strict=True)]
    return Rest(usages[0], usages[1], usages[2], (api.log_size() - logged) / seconds)


def _cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    return sum(sum(_of(p, "cpu_times")[:2]) for p in processes if p.is_running())


def _resident(processes: Iterable[psutil.Process]) -> float:
    return sum(getattr(_of(p, "memory_info"), "rss", 0) for p in processes) / MEBIBYTE


def _unshared(processes: Iterable[psutil.Process]) -> float:
    return sum(getattr(_of(p, "memory_full_info"), "uss", 0) for p in processes) / MEBIBYTE


def _of(process: psutil.Process, what: str) -> tuple[float, ...]:
    """Return what psutil says of a process, and zeros once it has ended."""
    try:
        found: tuple[float, ...] = getattr(process, what)()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return (0.0, 0.0)
    return found
