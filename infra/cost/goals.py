"""What environments are meant to cost at most, and which of their features are worth going beyond it."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.cost.alternatives import Saving


@dataclass(frozen=True)
class Goal:
    """US$ a month at the fewest tasks, and the settings to change first for whoever has to keep to it."""

    usd: float
    first: tuple[str, ...]


GOALS: Mapping[str, Goal] = {
    "dev": Goal(45, ("services.asleep",)),
    "prod": Goal(200, ("network.nat_gateways: 1", "monitoring.container_insights: disabled")),
}


def beyond(goal: Goal, minimum: float, savings: list[Saving]) -> list[Saving]:
    """Return what to do without to keep to the goal; nothing where it is kept."""
    found, left = [], minimum
    for setting in goal.first:
        if left <= goal.usd:
            break
        chosen = [saving for saving in savings if saving.alternative.setting.startswith(setting)]
        found += chosen
        left -= sum(saving.usd for saving in chosen)
    return found
