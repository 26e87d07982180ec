"""What the tests of the operations share: a CDK CLI that writes down what it is asked, and no region from outside."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

InstallCdk = Callable[..., Callable[[], list[str]]]

_SCRIPT = """#!/bin/sh
echo "$AWS_REGION: $*" >> "{log}"
exit $(sed -n "$(wc -l < "{log}")p" "{codes}")
"""


def stub_clients(monkeypatch: pytest.MonkeyPatch, *services: str) -> dict[str, Stubber]:
    """Give every session of boto3 clients that answer only what they are told to, and check it by AWS's own model."""
    client: Any = boto3.client  # its types want each service's name by itself
    made = {
        name: client(name, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        for name in services
    }
    monkeypatch.setattr(boto3.Session, "client", lambda _session, name: made[name])
    stubs = {name: Stubber(one) for name, one in made.items()}
    for stub in stubs.values():
        stub.activate()
    return stubs


@pytest.fixture(autouse=True)
def no_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing says which region, and there are no credentials."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "AMAZON_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def cdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> InstallCdk:
    """Put a CDK CLI first in PATH that ends with the codes given, one a call; it is asked what it was called with."""

    def install(*codes: int) -> Callable[[], list[str]]:
        folder = tmp_path / "bin"
        folder.mkdir()
        log = folder / "log"
        (folder / "codes").write_text("".join(f"{code}\n" for code in codes))
        script = folder / "cdk"
        script.write_text(_SCRIPT.format(log=log, codes=folder / "codes"))
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return lambda: log.read_text().splitlines() if log.exists() else []

    return install
