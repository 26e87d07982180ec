"""What a stack carries and what carries more, with sums by hand; the model's times; and docs/scaling.md."""

import math
from pathlib import Path

import pytest

from infra.cost.capacity import BUSY, MIX, TARGETS, VCPU, stack, step
from infra.cost.measured import Carried, carried
from infra.cost.prices import prices
from infra.cost.queueing import p95_seconds
from infra.operations.capacity import passage
from testkit.tools import ROOT
from tests.infra.conftest import Template

N_VIRGINIA = prices("us-east-1")
MEASURED = Carried(api=2000, database=10_000)
RESULTS = """### Requests: answers per second

Words.

|  | connections | API | tutorial | pgbench |
| --- | --- | --- | --- | --- |
| read | 1 | 1 | 1 | 1 |
| read | 16 | 4,000 | 800 | 40,000 |
| first page | 16 | 1,000 | 200 | 20,000 |
| create | 16 | 2,000 | 400 | 10,000 |

### Requests: latency in milliseconds

| read | 16 | 9 | 9 | 9 |
"""


def test_what_prod_carries_by_hand(prod: Template) -> None:
    found = stack(prod.body, N_VIRGINIA, "api", MEASURED)

    assert found.per_task == pytest.approx(2000 * 0.5 * VCPU * BUSY)
    assert found.minimum == pytest.approx(2 * found.per_task)
    assert found.maximum == pytest.approx(4 * found.per_task)
    assert found.database == pytest.approx(10_000 * 2 * 0.2 * VCPU * BUSY)  # db.t4g.small: a fifth of two CPUs
    assert found.connections == 2 * 4 * (10 + 1) + 10
    assert found.accepted == 202


def test_steps_to_more(prod: Template) -> None:
    steps = [step(target, prod.body, N_VIRGINIA, "api", MEASURED) for target in TARGETS]

    assert [one.tasks for one in steps] == [2, *(math.ceil(target / 420) for target in TARGETS[1:])]
    assert [one.instance_class for one in steps] == ["db.t4g.small", "db.t4g.small", "db.m7g.xlarge", "db.m7g.2xlarge"]
    assert [one.replicas for one in steps] == [0, 0, 0, 2]
    for one in steps:
        assert one.connections <= one.accepted
        assert one.p95 < 0.02
        assert one.breaks_next
    assert [one.usd for one in steps] == sorted(one.usd for one in steps)
    assert steps[0].usd_per_million > steps[-1].usd_per_million


def test_pools_become_smaller_before_connections_run_out(dev: Template) -> None:
    idle_database = Carried(api=200, database=1_000_000)
    found = step(1_000, dev.body, N_VIRGINIA, "api", idle_database)

    assert found.pool < 10
    assert found.connections <= found.accepted
    assert "pooler" in found.breaks_next


def test_rates_are_those_of_the_results(tmp_path: Path) -> None:
    results = tmp_path / "results.md"
    results.write_text(RESULTS, encoding="utf-8")

    found = carried({"read": 0.5, "first page": 0.5}, results)

    assert found.api == pytest.approx(1 / (0.5 / 4000 + 0.5 / 1000))
    assert found.database == pytest.approx(1 / (0.5 / 40_000 + 0.5 / 20_000) / 2)
    with pytest.raises(ValueError, match=r"no rate of update over 16 connections: make bench"):
        carried({"update": 1}, results)
    results.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="there is no table"):
        carried(MIX, results)


def test_the_queue_without_load_half_busy_and_full() -> None:
    assert p95_seconds(0, 1000, 0.004) == pytest.approx(0.004)
    # Half busy, the mean is twice the service time: 2 ms; 95 of 100 of an exponential are within 3 means.
    assert p95_seconds(500, 1000, 0.004) == pytest.approx(0.004 + (0.002 - 0.001) * math.log(20))
    assert p95_seconds(1000, 1000, 0.004) == math.inf
    times = [p95_seconds(rate, 1000, 0.004) for rate in range(0, 1000, 50)]
    assert times == sorted(times)


def test_the_document_has_the_tables_of_prod(prod: Template) -> None:
    assert passage(prod.body, "api") in (ROOT / "docs/scaling.md").read_text(encoding="utf-8"), (
        "python -m infra.operations.capacity --write brings it up to date"
    )
