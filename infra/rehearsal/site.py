"""The deployed application as its users reach it: by the host name of its public URL, over HTTP to the emulator."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3

from infra.rehearsal.problem import RehearsalError

_TIMEOUT = 60  # seconds of silence: what the load balancer and CloudFront allow


class Site:
    """The public URL of a deployed stack, and the service token with which its UI uses its API.

    `address` is the URL at which this machine answers for it.
    """

    def __init__(self, address: str, public_url: str, token: str) -> None:
        self._address = urlsplit(address).netloc
        self.url = public_url
        self._token = token

    def fetch(self, method: str, path: str, body: object = None, *, signed_in: bool = True) -> tuple[int, bytes]:
        """Send a request and return the answer's status and content; RehearsalError when there is no answer."""
        with self.sending(method, path, body, signed_in=signed_in) as connection:
            response = connection.getresponse()
            return response.status, response.read()

    def request(self, method: str, path: str, expected: int, body: object = None, *, signed_in: bool = True) -> Any:
        """Like `fetch`, and return the JSON in the answer; RehearsalError when its status is not the expected one."""
        status, content = self.fetch(method, path, body, signed_in=signed_in)
        if status != expected:
            answer = " ".join(content.decode(errors="replace").split())[:300]
            raise RehearsalError(f"{method} {path} at {self.url} answered {status}: {answer}")
        return json.loads(content)

    @contextmanager
    def sending(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        signed_in: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPConnection]:
        """Send a request, whose connection is closed at the end of the block, answered or not.

        `body` is sent as JSON, unless it is bytes or an iterator of them. `headers` are further ones, or others.
        What goes wrong with the connection in the block is a RehearsalError.
        """
        connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT)
        content = body if body is None or isinstance(body, bytes | Iterator) else json.dumps(body)
        try:
            connection.request(method, path, content, {**self.headers(signed_in=signed_in), **(headers or {})})
            yield connection
        except (OSError, http.client.HTTPException) as error:
            raise RehearsalError(f"{method} {path} at {self.url} failed: {error!r}") from error
        finally:
            connection.close()

    def headers(self, *, signed_in: bool) -> Mapping[str, str]:
        """What a request has to carry: the emulator looks at the names, and is told that TLS has ended before it."""
        url = urlsplit(self.url)
        headers = {"Host": url.netloc, "X-Forwarded-Proto": url.scheme, "Content-Type": "application/json"}
        return headers | ({"Authorization": f"Bearer {self._token}"} if signed_in and self._token else {})

    def count(self) -> int:
        """How many products there are."""
        with self.sending("GET", "/products/?limit=1&count=exact") as connection:
            response = connection.getresponse()
            response.read()
            return int(response.headers.get("X-Total-Count", -1))


def service_token(session: boto3.Session, stack_name: str) -> str:
    """Read the service token as an operator does: a task definition says in which secret it is; empty without one."""
    ecs = session.client("ecs")
    for arn in ecs.list_task_definitions(familyPrefix=f"{stack_name}-api", status="ACTIVE")["taskDefinitionArns"]:
        definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        for container in definition["containerDefinitions"]:
            for secret in container.get("secrets", []):
                if secret["name"] == "SERVICE_TOKEN":
                    value = session.client("secretsmanager").get_secret_value(SecretId=secret["valueFrom"])
                    return str(value["SecretString"])
    return ""
