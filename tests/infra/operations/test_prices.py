"""`make prices`: a region's prices from the AWS Price List, whose own API model checks the requests."""

import json
from pathlib import Path

import pytest
from botocore.stub import ANY, Stubber

from infra.cost.price_list import PRODUCTS
from infra.cost.prices import TABLE, prices
from infra.operations import prices as command
from tests.infra.operations.conftest import stub_clients

PARIS = "eu-west-3"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the table to write to."""
    copy = tmp_path / "prices.toml"
    copy.write_text(TABLE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(command, "TABLE", copy)
    monkeypatch.setattr(prices, "__defaults__", (copy,))
    return copy


@pytest.fixture
def price_list(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    """A Price List that answers only what it is told to."""
    return stub_clients(monkeypatch, "pricing")["pricing"]


def answer(price_list: Stubber, service: str, usage: str, usd: float | None) -> None:
    """Let the list have one product of a service, or none, and others that are not asked for."""
    dimension = {"unit": "Hrs", "beginRange": "0", "pricePerUnit": {"USD": f"{usd}"}}
    found = {
        "product": {"sku": "A", "attributes": {"usagetype": f"EUW3-{usage}"}},
        "serviceCode": service,
        "terms": {"OnDemand": {"A.T": {"priceDimensions": {"A.T.D": dimension}}}},
        "publicationDate": "2026-10-01T00:00:00Z",
    }
    other = {**found, "product": {"sku": "B", "attributes": {"usagetype": f"EUW3-Reserved{usage}"}}}
    products = [json.dumps(one) for one in ([found, other] if usd else [other])]
    price_list.add_response("get_products", {"PriceList": products}, {"ServiceCode": service, "Filters": ANY})


def test_a_new_region_is_written_and_what_the_list_lacks_is_said(
    table: Path, price_list: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, product in PRODUCTS.items():
        answer(price_list, product.service, product.usage, None if name == "efs_gb_month" else 0.5)

    assert command.main(PARIS) == 0

    price_list.assert_no_pending_responses()
    found = prices(PARIS, table)
    assert found["rds_db.t4g.small_multi_az_hour"] == 0.5
    assert found.found["nat_gateway_hour"].source == "AWS Price List: AmazonEC2, EUW3-NatGateway-Hours"
    said = capsys.readouterr().out
    assert "efs_gb_month: the price list has none; it is not there" in said
    assert f"{len(PRODUCTS) - 1} prices of {PARIS}" in said


def test_a_known_region_says_what_changed_and_keeps_what_the_list_lacks(
    table: Path, price_list: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    before = prices("us-east-1")
    for name, product in PRODUCTS.items():
        answer(price_list, product.service, product.usage, 0.05 if name == "nat_gateway_hour" else None)

    assert command.main("us-east-1") == 0

    after = prices("us-east-1", table)
    assert after["nat_gateway_hour"] == 0.05
    assert after.found["load_balancer_hour"] == before.found["load_balancer_hour"]
    assert after["waf_rule_month"] == before["waf_rule_month"]
    said = capsys.readouterr().out
    assert "nat_gateway_hour: 0.045 → 0.05" in said
    assert "load_balancer_hour: the price list has none; it stays 0.0225, of 2026-09-11" in said


def test_without_the_right_to_it_nothing_is_written(
    table: Path, price_list: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    before = table.read_text(encoding="utf-8")
    price_list.add_client_error(
        "get_products", "AccessDeniedException", "not authorized to perform pricing:GetProducts"
    )

    assert command.main(PARIS) == 1

    assert "make prices: " in (said := capsys.readouterr().err)
    assert "pricing:GetProducts" in said
    assert table.read_text(encoding="utf-8") == before


def test_a_region_that_nothing_is_deployed_to_is_refused(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main("mars-north-1") == 1

    assert "mars-north-1 is not one of the regions" in capsys.readouterr().err
