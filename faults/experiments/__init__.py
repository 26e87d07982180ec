"""The experiments, in the order in which they are done."""

import importlib

from faults.trial import REGISTERED, Experiment

for _kind in ("database", "processes", "files", "connections", "bodies", "identity", "ui", "endless", "overrun"):
    importlib.import_module(f"{__name__}.{_kind}")

EXPERIMENTS: list[Experiment] = REGISTERED
