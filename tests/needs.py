"""What each test needs beyond Python, as markers, and which tests share a worker when several run at once.

A worker has a PostgreSQL, an API and templates of its own. Containers have fixed names and browsers want a processor,
so those are one group; else a group is what its file holds.
"""

from pathlib import PurePath

import pytest

# By the fixture that brings it …
FIXTURES = {
    "postgres_url": "database",
    "database_url": "database",
    "million_products_url": "minutes",
    "_running_ui": "browser",
    "visit": "pages",
    "misbehaviour": "pages",
    "serve": "pages",
    "open_ui": "pages",
    "impatient": "pages",
    "serving": "pages",
    "dev": "cdk",
    "prod": "cdk",
    "prod_with_domain": "cdk",
    "load_balancer_alone": "cdk",
    "workspace": "cdk",
}
# … and by where the test is; the longer path counts.
PLACES = {
    "end_to_end": ("browser",),
    "end_to_end/test_compose.py": ("engine", "browser"),
    "end_to_end/test_rehearsal.py": ("engine", "cdk", "minutes"),
    "infra/compose/test_reference.py": ("engine",),
    "api/test_database_faults.py": ("database",),
    "api/test_migration_check.py": ("database",),
    "api/test_migrations.py": ("database", "processes"),
    "api/test_outage.py": ("database",),
    "api/test_version_before.py": ("database",),
    "infra/constructs": ("cdk",),
    "infra/cost/test_alternatives.py": ("cdk",),
    "infra/cost/test_estimate.py": ("cdk",),
    "infra/gates": ("cdk",),
    "infra/operations/test_cost.py": ("cdk",),
    "infra/pipeline/test_change.py": ("cdk",),
    "infra/pipeline/test_stack.py": ("cdk",),
    "infra/pipeline/test_workflows.py": ("processes",),
    "infra/rehearsal/test_launcher.py": ("processes",),
    "infra/test_agreements.py": ("processes",),
    "infra/test_app.py": ("cdk",),
    "infra/test_applications.py": ("cdk",),
    "test_course_followed.py": ("database", "cdk", "processes"),
    "test_import_contracts.py": ("processes",),
    "test_local.py": ("database", "minutes"),
    "test_new_migration.py": ("database",),
    "test_setup.py": ("processes", "minutes"),
    "ui/files/test_download.py": ("pages",),
    "ui/server/test_uploads.py": ("pages",),
    "ui/sign_in": ("pages",),
}
MARKERS = {
    "database": "starts a PostgreSQL",
    "pages": "runs the UI's pages, or a server for them",
    "engine": "needs a container engine",
    "browser": "needs a browser",
    "cdk": "needs Node, as CDK does",
    "processes": "runs commands or servers of the project as processes",
    "minutes": "takes minutes, alone or with the others of its kind",
}
# What no other test waits for starts first.
GROUPS = ("engine", "browser", "minutes", "cdk")


def mark(item: pytest.Item) -> None:
    """Give a test its markers and its group.

    Raises:
        pytest.UsageError: its name has an object's address, so that no two workers agree on it.
    """
    if " at 0x" in item.nodeid:
        raise pytest.UsageError(f"{item.nodeid}: give that parameter an id")
    path = PurePath(item.location[0])
    inside = path.relative_to("tests").as_posix() if path.is_relative_to("tests") else path.as_posix()
    names: list[str] = [*getattr(item, "fixturenames", []), *_chosen(item)]
    found = {marker for fixture, marker in FIXTURES.items() if fixture in names}
    place = max((place for place in PLACES if f"{inside}/".startswith(f"{place}/")), key=len, default=None)
    found.update(PLACES[place] if place else ())
    for marker in sorted(found):
        item.add_marker(marker)
    item.add_marker(pytest.mark.xdist_group(_group(found, inside)))


def order(item: pytest.Item) -> int:
    """Return a test's place in the order of GROUPS."""
    return next((number for number, group in enumerate(GROUPS) if item.get_closest_marker(group)), len(GROUPS))


def _chosen(item: pytest.Item) -> list[str]:
    """Return a test's parameters that are words: a fixture that another one chooses is among them."""
    call = getattr(item, "callspec", None)
    return [value for value in call.params.values() if isinstance(value, str)] if call else []


def _group(needs: set[str], inside: str) -> str:
    if needs & {"engine", "browser"}:
        return "end_to_end"
    if "cdk" in needs:
        return "cdk"
    return inside
