"""The secrets of services: those that they share, generated and seen by nobody, and those that people bring."""

import re
from collections.abc import Mapping
from typing import cast

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.compose.model import SecretDefinition
from infra.constructs.variables import ContainerVariables

_CHARACTERS = 48  # of letters and digits: more than 256 bits


class Secrets(Construct):
    """Makes each secret once, however many services name it; a task's role may read those that it names alone."""

    def variables(self, definitions: Mapping[str, SecretDefinition]) -> ContainerVariables:
        """Return what a container is given under its own names for the secrets."""
        return ContainerVariables(
            secrets={
                variable: ecs.Secret.from_secrets_manager(self.secret(definition), definition.key)
                for variable, definition in definitions.items()
            }
        )

    def secret(self, definition: SecretDefinition) -> secretsmanager.ISecret:
        """Return the secret that is meant, made or found."""
        if definition.existing is None:
            return self._generated(definition.generated or "")
        place = f"Existing-{definition.existing}"
        known = self.node.try_find_child(place)
        if known is not None:
            return cast("secretsmanager.ISecret", known)
        if not definition.existing.startswith("arn:"):
            return secretsmanager.Secret.from_secret_name_v2(self, place, definition.existing)
        if re.search(r"-\w{6}$", definition.existing):  # as Secrets Manager ends every ARN
            return secretsmanager.Secret.from_secret_complete_arn(self, place, definition.existing)
        return secretsmanager.Secret.from_secret_partial_arn(self, place, definition.existing)

    def _generated(self, name: str) -> secretsmanager.ISecret:
        made = self.node.try_find_child(name)
        if isinstance(made, secretsmanager.Secret):
            return made
        return secretsmanager.Secret(
            self,
            name,
            description=f"Generated for the services of the compose file that name it {name}",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=_CHARACTERS, exclude_punctuation=True
            ),
        )
