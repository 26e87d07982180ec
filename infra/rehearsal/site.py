"""The deployed application as its users reach it: by the host name of its public URL, over HTTP to the emulator."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3

from infra.rehearsal.emulator import Emulator
from infra.rehearsal.problem import RehearsalError

_TIMEOUT = 30  # seconds for one request
_PAUSE = 0.1  # seconds between two requests of `steady_requests`


class Site:
    """The public URL of a deployed stack, and the service token with which its UI uses its API."""

    def __init__(self, emulator: Emulator, public_url: str, token: str) -> None:
        self._address = urlsplit(emulator.url).netloc
        self.url = public_url
        self._token = token

    def fetch(self, method: str, path: str, body: object = None, *, signed_in: bool = True) -> tuple[int, bytes]:
        """Send a request and return the answer's status and content; RehearsalError when there is no answer."""
        connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, dict(self.headers(signed_in=signed_in)))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise RehearsalError(f"{method} {path} at {self.url} failed: {error}") from error
        finally:
            connection.close()

    def request(self, method: str, path: str, expected: int, body: object = None, *, signed_in: bool = True) -> Any:
        """Like `fetch`, and return the JSON in the answer; RehearsalError when its status is not the expected one."""
        status, content = self.fetch(method, path, body, signed_in=signed_in)
        if status != expected:
            answer = " ".join(content.decode(errors="replace").split())[:300]
            raise RehearsalError(f"{method} {path} at {self.url} answered {status}: {answer}")
        return json.loads(content)

    def headers(self, *, signed_in: bool) -> Mapping[str, str]:
        """What a request has to carry: the emulator looks at the names, and is told that TLS has ended before it."""
        url = urlsplit(self.url)
        headers = {"Host": url.netloc, "X-Forwarded-Proto": url.scheme, "Content-Type": "application/json"}
        return headers | ({"Authorization": f"Bearer {self._token}"} if signed_in and self._token else {})

    @contextmanager
    def steady_requests(self, path: str) -> Iterator[Counter[int]]:
        """Ask for `path` over and over until the block ends; yield how many answers there were, by status (0: none)."""
        answers: Counter[int] = Counter()
        ended = threading.Event()

        def ask() -> None:
            while not ended.wait(_PAUSE):
                try:
                    status, _content = self.fetch("GET", path)
                except RehearsalError:
                    status = 0
                answers[status] += 1

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        try:
            yield answers
        finally:
            ended.set()
            thread.join()


def service_token(session: boto3.Session, stack_name: str) -> str:
    """Read the service token as an operator does: the API's task definition says in which secret it is."""
    definition = session.client("ecs").describe_task_definition(taskDefinition=f"{stack_name}-api")["taskDefinition"]
    for container in definition["containerDefinitions"]:
        for secret in container.get("secrets", []):
            if secret["name"] == "SERVICE_TOKEN":
                value = session.client("secretsmanager").get_secret_value(SecretId=secret["valueFrom"])
                return str(value["SecretString"])
    raise RehearsalError(f"no container of the task {stack_name}-api is given a SERVICE_TOKEN")
