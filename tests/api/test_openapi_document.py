"""The OpenAPI document is whole: every operation, value and answer is described, with an example that is true."""

import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema_rs  # which Schemathesis brings
import pytest
from fastapi.testclient import TestClient

from app.api.main import create_app
from testkit.tools import ROOT
from tests.api.conftest import Json, created

DOCUMENT = create_app().openapi()
OPERATIONS = {o["operationId"]: o for operations in DOCUMENT["paths"].values() for o in operations.values()}


def contents(operation: Json) -> Iterator[Json]:
    """Yield what the bodies of the operation's request and responses are, media type by media type."""
    for answer in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield from answer.get("content", {}).values()


def examples(declared: Json) -> list[Any]:
    """Return the examples of a parameter, header or body."""
    named = [example["value"] for example in declared.get("examples", {}).values()]
    return [*named, *declared["schema"].get("examples", []), *([declared["example"]] if "example" in declared else [])]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_what_it_does_and_shows_it(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"].endswith(".")
    headers = [h for response in operation["responses"].values() for h in response.get("headers", {}).values()]
    assert all(declared["description"] for declared in [*headers, *operation.get("parameters", [])])
    for declared in (*operation.get("parameters", []), *headers, *contents(operation)):
        schema = declared["schema"] | {"components": DOCUMENT["components"]}
        assert examples(declared), declared
        for example in examples(declared):
            jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(example)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_declares_the_problems_it_can_answer_with(name: str) -> None:
    operation = OPERATIONS[name]
    has_json = any(media_type.endswith("json") for media_type in operation.get("requestBody", {}).get("content", {}))
    has_values = "parameters" in operation or "requestBody" in operation
    about_one = name in ("read_product", "update_product", "patch_product", "delete_product")
    about_import = name in ("read_import", "cancel_import", "undo_import")
    takes_file = name in ("import_products", "preview_import")
    expected = {
        "400": has_json or takes_file,
        "401": "security" in operation,
        "404": about_one or about_import or name in ("read_history", "restore_products"),
        "408": has_json or takes_file,
        "409": name
        in (
            *("delete_products", "change_products", "restore_products"),
            *("import_products", "cancel_import", "undo_import"),
        ),
        "412": about_one and name != "read_product",
        "413": has_json or takes_file,
        "414": "security" in operation,
        "415": takes_file,
        "422": has_values,
        "428": about_one and name != "read_product",
        "500": name == "import_products",
        "503": name != "live",
    }
    declared = {status for status in operation["responses"] if status >= "400"}
    assert declared == {status for status, can_be in expected.items() if can_be}


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert DOCUMENT["info"]["version"] == project["version"]


def test_what_answers_carry_besides_is_declared() -> None:
    declared = {
        (name, status, header)
        for name, operation in OPERATIONS.items()
        for status, response in operation["responses"].items()
        for header in response.get("headers", {})
    }
    one = {(name, "200", "ETag") for name in ("read_product", "update_product", "patch_product", "delete_product")}
    assert one | {("create_product", "201", "ETag"), ("read_product", "304", "ETag")} <= declared
    assert {("create_product", "201", "Location"), ("read_summary", "200", "Age")} <= declared
    assert {("read_products", "200", header) for header in ("Link", "X-Total-Count", "X-Total-Count-Kind")} <= declared
    assert ("export_products", "200", "Content-Disposition") in declared
    assert {("import_products", status, "Location") for status in ("200", "202", "500")} <= declared
    problems = {(name, status) for name, o in OPERATIONS.items() for status in o["responses"]}
    for status, header in (("401", "WWW-Authenticate"), ("412", "ETag"), ("503", "Retry-After")):
        assert {(n, s, header) for n, s in problems if s == status} <= declared


@pytest.mark.parametrize(
    ("name", "method", "path", "request_"),
    [
        ("create_product", "POST", "/products/", {"content": b"\xff", "headers": {"content-type": "application/json"}}),
        ("create_product", "POST", "/products/", {"json": {"price": 0}}),
        ("create_product", "POST", "/products/", {"json": {"price": 5}, "headers": {"idempotency-key": "used"}}),
        ("read_products", "GET", "/products/?limit=1000", {}),
        ("delete_products", "DELETE", "/products/?price_min=2&price_max=1&confirm=1", {}),
        ("delete_products", "DELETE", "/products/", {}),
        ("delete_products", "DELETE", "/products/?confirm=2", {}),
        ("change_products", "PATCH", "/products/?confirm=2", {"json": {"categoria": "Roupas"}}),
        ("change_products", "PATCH", "/products/", {"json": {"categoria": "Roupas"}}),
        ("change_products", "PATCH", "/products/?dry_run=true", {"json": {"price": {"amount": -9999}}}),
        ("restore_products", "POST", "/products/deleted/restore", {}),
        ("restore_products", "POST", "/products/deleted/restore?id=2147483647", {}),
        ("read_bin", "GET", "/products/deleted?limit=1000", {}),
        ("read_history", "GET", "/products/2147483647/history", {}),
        ("read_product", "GET", "/products/0", {}),
        ("read_product", "GET", "/products/x", {}),
        ("read_product", "GET", "/products/{id}", {"headers": {"if-none-match": "1"}}),
        ("update_product", "PUT", "/products/x", {"json": {"price": 0}}),
        ("patch_product", "PATCH", "/products/{id}", {"json": {}, "headers": {"if-match": '"7"'}}),
        ("delete_product", "DELETE", "/products/{id}", {"headers": {"if-match": "1"}}),
        ("delete_product", "DELETE", "/products/{id}", {"headers": {"if-match": '"7"'}}),
        ("export_products", "GET", "/products/export?format=xlsx", {}),
        ("import_products", "POST", "/products/import", {"json": []}),
        ("read_imports", "GET", f"/products/imports?idempotency_key={'x' * 256}", {}),
        ("read_import", "GET", "/products/imports/x", {}),
        ("read_import", "GET", "/products/imports/00000000-0000-0000-0000-000000000000", {}),
        ("cancel_import", "DELETE", "/products/imports/00000000-0000-0000-0000-000000000000", {}),
    ],
)
def test_an_example_of_a_problem_is_what_the_api_answers(
    client: TestClient, product: Json, name: str, method: str, path: str, request_: Json
) -> None:
    made = [created(client, product) for _ in range(3)]
    if name == "create_product" and "json" in request_:
        request_ = request_ | {"json": product | request_["json"]}
        client.post("/products/", json=product, headers=request_.get("headers"))
    response = client.request(method, path.format(id=made[0]["id"]), **request_)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() in examples(
        OPERATIONS[name]["responses"][str(response.status_code)]["content"]["application/problem+json"]
    )
