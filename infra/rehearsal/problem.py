"""What ends a rehearsal."""


class RehearsalError(Exception):
    """A rehearsal cannot go on; its str is one sentence that says what happened and what to do or where to look."""
