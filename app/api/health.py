"""Two questions a platform asks: is the process alive, and can it serve?"""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from app.api.errors import NotReadyError
from app.api.openapi import operation_id
from app.api.openapi_responses import problem_responses
from app.api.readiness import NO_ANSWER
from app.api.resources import resources

router = APIRouter(prefix="/health", tags=["health"], generate_unique_id_function=operation_id)


class Health(BaseModel):
    """The answer when all is well."""

    status: Literal["ok"] = "ok"


@router.get("/live", summary="Is the process up?")
async def live() -> Health:
    """Say that the process is up; load balancers and containers ask this, so a database outage ends no task."""
    return Health()


@router.get("/ready", summary="Can it serve requests?", responses=problem_responses(NotReadyError(NO_ANSWER)))
async def ready(request: Request) -> Health:
    """Say whether the database takes changes and its schema is the one of this version, or a newer one."""
    reason = await resources(request).readiness.reason()
    if reason is not None:
        raise NotReadyError(reason)
    return Health()
