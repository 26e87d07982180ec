"""Use the deployed application as its users do, by the load balancer's host name, and as its UI does."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from infra.rehearsal.emulator import Emulator
from infra.rehearsal.problem import RehearsalError

_PRODUCT = {
    "name": "Geladeira Frost Free 375 L",
    "description": None,
    "price": 2899.9,
    "categoria": "Eletrodoméstico",
    "email_fornecedor": "vendas@fornecedor.example.com",
}
_TIMEOUT = 30  # seconds for one request


def round_trip(emulator: Emulator, public_url: str) -> list[str]:
    """Create, read, change and delete a product, load the UI, and let the UI's container call the API by its name.

    Returns what happened, a few words each. Raises RehearsalError at the first answer that is not as it should be.
    """
    site = _Site(emulator.url, public_url)
    created = site.request("POST", "/products/", 201, _PRODUCT)
    path = f"/products/{created['id']}"
    _expect("the product read", site.request("GET", path, 200)["name"], _PRODUCT["name"])
    _expect("the changed price", site.request("PUT", path, 200, {"price": 1999.5})["price"], 1999.5)
    _expect("the product deleted", site.request("DELETE", path, 200)["id"], created["id"])
    site.request("GET", path, 404)
    if b"<html" not in site.fetch("GET", "/", 200).lower():
        raise RehearsalError("GET / through the load balancer is not the page of the UI")
    problem = emulator.execute("ui", 'python -m app.probe "$API_URL/health/ready"')
    if problem is not None:
        raise RehearsalError(f"the UI does not reach the API at its API_URL: {problem}")
    return [*site.answers, "the UI reaches the API at its API_URL"]


class _Site:
    """The load balancer: at the emulator's address, by its own host name."""

    def __init__(self, emulator_url: str, public_url: str) -> None:
        self._host = urlsplit(public_url).netloc
        self._address = urlsplit(emulator_url).netloc
        self.answers: list[str] = []

    def request(self, method: str, path: str, expected: int, body: object = None) -> Any:
        return json.loads(self.fetch(method, path, expected, body))

    def fetch(self, method: str, path: str, expected: int, body: object = None) -> bytes:
        connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT)
        headers = {"Host": self._host, "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise RehearsalError(f"{method} {path} through the load balancer failed: {error}") from error
        finally:
            connection.close()
        if response.status != expected:
            answer = " ".join(content.decode(errors="replace").split())[:300]
            raise RehearsalError(f"{method} {path} through the load balancer answered {response.status}: {answer}")
        self.answers.append(f"{method} {path} {response.status}")
        return content


def _expect(what: str, actual: object, expected: object) -> None:
    if actual != expected:
        raise RehearsalError(f"{what} through the load balancer is {actual!r}, not {expected!r}")
