"""How a CloudFormation template of CDK's is read: what its resources are called, and whom they mean."""

from collections.abc import Mapping
from typing import Any


def path(name: str, resource: Mapping[str, Any]) -> str:
    """Return where a resource is in the construct tree, such as api/Service/Service, without the stack's own name."""
    whole = str(resource.get("Metadata", {}).get("aws:cdk:path", f"/{name}"))
    return whole.partition("/")[2]


def owner(name: str, resource: Mapping[str, Any]) -> str:
    """Return what the tree has a resource below: a service of the compose file, `Database`, `Network` and so on."""
    return path(name, resource).partition("/")[0]


def reference(value: Any) -> str:
    """Return the name of the resource that a `Ref` or `Fn::GetAtt` means."""
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])
