"""The full version of the database belongs to the major version that docker-compose.yml has."""

import pytest

from infra.plan import PlanError, assemble
from tests.infra.conftest import Workspace, settings


def test_another_major_version_than_the_compose_files_is_refused(workspace: Workspace) -> None:
    with pytest.raises(PlanError) as refused:
        assemble(workspace.compose_file, "dev", {"dev": settings("dev", database={"engine_version": "17.6"})})

    assert refused.value.problems == [
        "cdk.json: context.environments.dev.database.engine_version: 17.6 is not of the major version 18, which "
        "docker-compose.yml has. Change both for an upgrade."
    ]


@pytest.mark.parametrize("version", ["18", "18.x", "18.4.1", ""])
def test_a_version_that_is_not_full_is_refused(workspace: Workspace, version: str) -> None:
    with pytest.raises(PlanError, match=r"database\.engine_version: "):
        assemble(workspace.compose_file, "dev", {"dev": settings("dev", database={"engine_version": version})})
