"""What `make capacity` prints, as tables for readers who do not know AWS."""

from collections.abc import Sequence

from infra.cost.capacity import ANSWER_KB, AVERAGE, BUSY, MIX, UNLOADED_SECONDS, VCPU, CarriedStack, ScalingStep
from infra.cost.tables import CostTable
from infra.plan.connections import DEFAULT_POOL_SIZE


def carried_table(name: str, found: CarriedStack) -> CostTable:
    """Return what a stack carries as it is."""
    rows = [
        ("requests a second of one task", f"{found.per_task:,.0f}"),
        ("at the fewest tasks", f"{found.minimum:,.0f}"),
        ("at the most tasks", f"{found.maximum:,.0f}"),
        ("requests a second of the database, all day long", f"{found.database:,.0f}"),
        ("connections of all tasks while a deployment replaces them", f"{found.connections:,}"),
        ("connections that the database accepts", f"{found.accepted:,}"),
        (f"milliseconds that 95 of 100 requests take, tasks {BUSY:.0%} busy", f"{found.p95 * 1000:.1f}"),
        ("US$ for a million requests", f"{found.usd_per_million:.2f}"),
    ]
    return CostTable(f"What {name} carries", ("", "reckoned"), rows)


def steps_table(steps: Sequence[ScalingStep]) -> CostTable:
    """Return what it takes to carry more, and what breaks next."""
    columns = (
        "requests a second",
        "API tasks",
        "database",
        "read replicas",
        "connections: needed, accepted",
        "p95, ms",
        "US$ a month",
        "US$ a million",
        "what breaks next",
    )
    rows = [
        (
            f"{one.target:,.0f}",
            f"{one.tasks:,} of {one.size}",
            one.instance_class,
            str(one.replicas),
            f"{one.connections:,}, {one.accepted:,}"
            + ("" if one.pool == DEFAULT_POOL_SIZE else f" (pool of {one.pool})"),
            f"{one.p95 * 1000:.1f}",
            f"{float(f'{one.usd:.3g}'):,.0f}",
            f"{one.usd_per_million:.2f}",
            one.breaks_next,
        )
        for one in steps
    ]
    return CostTable("What it takes to carry more", columns, rows)


def assumptions() -> list[str]:
    """Return what the figures stand on, a sentence each."""
    mix = ", ".join(f"{share:.0%} {name}" for name, share in MIX.items())
    return [
        f"Rates are those of benchmarks/results.md for {mix}, over 16 connections; a vCPU of AWS is taken for "
        f"{VCPU:.0%} of a CPU of the machine that measured. Nothing here was measured on AWS.",
        f"Tasks and database are {BUSY:.0%} busy at the busiest second; the average of the month is {AVERAGE:.0%} of "
        f"that. Answers have {ANSWER_KB:g} kB on average.",
        "Times are from a queueing model (infra/cost/queueing.py), which adds the queue to the "
        f"{UNLOADED_SECONDS * 1000:g} ms that a request is taken to need without one; benchmarks/results.md has the "
        "model beside a measured curve.",
        "A burstable database (db.t…) is reckoned with the share of its CPUs that it has all day long.",
        "Only the API is reckoned with. A task of the UI holds 100 sessions (MAX_SESSIONS), and was measured with 50.",
        "Prices are list prices without the discounts that AWS gives for such amounts.",
    ]
