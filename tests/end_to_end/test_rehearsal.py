"""`make rehearse` as its user runs it: the stack on an emulated AWS, with and without a Docker engine."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import httpx2 as httpx
import pytest

from testkit.tools import ROOT, require
from tests.infra.test_applications import adapted


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_without_an_engine_the_stack_is_made_looked_at_and_destroyed(environment: str) -> None:
    output = _without_an_engine(environment)

    rows = _rows(output)
    kinds = {"Cluster", "Distribution", "LoadBalancer", "Listener", "Secret", "UserPool", "Alarm", "Role", "LogGroup"}
    assert {row[0] for row in rows} >= kinds
    count = 2 if environment == "prod" else 1
    assert sorted(row[2] for row in rows if row[0] == "Service") == [
        f"{count} of {count} tasks running, api:1",
        f"{count} of {count} tasks running, ui:1",
    ]
    assert any(row[0] == "TaskDefinition" and row[2].startswith("migrate, api on") for row in rows)
    assert any(row[0] == "ListenerRule" and "/products/*" in row[1] for row in rows)
    assert any(row[0] == "TargetGroup" and "port 8501, health /_stcore/health" in row[2] for row in rows)
    (database,) = (row[2] for row in rows if row[0] == "DBInstance")
    assert database.startswith("postgres 18")
    assert ("Multi-AZ" in database) == (environment == "prod")
    assert "✓ cdk deploy again: no changes" in output
    left = _left_by_policy(output)[0]
    retained = {"dev": {"RDS::DBSnapshot"}, "prod": {"RDS::DBSnapshot", "KMS::Key", "S3::Bucket"}}
    assert set(re.findall(r"AWS::(\S+) \S+", left)) == retained[environment]
    assert "Not emulated, so not shown by this:\n  - IAM" in output


def test_another_stack_begins_with_the_snapshot_that_the_first_one_left() -> None:
    output = _without_an_engine("dev")

    assert "✓ cdk deploy with snapshot_identifier: catalogue-dev-final-snapshot" in output
    assert "✓ cdk destroy what was restored" in output
    assert _left_by_policy(output)[1:] == ["nothing"]  # its own last snapshot has the same name here


def test_what_is_protected_is_destroyed_only_after_its_protection_is_lifted() -> None:
    output = _without_an_engine("prod")

    story = (
        "✓ cdk deploy again: what is there is protected from removal",
        "✓ cdk destroy is refused, and so is deleting the database",
        "cannot be deleted while TerminationProtection is enabled",
        "Cannot delete a DB instance when DeletionProtection is enabled",
        "✓ cdk deploy with deletion_protection: false",
        "✓ cdk destroy (",
    )
    assert sorted(story, key=output.index) == list(story)


def test_with_an_engine_it_is_used_and_updated_and_what_does_not_work_is_taken_back() -> None:
    require("cdk")
    require("engine")
    require("browser")
    with _rehearsal(
        "--scenarios",
        "use",
        "doors",
        "browser",
        "operate",
        "sleep",
        "restore-data",
        "rehearse-migration",
        "update",
        "api-unhealthy",
    ) as rehearsal:
        output, errors = rehearsal.communicate(timeout=900)

    assert rehearsal.returncode == 0, errors
    assert (
        "GET /products/ without a token 401 · with it POST 201 · GET /products/1 200 · PUT 200 · DELETE 200 · "
        "GET 404 · GET / 200 · the UI reaches the API at its API_URL"
    ) in output
    assert "ui connects to api · api connects to the database" in output
    assert "api cannot connect to ui · ui cannot connect to the database" in output
    assert "invited, signed in · created · found · changed · deleted" in output
    assert "  asleep: no task, the database stopped\n  awake: " in output
    (now, before) = re.findall(r"  restore: products (\d+) now, (\d+) in the snapshot\n  switched: ", output)[0]
    assert int(now) == int(before) + 1
    assert re.search(r"  public\.products +readers +[01]\.\d\d\n", output)
    assert sorted(row[2].rpartition(", ")[2] for row in _rows(output) if row[0] == "TargetGroup") == ["1 targets"] * 2
    updated, unhealthy = re.findall(r"✓ cdk deploy a.*\n((?:  .*\n)+)", output)
    answered = r"  \d+ reads, \d+ creates, \d+ creates of 6 s answered meanwhile, none cut, "
    assert re.match(answered + r"first by (\d+\.\d+\.\d+), then by \1\+next\n", updated)
    assert re.match(answered + r"all by \d+\.\d+\.\d+\+next\n", unhealthy)
    assert "Task failed container health checks; api was stopped after: " in unhealthy
    before, after = (int(re.findall(r"the schema is at revision (\d+)", said)[-1]) for said in (updated, unhealthy))
    assert after == before + 1
    assert re.search(rf"replaced by one that serves: .*The database schema is at revision {after:04}, newer", unhealthy)
    assert _left(output) == ""


def test_services_added_to_the_compose_file_run_in_prod_too(tmp_path: Path) -> None:
    require("cdk")
    require("engine")
    project = _copy_of_this_project(tmp_path / "project")
    compose = project / "docker-compose.yml"
    compose.write_text(compose.read_text().replace("\nservices:\n", f"\nservices:\n{_ADDED_SERVICES}", 1))
    with _rehearsal("--environment", "prod", "--scenarios", "use", "--keep", project=project) as rehearsal:
        output = _read_until("Kept until Ctrl-C", rehearsal)
        curl = shlex.split(output.splitlines()[-1].partition("curl ")[2])
        headers = dict(argument.split(": ", 1) for argument in curl if ": " in argument)
        answer = httpx.get(curl[-1].replace("/products/", "/notices/today.txt"), headers=headers, timeout=30)
        rehearsal.send_signal(signal.SIGINT)
        rehearsal.communicate(timeout=60)

    assert (answer.status_code, answer.text) == (200, "nothing new\n")
    rows = _rows(output)
    running = {re.sub(r".* tasks running, ", "", row[2]): row[2] for row in rows if row[0] == "Service"}
    assert running["worker:1"] == "1 of 1 tasks running, worker:1"
    assert running["notices:1"] == "1 of 1 tasks running, notices:1"
    assert running["api:1"] == "2 of 2 tasks running, api:1"
    assert any(row[0] == "ListenerRule" and "/notices/*" in row[1] for row in rows)
    assert sum(row[0] == "TargetGroup" for row in rows) == 3
    assert "the UI reaches the API at its API_URL" in output
    assert _left(output) == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shop", ["GET / 200 (frontend)"]),
        ("jobs", ["GET / 200 (web)", "app-dev-report:1 ran by the clock"]),
        ("notes", ["GET / 200 (notes)", "GET /last.txt 200, written by thumbnails"]),
    ],
)
def test_another_application_is_deployed_after_nothing_but_what_the_messages_say(
    name: str, said: list[str], tmp_path: Path
) -> None:
    require("cdk")
    require("engine")
    project = _another_application(name, tmp_path)
    with _rehearsal(project=project) as rehearsal:
        output, errors = rehearsal.communicate(timeout=600)

    assert rehearsal.returncode == 0, errors
    (used,) = re.findall(r"✓ Use it at .*\n  (.*)", output)
    assert used.split(" · ") == said
    assert "✓ cdk deploy again: no changes" in output
    assert _left(output) == ""


def test_an_interrupted_rehearsal_leaves_nothing_behind() -> None:
    require("cdk")
    require("engine")
    with _rehearsal() as rehearsal:
        output = _read_until("✓ cdk bootstrap", rehearsal)
        rehearsal.send_signal(signal.SIGINT)
        _rest, errors = rehearsal.communicate(timeout=60)

    assert rehearsal.returncode == 130
    assert errors == "rehearse: stopped; the emulated AWS and all it ran are gone\n"
    assert _left(output) == ""


def test_what_is_wrong_is_said_in_one_sentence() -> None:
    require("cdk")
    with _rehearsal("--environment", "staging", "--control-plane") as rehearsal:
        _output, errors = rehearsal.communicate(timeout=60)

    assert rehearsal.returncode == 1
    said = re.fullmatch(r"rehearse: cdk synth failed: .* no environment 'staging'.* \(logs: (\S+)\)\n", errors)
    assert said
    logs = ROOT / said[1]
    assert "staging" in (logs / "cdk.log").read_text()
    shutil.rmtree(logs)


_ADDED_SERVICES = """
  worker:
    build: {context: ., dockerfile: app/Dockerfile, target: api}
    command: [python, -c, "import time; time.sleep(3600)"]
    init: true
    deploy: {resources: {limits: {cpus: "0.25", memory: 128M}}}

  notices:
    build: {context: ., dockerfile: app/Dockerfile, target: api}
    command:
      - sh
      - -c
      - mkdir /tmp/notices && echo nothing new > /tmp/notices/today.txt && exec python -m http.server 8080 -d /tmp
    init: true
    tmpfs: [/tmp]
    ports: ["127.0.0.1:8080:8080"]
    deploy: {resources: {limits: {cpus: "0.25", memory: 128M}}}
    x-aws:
      public: {paths: [/notices/*], health_path: /notices/today.txt}
"""


@cache
def _without_an_engine(environment: str) -> str:
    require("cdk")
    scenarios = ["restore"] if environment == "dev" else []
    with _rehearsal("--environment", environment, "--control-plane", "--scenarios", *scenarios) as rehearsal:
        output, errors = rehearsal.communicate(timeout=300)
    assert rehearsal.returncode == 0, errors
    return output


def _another_application(name: str, folder: Path) -> Path:
    """Do what docs/your-own.md says: keep what deploys, bring an application, and follow the messages."""
    project = _copy_of_this_project(folder / "project")
    commands = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/your-own.md").read_text(), re.DOTALL)
    subprocess.run(["sh", "-e"], input=textwrap.dedent(commands[0]), text=True, cwd=project, check=True)
    shutil.copytree(adapted(name, folder / name).parent, project, dirs_exist_ok=True)
    settings = json.loads((project / "cdk.json").read_text())
    settings["context"]["environments"]["dev"]["public_url"]["open_to_the_internet"] = True
    if (project / "smoke.py").exists():
        settings["context"]["round_trip"] = "smoke"
    (project / "cdk.json").write_text(json.dumps(settings))
    subprocess.run(["lint-imports", "--no-logo"], cwd=project, check=True, capture_output=True)
    return project


def _copy_of_this_project(project: Path) -> Path:
    tools = (".venv", "node_modules")
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(*tools, ".git", ".data", "cdk.out", "__pycache__"))
    for name in tools:
        (project / name).symlink_to(ROOT / name)
    return project


def _read_until(words: str, rehearsal: subprocess.Popen[str]) -> str:
    assert rehearsal.stdout
    output = ""
    while words not in output:
        line = rehearsal.stdout.readline()
        assert line, f"the rehearsal ended by itself: {rehearsal.communicate()[1]}"
        output += line
    return output


@contextmanager
def _rehearsal(*arguments: str, project: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.rehearsal", *arguments],
        cwd=project,
        env={**os.environ, "COLUMNS": "250"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()  # it cleans up after itself
        process.wait(60)


def _rows(output: str) -> list[list[str]]:
    """The cells of the table it prints."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in output.splitlines() if line[:1] == "│"]


def _left_by_policy(output: str) -> list[str]:
    """What each destruction has left in the account."""
    found: list[str] = re.findall(r"^Left after destroy, retained by policy: (.*)$", output, re.MULTILINE)
    return found


def _left(output: str) -> str:
    """What the engine still has of the rehearsal whose output this is: containers, networks, volumes, images."""
    found = re.search(r"account (\d{12})", output)
    assert found
    account = found[1]
    listings = [
        ["ps", "--all", "--quiet", "--filter", f"label=ministack.instance=catalogue-rehearsal-{account}:4566"],
        ["ps", "--all", "--quiet", "--filter", f"name={account}"],
        ["network", "ls", "--quiet", "--filter", f"name={account}"],
        ["volume", "ls", "--quiet", "--filter", f"name={account}"],
        ["images", "--quiet", "--filter", f"reference={account}.*/*"],
    ]
    return "".join(
        subprocess.run(["docker", *one], capture_output=True, text=True, check=True).stdout for one in listings
    )
