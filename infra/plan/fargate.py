"""The sizes a Fargate task can have, and the smallest that holds what its containers may use."""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Size:
    """A size that Fargate has: CPU units (1024 to a CPU) and memory in MiB."""

    cpu: int
    memory_mib: int

    def __str__(self) -> str:
        return f"{self.cpu / 1024:g} CPUs with {self.memory_mib / 1024:g} GiB"


def smallest(cpus: float, memory_mib: int) -> Size:
    """Return the cheapest size with at least that much; raise ValueError, naming the largest sizes, if there is none.

    The first that fits is the cheapest: another CPU costs as much as nine GiB, so more CPU never pays.
    """
    fitting = [size for size in _SIZES if size.cpu >= math.ceil(cpus * 1024) and size.memory_mib >= memory_mib]
    if not fitting:
        largest = ", ".join(str(Size(units, options[-1])) for units, options in [*_MEMORY.items()][-3:])
        raise ValueError(f"{cpus:g} CPUs with {memory_mib} MiB, which fit no Fargate size; the largest are {largest}")
    return min(fitting)


def _gib(*sizes: float) -> tuple[int, ...]:
    return tuple(int(size * 1024) for size in sizes)


# CPU units -> MiB: all that ECS accepts for Linux (Amazon ECS API Reference, RegisterTaskDefinition, "cpu").
_MEMORY: Mapping[int, tuple[int, ...]] = {
    256: _gib(0.5, 1, 2),
    512: _gib(*range(1, 5)),
    1024: _gib(*range(2, 9)),
    2048: _gib(*range(4, 17)),
    4096: _gib(*range(8, 31)),
    8192: _gib(*range(16, 61, 4)),
    16384: _gib(*range(32, 121, 8)),
    32768: _gib(60, 120, 244),
}
_SIZES = [Size(cpu, memory) for cpu, options in _MEMORY.items() for memory in options]
