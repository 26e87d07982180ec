"""What the process has for all its requests: made when it starts, and the same until it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import FastAPI, Request

from app.api.auth import Authenticator
from app.api.database import Database
from app.api.readiness import Readiness
from app.api.refusals import Refusals
from app.api.room import Room
from app.api.settings import Settings
from app.api.starts import Starts
from app.api.transfers import FileSlots


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The only attribute of `app.state`, as `resources`."""

    settings: Settings
    database: Database
    readiness: Readiness
    authenticator: Authenticator
    room: Room
    refusals: Refusals
    starts: Starts
    files: FileSlots  # imports and exports at a time, so that they leave threads and connections to lists


@contextmanager
def make_resources(app: FastAPI, settings: Settings) -> Iterator[Resources]:
    """Give `app` its resources, and close them at the end."""
    database = Database(settings)
    room = Room(settings.requests_max)
    resources = Resources(
        settings=settings,
        database=database,
        readiness=Readiness(database),
        authenticator=Authenticator(settings),
        room=room,
        refusals=Refusals(room),
        starts=Starts(),
        files=FileSlots(max(1, database.threads - 2)),
    )
    app.state.resources = resources
    try:
        yield resources
    finally:
        database.close()


def resources(request: Request) -> Resources:
    """Return the resources of the application that the request is for.

    The one way to them. Routes call it: no dependency of FastAPI's has to be solved for it with every request.
    """
    found: Resources = request.app.state.resources
    return found
