"""The secrets that services share, such as the token by which one knows the other: generated, and seen by nobody."""

from collections.abc import Mapping

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.constructs.variables import ContainerVariables

_CHARACTERS = 48  # of letters and digits: more than 256 bits


class Secrets(Construct):
    """Makes each secret once, however many services name it; a task's role may read those that it names alone."""

    def variables(self, names: Mapping[str, str]) -> ContainerVariables:
        """Return what a container is given under its own names for the secrets."""
        return ContainerVariables(
            secrets={variable: ecs.Secret.from_secrets_manager(self._secret(name)) for variable, name in names.items()}
        )

    def _secret(self, name: str) -> secretsmanager.ISecret:
        made = self.node.try_find_child(name)
        if isinstance(made, secretsmanager.Secret):
            return made
        return secretsmanager.Secret(
            self,
            name,
            description=f"Generated for the services of docker-compose.yml that name it {name}",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=_CHARACTERS, exclude_punctuation=True
            ),
        )
