"""`make promote ENV=prod FROM=dev`: whether an environment would be deployed with the very images that another runs.

An image's tag is the hash of what it is built from, and tags in CDK's repository are immutable: where both templates
name the same tags and the repository has them, `make deploy` builds nothing, and both run the same digests.
"""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

import boto3

from infra.operations import stacks
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.pricing import TemplateError, synthesised
from infra.operations.project import plan_of
from infra.operations.session import open_session
from infra.plan import PlanError

_BUILT = re.compile(r"/(cdk-[a-z0-9]+-container-assets-[^/@\"]+):([0-9a-f]{64})")


def images(template: Mapping[str, Any]) -> dict[str, str]:
    """Return the tag of each image that CDK built for the template, by the container that runs it; NAME in TASK."""
    found = {}
    for resource in template.get("Resources", {}).values():
        if resource["Type"] != "AWS::ECS::TaskDefinition":
            continue
        for container in resource["Properties"]["ContainerDefinitions"]:
            built = _BUILT.search(json.dumps(container["Image"]))
            if built:
                found[f"{container['Name']} of {resource['Properties']['Family']}"] = built[2]
    return found


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the containers of `after` whose image no container of `before` runs."""
    known = {*images(before).values()}
    return [container for container, tag in images(after).items() if tag not in known]


def digests(session: boto3.Session, tags: set[str], template: Mapping[str, Any]) -> dict[str, str]:
    """Return the digest of each tag in CDK's repository, which the template names: it has these tags.

    Raises:
        ClientError: the repository lacks one of them, or AWS refused.
    """
    account = session.client("sts").get_caller_identity()["Account"]
    named, _ = _BUILT.findall(json.dumps(template))[0]
    repository = named.replace("${AWS::AccountId}", account).replace("${AWS::Region}", str(session.region_name))
    ecr: Any = session.client("ecr")
    found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag} for tag in sorted(tags)])
    return {tag: one["imageDigest"] for one in found["imageDetails"] for tag in one["imageTags"] if tag in tags}


def main(environment: str, source: str) -> int:
    """Print the digests, or say why it may not be deployed."""
    try:
        session, origin = open_session(), plan_of(source).stack_name
        before, after = stacks.template(session, origin), synthesised(environment)
        if before is None:
            print(f"make promote: {origin} is not deployed: there is nothing it ran", file=sys.stderr)
            return 1
        if new := differing(before, after):
            print(
                f"make promote: {origin} does not run the images of {', '.join(new)}: it runs another version by "
                "now, or the architectures differ. Deploy this version there, or approve the run of the newer one.",
                file=sys.stderr,
            )
            return 1
        tags = {*images(after).values()}
        found = digests(session, tags, before) if tags else {}
    except (PlanError, TemplateError, *AWS_ERRORS) as error:
        print(f"make promote: {sentence(error)}", file=sys.stderr)
        return 1
    for container, tag in images(after).items():
        print(f"{container}: {found[tag]}, as {origin} runs it")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
