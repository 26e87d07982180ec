"""Look whether a deployment can succeed, before anything is made.

It asks for credentials, region, bootstrap, service-linked roles, secrets, images, quotas and the engine. What cannot be
found out, for lack of a permission, is said and is no failure.
"""

import argparse
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError, NoCredentialsError

from infra.operations import pulled_images
from infra.operations.command_line import Output
from infra.operations.deployment import AWS_ERRORS, Deployment, sentence
from infra.operations.service_linked_roles import ROLES
from infra.plan.architecture import MACHINES
from infra.plan.regions import REGIONS

_BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_BOOTSTRAP_VERSION = 6  # what a stack of CDK's asks for itself, in its rule CheckBootstrapVersion
# Service Quotas' codes of the vCPUs that Fargate runs at a time in a region: on demand, and Spot.
_VCPU_QUOTAS = {"FARGATE": "L-3032A538", "FARGATE_SPOT": "L-36FBB829"}
_ENGINE_SECONDS = 20
_MARKS = {"good": "✓", "bad": "✗", "unknown": "?"}


@dataclass(frozen=True)
class Verification:
    """What one check found."""

    state: Literal["good", "bad", "unknown"]
    said: str


def declare(_parser: argparse.ArgumentParser) -> None:
    """`verify` takes nothing of its own."""


def run(deployment: Deployment, _options: argparse.Namespace, out: Output) -> int:
    """Print what was found; the exit code is 1 when a deployment would fail."""
    found = list(verify(deployment))
    if not out.facts(found):
        show(found, out)
    return 1 if speaks_against(found) else 0


def show(found: Iterable[Verification], out: Output) -> None:
    """Print what was found, a line each."""
    for one in found:
        out.line(f"{_MARKS[one.state]} {one.said}")


def speaks_against(found: Iterable[Verification]) -> bool:
    """Say whether a deployment would fail by what was found."""
    return any(one.state == "bad" for one in found)


def verify(deployment: Deployment) -> Iterator[Verification]:
    """Yield what each check found; without credentials there is only that to say.

    Raises:
        NoCredentialsError: there are none.
    """
    checks: tuple[Callable[[Deployment], Iterator[Verification]], ...] = (
        _credentials,
        _region,
        _bootstrap,
        _roles,
        _secrets,
        _images,
        _quotas,
        _engine,
    )
    for check in checks:
        try:
            yield from check(deployment)
        except NoCredentialsError:
            raise
        except AWS_ERRORS as error:
            yield Verification("unknown", f"{check.__name__.strip('_')}: {sentence(error)}")


def _credentials(deployment: Deployment) -> Iterator[Verification]:
    caller = deployment.client("sts").get_caller_identity()
    yield Verification("good", f"credentials of {caller['Arn']}")


def _region(deployment: Deployment) -> Iterator[Verification]:
    region = deployment.session.region_name
    if region in REGIONS:
        yield Verification("good", f"region {region}")
    else:
        yield Verification("bad", f"region {region} is none of {', '.join(REGIONS)}: set AWS_REGION")


def _bootstrap(deployment: Deployment) -> Iterator[Verification]:
    ssm = deployment.client("ssm")
    try:
        version = int(ssm.get_parameter(Name=_BOOTSTRAP_PARAMETER)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        yield Verification("bad", "CDK has not been here: make bootstrap, once for each account and region")
        return
    if version < _BOOTSTRAP_VERSION:
        yield Verification("bad", f"bootstrap is of version {version}, {_BOOTSTRAP_VERSION} is needed: make bootstrap")
    else:
        yield Verification("good", f"bootstrap of version {version}")


def _roles(deployment: Deployment) -> Iterator[Verification]:
    iam, missing = deployment.client("iam"), []
    for service, role in ROLES.items():
        try:
            iam.get_role(RoleName=role)
        except iam.exceptions.NoSuchEntityException:
            missing.append(service)
    if missing:
        yield Verification("bad", f"no service-linked role for {', '.join(missing)}: make bootstrap makes them")
    else:
        yield Verification("good", "service-linked roles")


def _secrets(deployment: Deployment) -> Iterator[Verification]:
    services = [container for task in deployment.plan.tasks.values() for container in task.containers]
    definitions = [one for service in services for one in service.secrets.values()]
    definitions += [service.registry_credentials for service in services if service.registry_credentials]
    client = deployment.client("secretsmanager")
    for name in sorted({one.existing for one in definitions if one.existing}):
        try:
            described: Any = client.describe_secret(SecretId=name)
        except client.exceptions.ResourceNotFoundException:
            yield Verification("bad", f"there is no secret {name}: make secret NAME={name}")
            continue
        if described.get("DeletedDate"):
            yield Verification(
                "bad", f"the secret {name} is being deleted: aws secretsmanager restore-secret brings it back"
            )
        else:
            yield Verification("good", f"secret {name}")


def _images(deployment: Deployment) -> Iterator[Verification]:
    for state, said in pulled_images.look(deployment):
        yield Verification(state, said)


def _quotas(deployment: Deployment) -> Iterator[Verification]:
    plan = deployment.plan
    provider = "FARGATE_SPOT" if plan.settings.services.spot_percent == 100 else "FARGATE"
    needed = sum(
        plan.counts[name].maximum_during_deployment * task.size.cpu / 1024
        for name, task in plan.tasks.items()
        if name in plan.counts
    )
    try:
        answer = deployment.client("service-quotas").get_service_quota(
            ServiceCode="fargate", QuotaCode=_VCPU_QUOTAS[provider]
        )
    except ClientError as error:
        yield Verification("unknown", f"the quota of Fargate: {sentence(error)}")
        return
    allowed = float(answer["Quota"]["Value"])
    if needed > allowed:
        yield Verification(
            "bad",
            f"the services may need {needed:g} vCPUs at a time, and this account may run {allowed:g} of {provider}: "
            "ask for more in Service Quotas, or lower services.max_tasks",
        )
    else:
        yield Verification("good", f"quota of {provider}: {needed:g} vCPUs at most, {allowed:g} allowed")


def _engine(deployment: Deployment) -> Iterator[Verification]:
    """Look whether images are built here, and for the tasks' processor without emulating it."""
    if not shutil.which("docker"):
        yield Verification("bad", "there is no docker in PATH, which builds the images")
        return
    command = ["docker", "info", "--format", "{{.Architecture}}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_ENGINE_SECONDS)
    except subprocess.TimeoutExpired:
        yield Verification("bad", f"the Docker engine has not answered for {_ENGINE_SECONDS} s")
        return
    if done.returncode:
        yield Verification("bad", "no Docker engine answers, which builds the images")
        return
    machine = MACHINES.get(done.stdout.strip(), done.stdout.strip())
    wanted = deployment.plan.settings.architecture
    if machine == wanted:
        yield Verification("good", f"Docker engine for {machine}")
    else:
        yield Verification(
            "unknown", f"the engine is {machine} and builds for {wanted} by emulation: slow, if it can at all"
        )
