"""Signing in to RDS with an IAM token, so that the API holds no password of the database."""

import os
from typing import Any

import botocore.session


class Tokens:
    """Makes the token that a new connection has for its password.

    A token is signed on this machine, without a request, and opens connections for 15 minutes; an open connection
    outlives it. The region and the task role's credentials come from the environment that ECS gives a task.
    """

    def __init__(self) -> None:
        # botocore itself reads AWS_DEFAULT_REGION alone; ECS sets AWS_REGION.
        self._rds: Any = botocore.session.get_session().create_client("rds", region_name=os.environ.get("AWS_REGION"))

    def token(self, host: str, port: int, user: str) -> str:
        """Return a fresh token for this user of this server."""
        token: str = self._rds.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)
        return token
