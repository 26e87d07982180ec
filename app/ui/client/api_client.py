"""The API's products as Python objects: one method an operation, one exception for all that can go wrong."""

import json
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from decimal import Decimal
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError
from urllib3.util import Retry

from app import tracing
from app.ui.client.api_models import (
    EVERYTHING,
    NOT_NOW,
    ApiError,
    BulkChange,
    Chosen,
    DeletedProduct,
    Deletion,
    Failure,
    FieldError,
    HistoryEntry,
    Imported,
    ImportPreview,
    ImportStatus,
    Match,
    Mode,
    Page,
    Product,
    ProductFilter,
    Totals,
)
from app.ui.client.api_summary import Summary

TIMEOUT = (3.0, 12.0)  # seconds to connect, and to answer: the API itself gives up on its database after 10
FILE_TIMEOUT = (3.0, 300.0)  # of a file: a large one is written after its last byte has arrived
IMPORT_POLL_SECONDS = 1  # between two questions how far an import is
IMPORT_AWAY_SECONDS = 120  # for so long the API may be away meanwhile: another task of it takes over
IMPORT_BEGINS_SECONDS = 15  # it may wait for a slot for ten
ACCEPTED = 202
CSV = {"Content-Type": "text/csv; charset=utf-8"}
FILE_NAME_CHARACTERS = 255
SAFE_METHODS = frozenset({"GET"})
ATTEMPTS = 3
LINES = "application/jsonl"  # of the API: line by line how far it is, and what it came to
# What reading an answer raises that something else than the API may have written.
NOT_AS_AGREED = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError)
Result = TypeVar("Result")
Progress = Callable[[int, int], object]  # how many products are done, of how many


def nobody_waits(_done: int, _of: int) -> None:
    """Be told how far it is, and tell nobody."""


