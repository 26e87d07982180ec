"""The OpenAPI document says what the API does: requests made from it, right and wrong, get the answers it names."""

import json
import sys
from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree
from sqlalchemy import URL, create_engine, text

from app.api.main import create_app
from testkit.database import API_ROLE
from testkit.server import running
from tests.api.conftest import Json

TOKEN = "test-service-token-of-at-least-32-characters"
# Schemathesis' own list, and an address that is too long to be looked at.
REFUSALS = [str(status) for status in (400, 401, 403, 404, 405, 406, 409, 414, 415, 422, 428, 429)] + ["5xx"]
CONFIG: Json = {
    "seed": 1,
    "generation": {"mode": "all", "deterministic": True, "max-examples": 100, "database": "none"},
    "checks": {"enabled": True, "negative_data_rejection": {"expected-statuses": REFUSALS}},
}
# What a right request can be refused for nevertheless, since no schema of one value can say it: how two of them go
# together, and what happened before.
RULES = {
    ("price_max", "value_error"),
    ("created_before", "value_error"),
    ("after", "value_error"),
    ("before", "value_error"),
    ("email_fornecedor", "value_error"),  # no mail can go to example.test
    ("q", "value_error"),  # some characters besides ASCII's are no part of a word either
    ("idempotency-key", "reused_key"),
    ("confirm", "confirmation"),  # how many there are
    ("price", "price_out_of_range"),  # ... what they cost
    ("price", "value_error"),  # either a percentage or an amount
    # Rows of a file that update: which product each means depends on the products there are, and on the other rows.
    ("name", "ambiguous"),
    ("", "contradicts"),
    ("id", "unknown_id"),
    ("version", "stale_version"),
    ("", "value_error"),  # one or the other value, or at least one
    # Schemathesis knows these two headers itself and takes no notice of their patterns in one of its phases.
    ("if-match", "invalid_header"),
    ("if-none-match", "invalid_header"),
}

row = st.tuples(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20),
    st.integers(1, 999_999).map(lambda cents: f"{cents / 100:.2f}"),
    st.sampled_from(["Roupas", "Móveis"]),
)
csv_files = st.lists(row, max_size=3).map(
    lambda rows: (
        "name,price,categoria,email_fornecedor\n"
        + "".join(f"{name},{price},{categoria},a@example.com\n" for name, price, categoria in rows)
    )
)
json_lines = st.lists(row, max_size=3).map(
    lambda rows: "".join(
        json.dumps({"name": name, "price": float(price), "categoria": categoria, "email_fornecedor": "a@example.com"})
        + "\n"
        for name, price, categoria in rows
    )
)
# A file is text to JSON Schema: which texts are right is said here.
schemathesis.openapi.media_type("text/csv", csv_files.map(str.encode))
schemathesis.openapi.media_type("application/jsonl", json_lines.map(str.encode))
schemathesis.openapi.format("time-zone", st.sampled_from(sorted(available_timezones())))


Case = schemathesis.Case[Any]
requests = schemathesis.openapi.from_dict(create_app().openapi(), config=SchemathesisConfig.from_dict(CONFIG))


@requests.auth()
class SignIn:
    """The service token in every request; the check for ignored sign-in leaves it out itself."""

    def get(self, _case: Case, _context: schemathesis.AuthContext) -> str:
        return TOKEN

    def set(self, case: Case, data: str, _context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@requests.hook
def filter_headers(_context: Any, headers: Json | None) -> bool:
    """Send no header that makes a request none in HTTP: the server answers to those before the API does."""
    return not {name.lower() for name in headers or ()} & {"content-length", "transfer-encoding"}


@requests.hook
def filter_failure(_context: Any, failure: Failure, case: Case, response: schemathesis.Response) -> bool:
    """Let a right request be refused by one of RULES, or because the product has another version by now.

    A deleted product keeps its history.
    """
    if isinstance(failure, UseAfterFree):
        return bool(case.operation.definition.raw["operationId"] != "read_history")
    if not isinstance(failure, RejectedPositiveData):
        return True
    if response.status_code == 412:
        return False
    return not {(e["field"], e["code"]) for e in response.json().get("errors", [])} <= RULES


@pytest.fixture(scope="module")
def address(migrated_postgres_url: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running API where one has to sign in."""
    url = migrated_postgres_url.set(username=API_ROLE).render_as_string(hide_password=False)
    environment = {"DATABASE_URL": url, "SERVICE_TOKEN": TOKEN}
    log = tmp_path_factory.mktemp("api") / "api.log"
    with running([sys.executable, "-m", "app.api.main"], "API_PORT", "/health/ready", environment, log) as address:
        yield address


@requests.parametrize()
def test_every_answer_is_as_the_document_says(case: Case, address: str) -> None:
    case.call_and_validate(base_url=address)


def test_what_is_created_can_be_read_changed_and_deleted(address: str, migrated_postgres_url: URL) -> None:
    engine = create_engine(migrated_postgres_url, isolation_level="AUTOCOMMIT")
    seen: set[tuple[str, int]] = set()

    class Story(requests.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            # Every story starts with nothing, or it would not go the same way when it is told again.
            with engine.connect() as connection:
                connection.execute(
                    text(
                        "TRUNCATE products, deleted_products, product_changes, idempotency_keys, products_summary, "
                        "imports, import_changes RESTART IDENTITY"
                    )
                )

        def get_call_kwargs(self, _case: Case) -> Json:
            return {"base_url": address}

        def after_call(self, response: schemathesis.Response, case: Case) -> None:
            super().after_call(response, case)
            seen.add((case.operation.definition.raw["operationId"], response.status_code))

    Story.run(
        settings=settings(
            max_examples=200,
            stateful_step_count=8,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
    )
    engine.dispose()
    assert {("create_product", 201), ("read_product", 200), ("update_product", 200), ("patch_product", 200)} <= seen
    assert {("delete_product", 200), ("read_product", 404)} <= seen
