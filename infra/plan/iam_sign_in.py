"""Whether the database has the memory that signing in by IAM takes."""

from collections.abc import Mapping

from infra.plan.environment import Environment
from infra.plan.instance_classes import MEMORY_GIB
from infra.plan.tasks import Task

# IAM authentication takes 300 to 1,000 MiB beside what the database itself uses (Amazon RDS User Guide, "Limitations
# for IAM database authentication"): an instance of 1 GiB has 90 to 145 MiB left, and one of 2 GiB about 900.
_LEAST_GIB = 2

SMALL_GIB = 4
"""Below this, memory is taken from the buffers of the database, as the guide advises for classes that burst."""


def iam_sign_in_problems(tasks: Mapping[str, Task], settings: Environment) -> list[str]:
    """Return what is wrong, as a sentence with the classes that have the memory."""
    chosen = settings.database.instance_class
    services = [name for name, task in tasks.items() if task.database_users]
    if not services or MEMORY_GIB[chosen] >= _LEAST_GIB:
        return []
    smallest = [name for name, gib in MEMORY_GIB.items() if gib == _LEAST_GIB]
    return [
        f"cdk.json: context.environments.{settings.name}.database.instance_class: {chosen} has too little memory for "
        f"signing in by IAM (x-aws.database_sign_in of {', '.join(services)}), which takes 300 to 1,000 MiB of it. "
        f"Choose {' or '.join(smallest)}, or a class with more; or have the service sign in with the password."
    ]
