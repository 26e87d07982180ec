"""What a rehearsal does with the API, at a real one and on a small scale; and what it takes for wrong."""

import re
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from infra.rehearsal import files, traffic
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.products import PRODUCT
from infra.rehearsal.scenarios import RESTORE, SCENARIOS
from infra.rehearsal.site import Site
from testkit import server
from testkit.server import Server
from testkit.tools import ROOT

TOKEN = "test-service-token-of-at-least-32-characters"


@pytest.fixture
def api(migrated_postgres_url: URL) -> Iterator[Server]:
    with server.api(migrated_postgres_url, SERVICE_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture
def site(api: Server) -> Site:
    return Site(api.url, "https://products.example.com", TOKEN)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "_SLOW_SECONDS", 1)


def test_an_import_is_cut_twice_and_there_once(site: Site) -> None:
    before = site.count()

    cut, again, once = files.import_whose_connection_is_cut(site, 20_000)

    assert "cut after half of the file: failed" in cut
    assert "sent again and cut while it was " in again
    assert "20,000 products are there, once" in once
    assert site.count() == before + 20_000


def test_an_export_takes_as_long_as_its_reader(site: Site) -> None:
    site.request("POST", "/products/", 201, PRODUCT)
    started = time.monotonic()

    (said,) = files.export_to_a_slow_reader(site, 3)

    assert time.monotonic() - started >= 2.9
    assert said == f"{site.count():,} products in 3 s, whole"


def test_an_export_that_is_not_whole_is_noticed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "count", lambda _: 10**6)

    with pytest.raises(RehearsalError, match="an export of 1000000 products was answered 200 with "):
        files.export_to_a_slow_reader(site, 0)


@pytest.mark.usefixtures("_quick")
def test_traffic_counts_by_kind_and_finds_all_that_it_created(site: Site) -> None:
    with traffic.traffic(site) as answers:
        time.sleep(3)

    assert {kind: set(counter) for kind, counter in answers.by_kind.items()} == {
        "reads": {200},
        "creates": {201},
        "creates of 1 s": {201},
    }
    assert answers.created == answers.by_kind["creates"][201] + answers.by_kind["creates of 1 s"][201]
    assert len(answers.versions) == 1


@pytest.mark.usefixtures("_quick")
def test_traffic_that_is_cut_is_counted_and_is_an_error(
    api: Server, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = site.count()
    monkeypatch.setattr(Site, "count", lambda _: count)

    def end_it() -> None:
        with traffic.traffic(site):
            time.sleep(1)
            api.process.kill()
            time.sleep(1)

    with pytest.raises(RehearsalError, match=r"were not answered: \d+ reads with nothing: they were cut"):
        end_it()


@pytest.mark.usefixtures("_quick")
def test_what_is_acknowledged_and_not_there_is_an_error(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "count", lambda _: 0)

    with (
        pytest.raises(RehearsalError, match=r"\d+ products were created meanwhile, and 0 more are there"),
        traffic.traffic(site),
    ):
        time.sleep(2)


def test_every_scenario_is_described() -> None:
    text = (ROOT / "docs/rehearsal.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE) == [*SCENARIOS, RESTORE]
