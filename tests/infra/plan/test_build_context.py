"""What of a context an image is made from."""

from pathlib import Path

import pytest

from infra.compose.model import Build
from infra.plan.build_context import NEVER, UNLESS_NAMED, excluded
from testkit.tools import ROOT

SECRETS = {f"**/{pattern}" for pattern in (*NEVER, *UNLESS_NAMED)}
STAGES = """\
# COPY nothing of a comment
FROM python:${VERSION} AS base
COPY --chown=1:1 shared/a.py \\
     shared/b.py /srv/
FROM base AS unused
COPY elsewhere /srv
FROM node AS assets
RUN --mount=type=cache,target=/cache --mount=type=bind,source=package.json,target=package.json npm ci
FROM base AS web
COPY --from=assets /out /srv
COPY --from=registry.example.com/tools /bin/tool /bin
ADD https://example.com/file /srv
copy ["web files", "/srv/"]
COPY templates/*.html /srv/
FROM base AS worker
COPY worker /srv
"""


def context(folder: Path, dockerfile: str, *files: str, ignore: str = "") -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "Dockerfile").write_text(dockerfile)
    if ignore:
        (folder / ".dockerignore").write_text(ignore)
    return folder


def left_out(folder: Path, target: str | None = None) -> set[str]:
    """Return what stays out besides what always does."""
    return {*excluded(Build(context=folder, dockerfile="Dockerfile", target=target, args={}))} - SECRETS


FILES = (
    *("shared/a.py", "shared/b.py", "shared/c.py", "elsewhere/x", "package.json", "web files/x"),
    *("templates/a.html", "templates/b.html", "worker/x", ".env", "docs/a/b"),
)


@pytest.mark.parametrize(
    ("target", "used"),
    [
        ("web", {"shared/a.py", "shared/b.py", "package.json", "web files", "templates"}),
        ("worker", {"shared/a.py", "shared/b.py", "worker"}),
        (None, {"shared/a.py", "shared/b.py", "worker"}),
        ("unused", {"shared/a.py", "shared/b.py", "elsewhere"}),
    ],
)
def test_only_what_the_stages_of_a_target_take_goes_into_its_image(
    target: str | None, used: set[str], tmp_path: Path
) -> None:
    context(tmp_path, STAGES, *FILES)
    everything = {"shared/a.py", "shared/b.py", "shared/c.py", "elsewhere", "package.json", "web files", "templates"}

    assert left_out(tmp_path, target) == (everything | {"worker", ".env", "docs"}) - used


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM a\nCOPY . /srv\n",
        "FROM a\nARG WHAT\nCOPY $WHAT /srv\n",
        "ARG BASE\nFROM $BASE\nCOPY a /srv\n",
        "FROM a\nRUN --mount=type=bind,target=/srv make\n",
        "FROM a\nRUN <<EOF\nFROM b\nEOF\nCOPY a /srv\n",
        "# escape=`\nFROM a\nCOPY a /srv\n",
        "FROM a\nONBUILD COPY . /srv\n",
        "FROM a\nCOPY [broken\n",
        "",
    ],
)
def test_where_it_is_unclear_what_is_taken_everything_is_but_never_secrets(dockerfile: str, tmp_path: Path) -> None:
    context(tmp_path, dockerfile, "a", "b")

    assert left_out(tmp_path) == set()
    assert {*excluded(Build(context=tmp_path, dockerfile="Dockerfile", target=None, args={}))} == SECRETS


def test_a_key_is_let_in_by_its_name_and_by_nothing_else(tmp_path: Path) -> None:
    dockerfile = "FROM a\nCOPY ca.pem /srv/\nCOPY app /srv/app\nCOPY .env /srv/\n"
    context(tmp_path, dockerfile, "app/id_rsa", "app/rds.pem", ignore="*\n!app\n!app/rds.pem\n!other/b.pem\n!.env\n")

    patterns = excluded(Build(context=tmp_path, dockerfile="Dockerfile", target=None, args={}))

    assert {pattern for pattern in patterns if pattern.startswith("!")} >= {"!ca.pem", "!app/rds.pem"}
    assert "!other/b.pem" not in patterns
    assert patterns.index("**/.env") > max(patterns.index("!ca.pem"), patterns.index("!.env"))


def test_the_images_of_this_repository_share_no_directory_of_code() -> None:
    def of(target: str) -> set[str]:
        return {*excluded(Build(context=ROOT, dockerfile="app/Dockerfile", target=target, args={}))}

    assert {"app/ui", "app/api"} & of("api") == {"app/ui"}
    assert {"app/ui", "app/api"} & of("ui") == {"app/api"}
    assert "!app/api/rds-ca.pem" in of("api") - of("ui")
