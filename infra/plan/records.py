"""Where a stack's tasks leave what they say and how they failed: what the template writes, operations read."""

# Why ECS stopped a task (Amazon ECS API Reference, Task: stopCode). Not among them: UserInitiated, and
# ServiceSchedulerInitiated, by which a deployment and scaling end tasks as well, and which the reason tells apart.
ENDED = ("EssentialContainerExited", "TaskFailedToStart")
"""It ended by itself, which is a failure unless all of its containers succeeded."""
TAKEN = ("SpotInterruption", "TerminationNotice", "InfrastructureHealth")
"""AWS took it away, however its containers ended."""


def log_group_name(stack_name: str, service: str) -> str:
    """Return the log group that the tasks of a service write to."""
    return f"/{stack_name}/{service}"


def failure_log_group_name(stack_name: str) -> str:
    """Return the log group that EventBridge writes failed tasks to; it delivers only to names that begin so."""
    return f"/aws/events/{stack_name}/failures"
