"""An hour that passes at once, where a rehearsal asks for it: after it ECS has forgotten the tasks that stopped."""

import os
from collections.abc import Mapping
from typing import Any

from infra.rehearsal.launcher.edge import Answer, Find, Scope
from infra.rehearsal.launcher.internals import ecs, request_scope

PATH = "/_rehearsal/an-hour-later"


def passing(find: Find) -> Find:
    """Answer the address of the hour, and ask `find` about every other."""

    def found(scope: Scope, headers: Mapping[str, str]) -> Any:
        if scope.get("path") != PATH:
            return find(scope, headers)
        with request_scope(os.environ["MINISTACK_ACCOUNT_ID"], os.environ["MINISTACK_REGION"]):
            for arn in [arn for arn, task in ecs._tasks.items() if task["lastStatus"] == "STOPPED"]:
                ecs._tasks.pop(arn)
        return Answer(204, {}, b"")

    return found
