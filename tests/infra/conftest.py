"""What tests of the stack share: a docker-compose.yml of their own to change, and the template made from it."""

import copy
import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from testkit.tools import ROOT

# Where the locked Node is: CDK's library starts the first in PATH.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

CONTEXT = json.loads((ROOT / "cdk.json").read_text())["context"]

Resource = dict[str, Any]

# What stands for CloudFront's own addresses in `Template.reachable`.
ORIGIN_FACING = "prefix-list/cloudfront"


def settings(name: str, **changes: Any) -> Resource:
    """Return the settings of an environment of cdk.json with some of its sections, or what is in them, changed."""
    found: Resource = copy.deepcopy(CONTEXT["environments"][name])
    for section, value in changes.items():
        merges = isinstance(value, Mapping) and section != "public_url"
        found[section] = {**found[section], **value} if merges else value
    return found


@dataclass(frozen=True)
class Template:
    """A CloudFormation template, by what the resources are rather than by their generated names."""

    body: dict[str, Any]
    is_protected: bool  # from removal as a whole, which is no part of what CloudFormation reads

    def resources(self, kind: str) -> dict[str, Resource]:
        """Return the resources of a type by their place in the construct tree, such as api/Service."""
        return {
            self.place(name): resource
            for name, resource in self.body["Resources"].items()
            if resource["Type"] == f"AWS::{kind}"
        }

    def only(self, kind: str) -> Resource:
        """Return the properties of the one resource of a type."""
        (resource,) = self.resources(kind).values()
        properties: Resource = resource["Properties"]
        return properties

    def place(self, reference: Any) -> str:
        """Return the place in the construct tree of what a logical name, `Ref` or `Fn::GetAtt` means."""
        if isinstance(reference, dict):
            reference = reference["Ref"] if "Ref" in reference else reference["Fn::GetAtt"][0]
        path: str = self.body["Resources"][reference]["Metadata"]["aws:cdk:path"]
        return path.partition("/")[2].removesuffix("/Resource").removesuffix("/Service/Service")

    def logical(self, place: str) -> str:
        """Return the logical name of the resource at a place in the construct tree."""
        (name,) = [name for name in self.body["Resources"] if self.place(name) == place]
        found: str = name
        return found

    def service(self, name: str) -> Resource:
        """Return the properties of a service."""
        properties: Resource = self.resources("ECS::Service")[name]["Properties"]
        return properties

    def task(self, name: str) -> Resource:
        """Return the properties of a service's task definition."""
        properties: Resource = self.resources("ECS::TaskDefinition")[f"{name}/Tasks"]["Properties"]
        return properties

    def container(self, name: str, task: str | None = None) -> Resource:
        """Return a container of a task (of the same name, if not said otherwise)."""
        (container,) = [c for c in self.task(task or name)["ContainerDefinitions"] if c["Name"] == name]
        found: Resource = container
        return found

    def variables(self, name: str, task: str | None = None) -> dict[str, Any]:
        """Return the variables that a container is given in the clear."""
        return {variable["Name"]: variable["Value"] for variable in self.container(name, task)["Environment"]}

    def secrets(self, name: str, task: str | None = None) -> dict[str, str]:
        """Return where a container's secret variables come from: the place of a secret, and the key in it if any."""
        found = {}
        for variable in self.container(name, task).get("Secrets", []):
            secret, key = variable["ValueFrom"], ""
            if "Fn::Join" in secret:
                secret, key = secret["Fn::Join"][1]
            found[variable["Name"]] = self.place(secret) + key
        return found

    def reachable(self) -> set[tuple[str, str, int]]:
        """Return who may open a connection to whom, by the rules of both sides: (from, to, port)."""
        inbound, outbound = set(), set()
        for place, group in self.resources("EC2::SecurityGroup").items():
            owner, properties = place.partition("/")[0], group["Properties"]
            for rule in properties.get("SecurityGroupIngress", []):
                inbound.add((rule["CidrIp"], owner, rule["FromPort"]))
            for rule in properties.get("SecurityGroupEgress", []):
                if rule["CidrIp"] != "255.255.255.255/32":  # CDK's way to say nobody
                    outbound.add((owner, rule["CidrIp"], rule["FromPort"]))
        for rule in (r["Properties"] for r in self.resources("EC2::SecurityGroupIngress").values()):
            assert rule["FromPort"] == rule["ToPort"]
            source = self._owner(rule["SourceSecurityGroupId"]) if "SourceSecurityGroupId" in rule else ORIGIN_FACING
            inbound.add((source, self._owner(rule["GroupId"]), rule["FromPort"]))
        for rule in (r["Properties"] for r in self.resources("EC2::SecurityGroupEgress").values()):
            outbound.add(
                (self._owner(rule["GroupId"]), self._owner(rule["DestinationSecurityGroupId"]), rule["FromPort"])
            )
        inside = {flow for flow in inbound | outbound if "/" not in flow[0] + flow[1]}
        assert inside <= inbound & outbound, "a rule of one side has no counterpart"
        return inbound | outbound

    def _owner(self, group: Any) -> str:
        return self.place(group).partition("/")[0]


