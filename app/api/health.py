"""Two questions a platform asks: is the process alive, and can it serve?"""

import logging
import time
from functools import cache
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.api.errors import NotReadyError
from app.api.openapi import operation_id
from app.api.openapi_responses import problem_responses
from app.api.resources import resources
from app.api.revision import Relation, current_revision, relation, sentence

router = APIRouter(prefix="/health", tags=["health"], generate_unique_id_function=operation_id)
NO_ANSWER = "The database does not answer."
logger = logging.getLogger(__name__)


class Health(BaseModel):
    """The answer when all is well."""

    status: Literal["ok"] = "ok"


@router.get("/live", summary="Is the process up?")
async def live() -> Health:
    """Say that the process is up; load balancers and containers ask this, so a database outage ends no task."""
    return Health()


@router.get("/ready", summary="Can it serve requests?", responses=problem_responses(NotReadyError(NO_ANSWER)))
def ready(request: Request) -> Health:
    """Say whether the database answers and its schema is the one this version was written for, or a newer one."""
    reason = not_ready_reason(resources(request).database.engine)
    if reason is not None:
        raise NotReadyError(reason)
    return Health()


def not_ready_reason(engine: Engine) -> str | None:
    """Return a sentence that says why requests cannot be served, or None when they can."""
    try:
        with engine.connect() as connection:
            current = current_revision(connection)
    except SQLAlchemyError as error:
        logger.warning("not ready: %s", error)
        return NO_ANSWER
    if current is None or relation(current) in (Relation.OLDER, Relation.FOREIGN):
        return sentence(current)
    if relation(current) is Relation.NEWER:
        _note_newer(current)
    return None


@cache  # said once, not whenever somebody asks
def _note_newer(revision: str) -> None:
    logger.warning(sentence(revision))


def wait_until_ready(engine: Engine, *, seconds: float) -> str | None:
    """Wait up to `seconds` until requests can be served; return the reason when they still cannot, else None."""
    deadline = time.monotonic() + seconds
    while (reason := not_ready_reason(engine)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return reason
