"""`make cost`: by the real CDK CLI, for people, for programs and for a pull request's comment."""

import json
from pathlib import Path

import pytest

from infra.operations.cost import main
from infra.operations.pricing import TemplateError, synthesised
from tests.infra.operations.conftest import stub_clients

N_VIRGINIA = ("--region", "us-east-1")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template of dev, as the CLI synthesises it."""
    file = tmp_path_factory.mktemp("template") / "dev.json"
    file.write_text(json.dumps(synthesised("dev")))
    return file


@pytest.fixture(autouse=True)
def one_synthesis(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Synthesise once: each takes seconds."""
    monkeypatch.setattr("infra.operations.cost.synthesised", lambda _environment: json.loads(template.read_text()))


def test_people_get_tables_and_what_is_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("dev", *N_VIRGINIA) == 0

    said = capsys.readouterr().out
    for word in ("by purpose", "by service", "by resource", "db.t4g.small", "Together", "* assumed: ", "prices.toml"):
        assert word in said
    assert "NOT PRICED" not in said


def test_programs_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("dev", *N_VIRGINIA, "--json") == 0

    said = json.loads(capsys.readouterr().out)
    assert said["not_priced"] == {}
    assert sum(line["minimum"] for line in said["lines"]) > 20
    assert {line["owner"] for line in said["lines"]} == {"db", "api", "ui", ""}


def test_a_pull_request_gets_the_difference_as_markdown(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads(template.read_text())
    for resource in before["Resources"].values():
        if resource["Type"] == "AWS::RDS::DBInstance":
            resource["Properties"]["DBInstanceClass"] = "db.t4g.micro"
    (tmp_path / "before.json").write_text(json.dumps(before))

    assert main("dev", *N_VIRGINIA, "--markdown", "--against", str(tmp_path / "before.json")) == 0

    said = capsys.readouterr().out
    assert said.startswith("**catalogue-dev: US$ a month more or less**")
    assert "| Database/Instance | db.t4g.small | +" in said
    assert "| Secrets" not in said


def test_without_a_change_it_says_what_it_costs(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("dev", *N_VIRGINIA, "--against", str(template)) == 0

    assert "catalogue-dev costs what it costs now: " in capsys.readouterr().out


def test_what_is_deployed_is_asked_of_aws(
    template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks = stub_clients(monkeypatch, "cloudformation")["cloudformation"]
    stacks.add_response("get_template", {"TemplateBody": template.read_text()}, {"StackName": "catalogue-dev"})
    stacks.add_client_error("get_template", "ValidationError", "Stack with id catalogue-dev does not exist")

    assert main("dev", *N_VIRGINIA, "--against", "deployed") == 0
    assert main("dev", *N_VIRGINIA, "--against", "deployed") == 0

    said = capsys.readouterr()
    assert "costs what it costs now" in said.out
    assert "catalogue-dev is not deployed: all of it is new." in said.err
    assert "LoadBalancer/LoadBalancer" in said.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere", *N_VIRGINIA), "there is no environment 'nowhere'"),
        (("dev", "--region", "sa-east-1"), "there are no prices of sa-east-1"),
        (("dev", *N_VIRGINIA, "--against", "no-such-file.json"), "no-such-file.json"),
        (("dev", *N_VIRGINIA, "--against", "Makefile"), "Expecting value"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(*arguments) == 1

    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("make cost: ")
    assert sentence in said[-1]


def test_without_the_cli_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(TemplateError, match="run make setup"):
        synthesised("dev")
