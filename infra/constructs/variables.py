"""The environment variables of a container that AWS, not the compose file, gives a value to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self, TypeVar

from aws_cdk import aws_ecs as ecs

from infra.compose.model import ServiceDefinition

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class ContainerVariables:
    """Variables in the clear, and those that ECS fetches from Secrets Manager when a task starts."""

    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, ecs.Secret] = field(default_factory=dict)

    @classmethod
    def of(
        cls, names: Mapping[str, _Part], values: Mapping[_Part, str], secrets: Mapping[_Part, ecs.Secret]
    ) -> "ContainerVariables":
        """Return what `values` and `secrets` have, under the names that a container has for it."""
        return ContainerVariables(
            environment={name: values[part] for name, part in names.items() if part in values},
            secrets={name: secrets[part] for name, part in names.items() if part in secrets},
        )

    def __or__(self, other: Self) -> "ContainerVariables":
        """Return both."""
        return ContainerVariables({**self.environment, **other.environment}, {**self.secrets, **other.secrets})


VariablesFor = Callable[[ServiceDefinition], ContainerVariables]
"""Returns what AWS gives the container of a service."""
