"""What is said of the images' contents: bill of materials, licences, known vulnerabilities; and the release's notes."""

import json
from importlib import metadata
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from infra.pipeline import audit, licences, sbom
from infra.pipeline.contents import debian_packages, python_packages
from infra.pipeline.licences import locked
from infra.pipeline.release_notes import notes
from testkit.tools import ROOT

DIGEST = "sha256:" + "ab" * 32
STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.41-12+deb13u1
Description: GNU C Library
 Version: not this

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""


def test_the_document_is_cyclonedx_and_has_each_package_once(tmp_path: Path) -> None:
    (tmp_path / "status").write_text(STATUS)
    found = {"python": python_packages(), "debian": debian_packages(tmp_path / "status")}

    made = sbom.document("api", DIGEST, found)

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made)) is None
    urls = [one["purl"] for one in made["components"]]
    assert len(set(urls)) == len(urls)
    assert f"pkg:pypi/fastapi@{metadata.version('fastapi')}" in urls
    assert "pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=amd64" in urls
    assert not [url for url in urls if "gone" in url]
    assert made == sbom.document("api", DIGEST, found)  # the same image, the same document


def test_both_images_of_the_compose_file_have_one() -> None:
    assert sbom.built_images(ROOT) == {"api": "catalogue-api", "ui": "catalogue-ui"}


def test_an_image_that_is_not_here_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sbom.main(str(tmp_path), "api=localhost/no-such-image:1") == 1

    said = capsys.readouterr().err
    assert said.startswith("make sbom: ")
    assert said.count("\n") == 1


def test_every_package_of_the_images_declares_a_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    found = licences.licences()

    pinned = {one.name for lock in licences.LOCKS for one in locked(lock)}
    assert found.keys() == pinned
    assert [name for name, (_, said) in found.items() if said.startswith("declares none")] == []


def test_what_a_lock_pins_for_another_system_is_not_in_the_image(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "a==1 ; sys_platform == 'win32' \\\n    --hash=sha256:00\nb[x]==2 \\\n    --hash=sha256:00\n# c==3\n"
    )

    assert list(locked(lock)) == [Requirement("b[x]==2")]


def test_an_audit_that_can_ask_nobody_is_skipped_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)

    assert audit.main("--osv-url", "http://127.0.0.1:1/") == 0
    assert "skipped: the database of vulnerabilities is not reachable" in capsys.readouterr().out


def test_an_audit_that_fails_otherwise_is_no_success(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # where there are no locks

    assert audit.main() == 1
    assert "pip-audit failed" in capsys.readouterr().err


def test_the_notes_of_a_release_are_its_section_of_the_changelog() -> None:
    text = (
        "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-12-01\n\n### Added\n\n- x\n\n## [1.2.0-rc] - 2026\n\n- y\n"
    )

    assert notes(text, "1.2.0") == "### Added\n\n- x"
    assert notes(text, "1.2.0-rc") == "- y"
    assert notes(text, "1.2") is None
    assert notes(text, "Unreleased") is None
    assert notes((ROOT / "CHANGELOG.md").read_text(), "Unreleased")
