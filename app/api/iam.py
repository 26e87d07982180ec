"""Signing in to RDS with an IAM token, so that the API holds no password of the database."""

import os
from typing import Any

import botocore.session
from sqlalchemy import Engine, event


def sign_in_by_token(engine: Engine) -> None:
    """Give every new connection of `engine` a fresh token for its password.

    A token is signed on this machine, without a request, and opens connections for 15 minutes; an open connection
    outlives it. The region and the task role's credentials come from the environment that ECS gives a task.
    """
    # botocore itself reads AWS_DEFAULT_REGION alone; ECS sets AWS_REGION.
    rds: Any = botocore.session.get_session().create_client("rds", region_name=os.environ.get("AWS_REGION"))

    @event.listens_for(engine, "do_connect")
    def add_token(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        parameters["password"] = rds.generate_db_auth_token(
            DBHostname=parameters["host"], Port=parameters["port"], DBUsername=parameters["user"]
        )
