"""The price table: dated, sourced, of regions that can be deployed to, and renewed from the AWS Price List."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.cost.price_list import PRODUCTS, Product, section, with_section
from infra.cost.prices import EVERYWHERE, TABLE, NoPriceError, Price, prices, regions
from infra.plan.regions import REGIONS

TODAY = datetime.datetime.now(datetime.UTC).date()


def product(usage: str, *tiers: tuple[str, str], service: str = "AmazonECS") -> str:
    """A product as the Price List has it."""
    dimensions = {
        f"tier-{begin}": {"unit": "hours", "beginRange": begin, "pricePerUnit": {"USD": usd}} for begin, usd in tiers
    }
    return json.dumps(
        {
            "product": {"sku": "SKU", "attributes": {"usagetype": usage, "regionCode": "sa-east-1"}},
            "serviceCode": service,
            "terms": {"OnDemand": {"SKU.TERM": {"priceDimensions": dimensions}}},
            "version": "20261001000000",
            "publicationDate": "2026-10-01T00:00:00Z",
        }
    )


def test_there_are_several_regions_all_deployable() -> None:
    assert {"us-east-1", "eu-west-1", "ap-southeast-1"} <= set(regions()) <= set(REGIONS)


@pytest.mark.parametrize("region", regions())
def test_every_price_has_a_day_and_a_source(region: str) -> None:
    for name, price in prices(region).found.items():
        assert price.usd > 0, name
        assert datetime.date(2024, 1, 1) < price.read <= TODAY, name
        assert re.match(r"AWS Price List: \w+, |[\w.-]+\.\w+/|a bill of |twice |uncertain[:,] ", price.source), name


@pytest.mark.parametrize("region", regions())
def test_every_regional_price_is_one_that_can_be_renewed(region: str) -> None:
    everywhere = {name for name in prices(region).found if f"\n{name} = " in _part(EVERYWHERE)}

    assert set(prices(region).found) - everywhere <= set(PRODUCTS)


def test_a_standby_costs_as_much_again_where_the_table_says_nothing_else() -> None:
    assert prices("us-east-1")["rds_db.t4g.small_multi_az_hour"] == 0.065
    assert prices("us-east-1")["rds_db.m7g.large_multi_az_hour"] == 2 * prices("us-east-1")["rds_db.m7g.large_hour"]


def test_a_region_that_is_not_there_says_what_to_do() -> None:
    with pytest.raises(NoPriceError, match=r"no prices of sa-east-1.*only of us-east-1.*make prices"):
        prices("sa-east-1")


def test_a_price_is_found_by_its_usage_type_with_any_prefix_or_none() -> None:
    fargate = Product("AmazonECS", "Fargate-GB-Hours", {})
    found = [
        product("SAE1-Fargate-GB-Hours", ("0", "0.0076000000")),
        product("SAE1-Fargate-ARM-GB-Hours", ("0", "0.0061200000")),
        product("SAE1-Windows-Fargate-GB-Hours", ("0", "9")),
    ]

    assert fargate.price(found) == Price(
        0.0076, datetime.date(2026, 10, 1), "AWS Price List: AmazonECS, SAE1-Fargate-GB-Hours"
    )
    assert fargate.price([product("Fargate-GB-Hours", ("0", "0.004445"))]) is not None
    assert fargate.price([]) is None


def test_of_a_price_in_tiers_the_first_counts() -> None:
    data = Product("AWSDataTransfer", "DataTransfer-Out-Bytes", {})
    found = product("SAE1-DataTransfer-Out-Bytes", ("10240", "0.138"), ("0", "0.15"), ("51200", "0.126"))
    price = data.price([found])

    assert price is not None
    assert price.usd == 0.15


def test_two_prices_for_one_thing_are_refused() -> None:
    two = [product("EU-LCUUsage", ("0", "0.008")), product("LCUUsage", ("0", "0.006"))]

    with pytest.raises(ValueError, match=r"AWSELB, LCUUsage: the price list has 0.008, 0.006"):
        Product("AWSELB", "LCUUsage", {}).price(two)


def test_a_region_is_added_or_replaced_and_no_other_touched(tmp_path: Path) -> None:
    new = {
        "rds_db.t4g.small_hour": Price(0.065, TODAY, "AWS Price List: AmazonRDS, SAE1-InstanceUsage:db.t4g.small"),
        "nat_gateway_gb": Price(0.093, TODAY, 'a "quoted" source'),
    }
    table = tmp_path / "prices.toml"
    before: dict[str, Any] = {region: prices(region).found for region in regions()}

    table.write_text(with_section(TABLE.read_text(), "sa-east-1", section("sa-east-1", new)))
    table.write_text(with_section(table.read_text(), "eu-west-1", section("eu-west-1", new)))
    table.write_text(with_section(table.read_text(), "eu-west-1", section("eu-west-1", new)))

    assert prices("sa-east-1", table)["nat_gateway_gb"] == 0.093
    assert {name: prices("eu-west-1", table).found[name] for name in new} == new
    assert "load_balancer_hour" not in prices("eu-west-1", table).found
    for region in set(before) - {"eu-west-1"}:
        assert prices(region, table).found == before[region]
    assert regions(table) == [*regions(), "sa-east-1"]


def _part(section_name: str) -> str:
    return TABLE.read_text().partition(f"[{section_name}]")[2].partition("\n[")[0]
