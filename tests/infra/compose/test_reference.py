"""Our reading of a file is Docker Compose's own, in every field we read (`docker compose config --format json`)."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.compose import read
from infra.compose.interpolation import interpolate
from infra.compose.load import load
from infra.compose.model import Project, ServiceDefinition
from infra.compose.values import seconds
from testkit.tools import ROOT, require
from tests.infra.compose import corpus

DOCKER_HEALTH_DEFAULTS = {"interval": "30s", "timeout": "30s", "start_period": "0s"}
FILES = [case / "compose.yaml" for case in corpus.cases() if not case.name.startswith("refused_")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_a_case_of_the_corpus_is_read_as_docker_compose_reads_it(file: Path) -> None:
    check(file, corpus.variables(file.parent))


@pytest.mark.parametrize("variables", [{}, {"POSTGRES_PASSWORD": "x-y-z", "API_PORT": "9000"}], ids=["plain", "set"])
def test_the_file_of_this_repository_is_read_as_docker_compose_reads_it(variables: dict[str, str]) -> None:
    check(ROOT / "docker-compose.yml", variables)


def check(file: Path, variables: dict[str, str]) -> None:
    require("engine")
    project = read(file, variables)
    reference = compose_config(file, local_values(variables))

    assert project.name == reference["name"]
    # Compose does not print what it does not know.
    written = interpolate(load(file.read_text()), variables)["services"]
    x_aws = {name: data.get("x-aws") or {} for name, data in written.items()}
    mapping: dict[str, str] = next((data["rds"]["variables"] for data in x_aws.values() if "rds" in data), {})
    passwords = {name for name, field in mapping.items() if field == "password"}
    managed = {project.database.service} if project.database else set()
    assert project.services.keys() == reference["services"].keys() - managed
    for name, service in project.services.items():
        data = reference["services"][name]
        data["environment"] = on_aws(data.get("environment") or {}, x_aws[name], passwords)
        assert ours(service, project) == theirs(data, service, managed), name


def on_aws(environment: dict[str, str], x_aws: dict[str, Any], passwords: set[str]) -> dict[str, str]:
    """Return what is left of the reference's variables where those come from elsewhere that x-aws says."""
    different = {name: value if value is None else str(value) for name, value in x_aws.get("environment", {}).items()}
    elsewhere = {*x_aws.get("secrets", {}), *x_aws.get("sign_in", {})}
    elsewhere |= passwords if x_aws.get("database_sign_in") else set()
    values = {**environment, **different}
    return {name: value for name, value in values.items() if value is not None and name not in elsewhere}


def local_values(variables: dict[str, str]) -> dict[str, str]:
    """Return the variables for Compose, which also wants those that only a laptop needs."""
    return {"PASSWORD": "local", "NOBODY_SETS_THIS": "x", **variables}


def compose_config(file: Path, variables: dict[str, str]) -> dict[str, Any]:
    command = ["docker", "compose", "--file", str(file), "--env-file", "/dev/null", "config", "--format", "json"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | variables
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert answer.returncode == 0, answer.stderr
    # What it prints is a compose file again, so it doubles dollar signs.
    return dict(json.loads(answer.stdout.replace("$$", "$")))


def ours(service: ServiceDefinition, project: Project) -> dict[str, Any]:
    build, health = service.build, service.health_check
    return {
        "image": service.image,
        "build": build and [str(build.context), build.dockerfile, build.target, dict(build.args)],
        "command": service.command and list(service.command),
        "entrypoint": service.entrypoint and list(service.entrypoint),
        "environment": dict(service.environment),
        "database variables": database_variables(service),
        "ports": set(service.ports),
        "health": health
        and [
            list(health.command),
            health.interval_seconds,
            health.timeout_seconds,
            health.start_period_seconds,
            health.retries,
        ],
        "depends_on": {name: str(condition) for name, condition in service.depends_on.items()},
        "limits": [service.cpus, service.memory_mib, service.memory_reservation_mib],
        "replicas": service.replicas,
        "user": service.user,
        "working_dir": service.working_directory,
        "read_only": service.read_only,
        "init": service.init,
        "tmpfs": list(service.scratch_directories),
        "volumes": [(mount.volume, mount.path, mount.read_only) for mount in service.volumes],
        "stop_grace_period": service.stop_grace_period_seconds,
        "ulimits": {limit.name: [limit.soft, limit.hard] for limit in service.ulimits},
        "cap_add": list(service.add_capabilities),
        "cap_drop": list(service.drop_capabilities),
        "labels": dict(service.labels),
    }


def database_variables(service: ServiceDefinition) -> set[str]:
    return {*service.database_variables, *service.database_urls}


def theirs(data: dict[str, Any], service: ServiceDefinition, managed: set[str]) -> dict[str, Any]:
    build, resources = data.get("build"), data.get("deploy", {}).get("resources", {})
    environment = data.get("environment") or {}
    return {
        "image": data.get("image"),
        "build": build and [build["context"], build["dockerfile"], build.get("target"), build.get("args", {})],
        "command": data["command"],
        "entrypoint": data["entrypoint"],
        "environment": {name: value for name, value in environment.items() if name not in database_variables(service)},
        "database variables": environment.keys() & database_variables(service),
        "ports": {port["target"] for port in data.get("ports", [])} | {int(port) for port in data.get("expose", [])},
        "health": health(data.get("healthcheck")),
        "depends_on": {
            name: dependency["condition"]
            for name, dependency in data.get("depends_on", {}).items()
            if name not in managed and dependency["required"]
        },
        "limits": [
            resources.get("limits", {}).get("cpus"),
            mebibytes(resources.get("limits", {}).get("memory")),
            mebibytes(resources.get("reservations", {}).get("memory")),
        ],
        "replicas": data.get("deploy", {}).get("replicas", 1),
        "user": data.get("user"),
        "working_dir": data.get("working_dir"),
        "read_only": data.get("read_only", False),
        "init": data.get("init", False),
        "tmpfs": data.get("tmpfs", []),
        "volumes": [
            (volume["source"], volume["target"], volume.get("read_only", False)) for volume in data.get("volumes", [])
        ],
        "stop_grace_period": duration(data["stop_grace_period"]) if "stop_grace_period" in data else None,
        "ulimits": {
            name: [limit["soft"], limit["hard"]] if isinstance(limit, dict) else [limit, limit]
            for name, limit in data.get("ulimits", {}).items()
        },
        "cap_add": [name.upper().removeprefix("CAP_") for name in data.get("cap_add", [])],
        "cap_drop": [name.upper().removeprefix("CAP_") for name in data.get("cap_drop", [])],
        "labels": data.get("labels", {}),
    }


def health(data: dict[str, Any] | None) -> list[Any] | None:
    if data is None or data.get("disable") or data["test"] == ["NONE"]:
        return None
    durations = [duration(data.get(key, default)) for key, default in DOCKER_HEALTH_DEFAULTS.items()]
    return [data["test"], *durations, data.get("retries", 3)]


def duration(text: str) -> int:
    return seconds(0, 86400)(text)


def mebibytes(size: str | None) -> int | None:
    return int(size) // 2**20 if size else None
