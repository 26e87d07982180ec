"""The API's products as Python objects: one method an operation, one exception for all that can go wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, auto
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError
from urllib3.util import Retry

# What the API accepts as `categoria`; it refuses anything else, so this is only what a form offers.
CATEGORIES = ("Eletrônico", "Eletrodoméstico", "Móveis", "Roupas", "Calçados")
PAGE_SIZE = 50
TIMEOUT = (3.0, 12.0)  # seconds to connect, and to answer: the API itself gives up on its database after 10
SAFE_METHODS = frozenset({"GET"})


@dataclass(frozen=True)
class Product:
    """One product of the catalogue; `price` is in Brazilian reais."""

    id: int
    name: str
    description: str | None
    price: Decimal
    categoria: str
    email_fornecedor: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Page:
    """One page of the list, and the address of the page after it, if there is one."""

    products: tuple[Product, ...]
    next_url: str | None


class Failure(Enum):
    """What kept a request from being answered as asked."""

    UNREACHABLE = auto()  # no connection: the request did not arrive
    TIMEOUT = auto()  # no answer in time
    INTERRUPTED = auto()  # the connection broke before the answer
    REFUSED = auto()  # the API answered with a problem
    NOT_THE_API = auto()  # something else answered


class ApiError(Exception):
    """A request failed.

    `detail` is the API's own sentence when `failure` is REFUSED, and `fields` then holds its message for each wrong
    field. `status` is the HTTP status, if there was an answer. `outcome_unknown` says that the request may have
    changed something all the same.
    """

    def __init__(
        self,
        failure: Failure,
        detail: str,
        *,
        status: int | None = None,
        fields: Mapping[str, str] | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail
        self.status = status
        self.fields = dict(fields or {})
        self.outcome_unknown = outcome_unknown


class ApiClient:
    """The products of the API at `base_url`; every method raises ApiError. Threads may share one client.

    `token` is what lets this program use an API that asks for one.
    """

    def __init__(self, base_url: str, token: str | None = None, *, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._products_url = f"{base_url}/products/"
        self._timeout = timeout
        # A connection that was refused never carried the request, so any method may try again; an answer that says
        # "not now" is asked again for safe methods only.
        retry = Retry(
            total=2,
            read=False,
            backoff_factor=0.2,
            status_forcelist=(502, 503, 504),
            allowed_methods=SAFE_METHODS,
            raise_on_status=False,
            respect_retry_after_header=False,  # somebody is looking at the page meanwhile
        )
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=32, max_retries=retry)
        self._session = requests.Session()
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.trust_env = False  # the API is a neighbour: no proxy of this machine lies on the way
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # visitors share this session
        self._session.headers["Accept"] = "application/json"
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def list_products(self, url: str | None = None) -> Page:
        """Return the first page of products by id, or the page at `url`, which is another page's `next_url`."""
        first = f"{self._products_url}?limit={PAGE_SIZE}"
        response = self._request("GET", url or first)
        body = _json(response)
        if not isinstance(body, list):
            raise _not_the_api(response)
        next_url = response.links.get("next", {}).get("url")
        return Page(
            tuple(_product(item, response) for item in body), urljoin(response.url, next_url) if next_url else None
        )

    def read_product(self, product_id: int) -> Product:
        """Return one product."""
        return self._one("GET", product_id)

    def create_product(self, fields: Mapping[str, Any]) -> Product:
        """Create a product from its fields and return it as stored."""
        response = self._request("POST", self._products_url, fields)
        return _product(_json(response), response)

    def update_product(self, product_id: int, changes: Mapping[str, Any]) -> Product:
        """Change the named fields of a product, None clearing one, and return it as stored."""
        return self._one("PATCH", product_id, changes)

    def delete_product(self, product_id: int) -> Product:
        """Delete a product and return what it was."""
        return self._one("DELETE", product_id)

    def _one(self, method: str, product_id: int, body: Mapping[str, Any] | None = None) -> Product:
        response = self._request(method, f"{self._products_url}{product_id}", body)
        return _product(_json(response), response)

    def _request(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> requests.Response:
        data = None if body is None else json.dumps(body, default=_as_number).encode()
        media_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {} if body is None else {"Content-Type": media_type}
        unsafe = method not in SAFE_METHODS
        try:
            response = self._session.request(
                method, url, data=data, headers=headers, timeout=self._timeout, allow_redirects=False
            )
        except requests.ReadTimeout as error:
            raise ApiError(Failure.TIMEOUT, str(error), outcome_unknown=unsafe) from error
        except requests.RequestException as error:
            if _never_sent(error):
                raise ApiError(Failure.UNREACHABLE, str(error)) from error
            raise ApiError(Failure.INTERRUPTED, str(error), outcome_unknown=unsafe) from error
        if not response.ok or response.is_redirect:
            raise _refused(response, unsafe=unsafe)
        return response


def _as_number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)  # exact on the wire: a double holds more digits than a price has
    raise TypeError(f"{type(value).__name__} has no place in a request")


def _never_sent(error: requests.RequestException) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.InvalidURL):
        return True
    return isinstance(getattr(error.args[0] if error.args else None, "reason", None), NewConnectionError)


def _refused(response: requests.Response, *, unsafe: bool) -> ApiError:
    try:
        problem = response.json()
        detail = problem["detail"]
        fields = {e["field"]: e["message"] for e in problem.get("errors") or () if e.get("field")}
    except (requests.JSONDecodeError, KeyError, TypeError, AttributeError):
        return _not_the_api(response, outcome_unknown=unsafe and response.status_code >= 500)
    return ApiError(Failure.REFUSED, str(detail), status=response.status_code, fields=fields)


def _json(response: requests.Response) -> Any:
    try:
        return response.json(parse_float=Decimal)
    except requests.JSONDecodeError:
        raise _not_the_api(response) from None


def _product(body: Any, response: requests.Response) -> Product:
    try:
        return Product(
            id=int(body["id"]),
            name=str(body["name"]),
            description=None if body["description"] is None else str(body["description"]),
            price=Decimal(body["price"]),
            categoria=str(body["categoria"]),
            email_fornecedor=str(body["email_fornecedor"]),
            created_at=datetime.fromisoformat(body["created_at"]),
            updated_at=datetime.fromisoformat(body["updated_at"]),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError):
        raise _not_the_api(response) from None


def _not_the_api(response: requests.Response, *, outcome_unknown: bool = False) -> ApiError:
    return ApiError(
        Failure.NOT_THE_API,
        f"{response.url} answered {response.status_code} with something that is not the catalogue API's",
        status=response.status_code,
        outcome_unknown=outcome_unknown,
    )