def copy_project(folder: Path, parts: Iterable[str]) -> None:
    """Copy files and folders of this project's root into another folder."""
    for name in parts:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)


class Workspace:
    """A folder with a copy of docker-compose.yml and what its images are built from."""

    def __init__(self, folder: Path) -> None:
        self.compose_file = folder / "docker-compose.yml"
        self._out = folder / "cdk.out"
        shutil.copy(ROOT / "docker-compose.yml", folder)
        (folder / ".dockerignore").write_text("*\n!app\n")
        (folder / "app").mkdir()
        shutil.copy(ROOT / "app/Dockerfile", folder / "app")

    def replace(self, old: str, new: str) -> "Workspace":
        """Change docker-compose.yml and nothing else."""
        text = self.compose_file.read_text()
        assert old in text
        self.compose_file.write_text(text.replace(old, new))
        return self

    def without_sign_in(self) -> "Workspace":
        """Remove what docker-compose.yml says about people who sign in."""
        lines = self.compose_file.read_text().splitlines(keepends=True)
        said = ("sign_in:", "OIDC_", "PUBLIC_URL:")
        self.compose_file.write_text("".join(line for line in lines if not line.strip().startswith(said)))
        return self

    def template(
        self, name: str = "dev", settings: Mapping[str, Any] | None = None, *, is_first: bool = False
    ) -> Template:
        """Synthesise the stack of an environment, whose settings may be given instead of taken from cdk.json.

        `is_first` is for its first deployment.
        A template in which resources wait for each other in a circle is refused by CDK's assertions.
        """
        import aws_cdk  # starts Node, so only the tests that need it pay for it
        from aws_cdk.assertions import Template as Assertions

        from infra.plan import assemble
        from infra.stack import ApplicationStack

        environments = {**CONTEXT["environments"], **({name: settings} if settings else {})}
        plan = assemble(self.compose_file, name, environments, is_first=is_first)
        app = aws_cdk.App(outdir=str(self._out), context={**CONTEXT, "aws:cdk:enable-path-metadata": True})
        stack = ApplicationStack(app, plan.stack_name, plan=plan)
        return Template(dict(Assertions.from_stack(stack).to_json()), bool(stack.termination_protection))

    def image_platforms(self) -> set[str]:
        """Return what the images of the last template are built for."""
        (manifest,) = self._out.glob("*.assets.json")
        images = json.loads(manifest.read_text())["dockerImages"].values()
        return {image["source"]["platform"] for image in images}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A docker-compose.yml to change."""
    return Workspace(tmp_path)


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of the environment dev, as it is."""
    return Workspace(tmp_path_factory.mktemp("dev")).template("dev")


@pytest.fixture(scope="session")
def prod_with_domain(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of the environment prod with a name of its own."""
    domain = {
        "mode": "domain",
        "domain_name": "catalogue.example.com",
        "hosted_zone_name": "example.com",
        "hosted_zone_id": "Z0EXAMPLE",
    }
    return Workspace(tmp_path_factory.mktemp("domain")).template("prod", settings("prod", public_url=domain))


@pytest.fixture(scope="session")
def load_balancer_alone(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of the environment dev without HTTPS, for two ranges of addresses."""
    public_url = {"mode": "load_balancer", "allowed_cidrs": ["203.0.113.0/24", "198.51.100.7/32"]}
    return Workspace(tmp_path_factory.mktemp("plain")).template("dev", settings("dev", public_url=public_url))


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of the environment prod, as it is."""
    return Workspace(tmp_path_factory.mktemp("prod")).template("prod")