class ApiClient:
    """The products of the API at `base_url`; every method raises ApiError. Threads may share one client.

    `token` is what lets this program use an API that asks for one.
    """

    def __init__(self, base_url: str, token: str | None = None, *, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._base_url = base_url
        self._products_url = f"{base_url}/products/"
        self._timeout = timeout
        # A connection that was refused never carried the request, so any method may try again; an answer that says
        # "not now" is asked again for safe methods only.
        retry = Retry(
            total=ATTEMPTS - 1,
            read=False,
            backoff_factor=0.2,
            status_forcelist=NOT_NOW,
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
        self._person: dict[str, str] = {}
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def as_person(self, access_token: str, id_token: str | None) -> "ApiClient":
        """Return this client, its connections too, for the requests of somebody who has signed in."""
        theirs = copy(self)
        theirs._person = {"Access-Token": access_token} | ({"Identity-Token": id_token} if id_token else {})
        return theirs

    def list_products(
        self,
        products: ProductFilter = EVERYTHING,
        *,
        sort: str = "id",
        limit: int = 50,
        after: str | None = None,
        before: str | None = None,
        count: bool = False,
    ) -> Page:
        """Return a page of products: the first one, or the one behind or in front of another page's cursor."""
        parameters = products.parameters() | {"sort": sort, "limit": limit, "after": after, "before": before}
        if count:
            parameters["count"] = "estimated"
        response = self._request("GET", self._products_url, parameters=parameters)
        total = response.headers.get("X-Total-Count", "")
        return Page(
            _read(response, _products),
            after=_cursor(response, "next", "after"),
            before=_cursor(response, "prev", "before"),
            total=int(total) if total.isdecimal() else None,
            total_is_exact=response.headers.get("X-Total-Count-Kind") != "estimated",
        )

    def read_product(self, product_id: int) -> Product:
        """Return one product."""
        return self._one("GET", product_id)

    def read_summary(self, time_zone: str = "UTC", *, fresh: bool = False) -> Summary:
        """Return the whole catalogue in numbers, with the days of a time zone; what is `fresh` is computed now."""
        parameters = {"time_zone": time_zone, "fresh": str(fresh).lower()}
        return _read(self._request("GET", f"{self._products_url}summary", parameters=parameters), Summary.from_json)

    def create_product(self, fields: Mapping[str, Any], idempotency_key: str) -> Product:
        """Create a product from its fields and return it as stored.

        The key makes it safe to send again, which is done here when no answer comes: the API creates it once.
        """
        for attempts_left in reversed(range(ATTEMPTS)):
            try:
                response = self._request(
                    "POST", self._products_url, fields, headers={"Idempotency-Key": idempotency_key}
                )
            except ApiError as error:
                unanswered = error.failure is Failure.INTERRUPTED or error.status in NOT_NOW
                if not (unanswered and attempts_left):
                    raise
            else:
                break
        return _read(response, Product.from_json)

    def update_product(self, product_id: int, changes: Mapping[str, Any], *, version: int) -> Product:
        """Change the named fields of a product, None clearing one, and return it as stored.

        Only the `version` that was read is changed; when there is another one by now, the status is 412.
        """
        return self._one("PATCH", product_id, changes, version=version)

    def delete_product(self, product_id: int, *, version: int) -> Product:
        """Delete a product and return what it was; another `version` by now is a 412."""
        return self._one("DELETE", product_id, version=version)

    def delete_products(self, chosen: Chosen, count: int, on_progress: Progress = nobody_waits) -> Deletion:
        """Delete products, all or none; when they are not `count` by now, it is a 409."""
        return self._bulk("DELETE", {**chosen.parameters(), "confirm": count}, None, Deletion.from_json, on_progress)

    def change_products(
        self, chosen: Chosen, change: Mapping[str, Any], count: int, on_progress: Progress = nobody_waits
    ) -> BulkChange:
        """Change the category or the prices of products, all or none; when they are not `count` by now, it is a 409."""
        parameters = {**chosen.parameters(), "confirm": count}
        return self._bulk("PATCH", parameters, change, BulkChange.from_json, on_progress)

    def preview_change(self, chosen: Chosen, change: Mapping[str, Any]) -> BulkChange:
        """Return what `change_products` would do."""
        parameters = {**chosen.parameters(), "dry_run": "true"}
        return self._bulk("PATCH", parameters, change, BulkChange.from_json, nobody_waits)

    def total(self, chosen: Chosen) -> Totals:
        """Return how many products there are, and what they cost."""
        url = f"{self._products_url}totals"
        return _read(self._request("GET", url, parameters=chosen.parameters()), Totals.from_json)

    def list_deleted(self, *, after: str | None = None) -> tuple[tuple[DeletedProduct, ...], str | None]:
        """Return some of the bin, the newest first, and the cursor of the older ones."""
        response = self._request("GET", f"{self._products_url}deleted", parameters={"after": after})
        found = _read(response, lambda body: tuple(map(DeletedProduct.from_json, body)))
        return found, _cursor(response, "next", "after")

    def restore(self, *, ids: Sequence[int] = (), deletion: str | None = None) -> int:
        """Take deleted products back, or all of one deletion; return how many they were."""
        parameters = {"id": list(ids)} if ids else {"deletion": deletion}
        url = f"{self._products_url}deleted/restore"
        response = self._request("POST", url, parameters=parameters, timeout=FILE_TIMEOUT)
        return _read(response, lambda body: int(body["restored"]))

    def read_history(
        self, product_id: int, *, before: str | None = None
    ) -> tuple[tuple[HistoryEntry, ...], str | None]:
        """Return what became of a product, the newest first, and where the older entries begin."""
        url = f"{self._products_url}{product_id}/history"
        response = self._request("GET", url, parameters={"before": before})
        found = _read(response, lambda body: tuple(map(HistoryEntry.from_json, body)))
        return found, _cursor(response, "next", "before")

    def suggest(self, q: str) -> tuple[str, ...]:
        """Return near spellings for a search that finds nothing."""
        response = self._request("GET", f"{self._products_url}suggestions", parameters={"q": q})
        return _read(response, lambda body: tuple(map(str, body["suggestions"])))

    def preview_import(self, file: Iterable[bytes], *, match: Match | None) -> ImportPreview:
        """Return what an import of a CSV file would do; nothing is written."""
        response = self._request(
            "POST",
            f"{self._products_url}import/preview",
            (piece for piece in file),  # requests would take a list for a form
            parameters={"match": match},
            headers=CSV,
            timeout=FILE_TIMEOUT,
        )
        return _read(response, ImportPreview.from_json)

    def import_products(
        self,
        file: Iterable[bytes],
        *,
        skip_refused: bool,
        key: str = "",
        match: Match | None = None,
        mode: Mode = "upsert",
        confirm: str | None = None,
        file_name: str | None = None,
    ) -> Imported:
        """Create the products of a CSV file, which is sent as its pieces come, and wait until the API is done with it.

        With a `match` it changes those that are there already. With the `confirm` of a preview it does what that said,
        or nothing (409).

        With `skip_refused` the rows that are no products are left out and told, else one of them keeps the whole file
        out (422). With a `key` the result is found also when the connection breaks on the way.
        """
        is_sent = False

        def pieces() -> Iterator[bytes]:  # requests would take a list for a form
            nonlocal is_sent
            yield from file
            is_sent = True

        try:
            response = self._request(
                "POST",
                f"{self._products_url}import",
                pieces(),
                parameters={
                    "on_error": "skip" if skip_refused else "abort",
                    "match": match,
                    "mode": mode if match else None,
                    "confirm": confirm,
                    "file_name": file_name[:FILE_NAME_CHARACTERS] if file_name else None,
                },
                headers=CSV | {"Prefer": "respond-async"} | ({"Idempotency-Key": key} if key else {}),
                timeout=FILE_TIMEOUT,
            )
        except ApiError as error:
            status = self._await_import(key) if key and is_sent and error.outcome_unknown else None
            if status is None:
                raise
        else:
            if response.status_code == ACCEPTED:
                status = _read(response, ImportStatus.from_json)
            else:
                return _read(response, Imported.from_json)
        return self._import_result(status)

    def find_import(self, key: str) -> ImportStatus | None:
        """Return the import of this key, if the API knows one: it does for a day."""
        response = self._request("GET", f"{self._products_url}imports", parameters={"idempotency_key": key})
        return _read(response, lambda body: next(map(ImportStatus.from_json, body), None))

    def recent_imports(self) -> Sequence[ImportStatus]:
        """Return the imports of the last day, the newest first."""
        response = self._request("GET", f"{self._products_url}imports")
        return _read(response, lambda body: [ImportStatus.from_json(one) for one in body])

    def cancel_import(self, import_id: str) -> ImportStatus:
        """End an import that is under way; nothing of it is written then."""
        return _read(self._request("DELETE", f"{self._products_url}imports/{import_id}"), ImportStatus.from_json)

    def undo_import(self, import_id: str) -> ImportStatus:
        """Take an import back as a whole: what it created is deleted, what it changed is as it was."""
        url = f"{self._products_url}imports/{import_id}/undo"
        return _read(self._request("POST", url, timeout=FILE_TIMEOUT), ImportStatus.from_json)

    def _await_import(self, key: str) -> ImportStatus | None:
        """Return the import of this key, which the API may have begun by now, or may soon."""
        until = time.monotonic() + IMPORT_BEGINS_SECONDS
        while time.monotonic() < until:
            with suppress(ApiError):
                if (found := self.find_import(key)) is not None:
                    return found
            time.sleep(IMPORT_POLL_SECONDS)
        return None

    def _import_result(self, status: ImportStatus) -> Imported:
        """Wait until an import is over, also while the API is away for a moment."""
        seen = time.monotonic()
        while not status.is_over:
            time.sleep(IMPORT_POLL_SECONDS)
            try:
                response = self._request("GET", f"{self._products_url}imports/{status.id}")
                status, seen = _read(response, ImportStatus.from_json), time.monotonic()
            except ApiError as error:
                if not error.may_pass or time.monotonic() - seen > IMPORT_AWAY_SECONDS:
                    error.outcome_unknown = True
                    raise
        if status.error is not None:
            raise status.error
        if status.imported is None:
            raise ApiError(Failure.NOT_THE_API, "an import that is done has no result", outcome_unknown=True)
        return status.imported

    def export_products(
        self, products: ProductFilter, *, sort: str, file_format: Literal["csv", "excel", "jsonl"]
    ) -> Generator[bytes]:
        """Return the pieces of a file of all products that meet the filter; it is open before the first one.

        Who does not want all of them closes the generator: the API holds a database connection until then.
        """
        parameters = products.parameters() | {"sort": sort, "format": file_format}
        response = self._request(
            "GET", f"{self._products_url}export", parameters=parameters, timeout=FILE_TIMEOUT, stream=True
        )
        return _pieces(response)

    def is_ready(self) -> bool:
        """Say whether the API answers and can work."""
        try:
            self._request("GET", f"{self._base_url}/health/ready")
        except ApiError:
            return False
        return True

    def _bulk(
        self,
        method: str,
        parameters: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        read: Callable[[Any], Result],
        on_progress: Progress,
    ) -> Result:
        """Do something with many products, and tell meanwhile how far it is."""
        response = self._request(
            method,
            self._products_url,
            body,
            parameters=parameters,
            headers={"Accept": LINES},
            timeout=FILE_TIMEOUT,
            stream=True,
        )
        with response:
            if not response.headers.get("Content-Type", "").startswith(LINES):
                return _read(response, read)
            try:
                for line in response.iter_lines():
                    said = json.loads(line, parse_float=Decimal)
                    if "result" in said:
                        return read(said["result"])
                    if "problem" in said:
                        raise _problem(said["problem"], int(said["problem"]["status"]))
                    on_progress(int(said["done"]), int(said["of"]))
            except (requests.RequestException, *NOT_AS_AGREED) as error:
                raise ApiError(Failure.INTERRUPTED, str(error), outcome_unknown=True) from error
        raise ApiError(Failure.INTERRUPTED, "the answer has no end", outcome_unknown=True)

    def _one(
        self, method: str, product_id: int, body: Mapping[str, Any] | None = None, *, version: int | None = None
    ) -> Product:
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        response = self._request(method, f"{self._products_url}{product_id}", body, headers=headers)
        return _read(response, Product.from_json)

    def _request(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | Iterable[bytes] | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: tuple[float, float] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        media_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data: Any = json.dumps(body, default=_as_number).encode() if isinstance(body, Mapping) else body
        unsafe = method not in SAFE_METHODS
        request_id = uuid4().hex  # by which whoever runs the API finds what it logged
        try:
            with tracing.request_to(method, url) as traced:
                response = self._session.request(
                    method,
                    url,
                    params=parameters,
                    data=data,
                    headers={
                        "X-Request-ID": request_id,
                        **traced.headers,
                        **({} if body is None else {"Content-Type": media_type}),
                        **self._person,
                        **(headers or {}),
                    },
                    timeout=timeout or self._timeout,
                    allow_redirects=False,
                    stream=stream,
                )
                traced.status = response.status_code
        except requests.ReadTimeout as error:
            raise ApiError(Failure.TIMEOUT, str(error), outcome_unknown=unsafe, request_id=request_id) from error
        except requests.RequestException as error:
            if _never_sent(error):
                raise ApiError(Failure.UNREACHABLE, str(error)) from error
            raise ApiError(Failure.INTERRUPTED, str(error), outcome_unknown=unsafe, request_id=request_id) from error
        if not response.ok or response.is_redirect:
            refused = _refused(response, unsafe=unsafe)
            refused.request_id = request_id
            raise refused
        return response


def _products(body: Any) -> tuple[Product, ...]:
    if not isinstance(body, list):
        raise TypeError("the list is no array")
    return tuple(map(Product.from_json, body))


def _pieces(response: requests.Response) -> Generator[bytes]:
    with response:
        yield from response.iter_content(chunk_size=2**16)


def _as_number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)  # exact on the wire: a double holds more digits than a price has
    raise TypeError(f"{type(value).__name__} has no place in a request")


def _never_sent(error: requests.RequestException) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.InvalidURL):
        return True
    return isinstance(getattr(error.args[0] if error.args else None, "reason", None), NewConnectionError)


def _cursor(response: requests.Response, relation: str, name: str) -> str | None:
    url = response.links.get(relation, {}).get("url", "")
    return parse_qs(urlsplit(url).query).get(name, [None])[0]


def _refused(response: requests.Response, *, unsafe: bool) -> ApiError:
    try:
        return _problem(response.json(), response.status_code)
    except (requests.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return _not_the_api(response, outcome_unknown=unsafe and response.status_code >= 500)


def _problem(problem: Any, status: int) -> ApiError:
    return ApiError(
        Failure.REFUSED,
        str(problem["detail"]),
        status=status,
        errors=[FieldError.from_json(error) for error in problem.get("errors") or ()],
        refused=int(problem.get("refused") or 0),
    )


def _json(response: requests.Response) -> Any:
    try:
        return response.json(parse_float=Decimal)
    except requests.JSONDecodeError:
        raise _not_the_api(response) from None


def _read(response: requests.Response, read: Callable[[Any], Result]) -> Result:
    """Return what `read` makes of the answer's JSON, which something else than the API may have written."""
    body = _json(response)
    try:
        return read(body)
    except NOT_AS_AGREED:
        raise _not_the_api(response) from None


def _not_the_api(response: requests.Response, *, outcome_unknown: bool = False) -> ApiError:
    return ApiError(
        Failure.NOT_THE_API,
        f"{response.url} answered {response.status_code} with something that is not the catalogue API's",
        status=response.status_code,
        outcome_unknown=outcome_unknown,
    )
