"""The experiments, in the order in which they are done."""

from faults.experiments import database, files
from faults.trial import REGISTERED, Experiment

__all__ = ["EXPERIMENTS", "database", "files"]

EXPERIMENTS: list[Experiment] = REGISTERED
