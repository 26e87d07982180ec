"""Use the deployed application as its users do, through the public URL, and as its UI does."""

from infra.rehearsal.emulator import Emulator
from infra.rehearsal.problem import RehearsalError
from infra.rehearsal.products import PRODUCT
from infra.rehearsal.site import Site


def round_trip(site: Site, emulator: Emulator) -> list[str]:
    """Be refused without a token; with it create, read, change and delete a product; load the UI, let it call the API.

    Returns what happened, a few words each. Raises RehearsalError at the first answer that is not as it should be.
    """
    site.request("GET", "/products/", 401, signed_in=False)
    created = site.request("POST", "/products/", 201, PRODUCT)
    path = f"/products/{created['id']}"
    _expect("the product read", site.request("GET", path, 200)["name"], PRODUCT["name"])
    _expect("the changed price", site.request("PUT", path, 200, {"price": 1999.5})["price"], 1999.5)
    _expect("the product deleted", site.request("DELETE", path, 200)["id"], created["id"])
    site.request("GET", path, 404)
    status, page = site.fetch("GET", "/", signed_in=False)
    if status != 200 or b"<html" not in page.lower():
        raise RehearsalError(f"GET / at {site.url} answered {status}, and is not the page of the UI")
    problem = emulator.execute("ui", 'python -m app.probe "$API_URL/health/ready"')
    if problem is not None:
        raise RehearsalError(f"the UI does not reach the API at its API_URL: {problem}")
    return [
        "GET /products/ without a token 401",
        "with it POST 201",
        f"GET {path} 200",
        "PUT 200",
        "DELETE 200",
        "GET 404",
        "GET / 200",
        "the UI reaches the API at its API_URL",
    ]


def _expect(what: str, actual: object, expected: object) -> None:
    if actual != expected:
        raise RehearsalError(f"{what} at the public URL is {actual!r}, not {expected!r}")
