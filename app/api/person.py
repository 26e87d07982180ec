"""Who makes the changes of a request: what triggers write into the history, in the transaction of the change."""

from contextvars import ContextVar

from sqlalchemy import ColumnElement, func, literal_column

LONGEST = 255  # characters
LOCAL = "local"  # where nobody has to sign in
_current: ContextVar[str | None] = ContextVar("person", default=None)


def set_current(name: str) -> None:
    """Have the changes of this request be this person's; threads that it starts know it too."""
    _current.set(name[:LONGEST])


def current() -> str | None:
    """Return whose changes these are; None outside requests, as in a migration."""
    return _current.get()


def told(name: ColumnElement[str]) -> ColumnElement[str]:
    """Return SQL that tells PostgreSQL's triggers the name, until the transaction ends."""
    return func.set_config(literal_column("'catalogue.person'"), name, literal_column("true"))
