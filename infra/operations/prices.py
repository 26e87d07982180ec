"""`make prices REGION=…`: looks a region's prices up in the AWS Price List, and writes them into the table.

What the list does not have stays as it was, and is said.
"""

import sys
from typing import Any

import boto3

from infra.cost.price_list import PRODUCTS, Product, section, with_section
from infra.cost.prices import TABLE, NoPriceError, Price, prices
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.session import region
from infra.plan.regions import REGIONS

_LIST_REGION = "us-east-1"  # one of the few that have the list, which is of all regions


def look_up(session: boto3.Session, name: str) -> dict[str, Price]:
    """Return the prices that the list has for a region, by their names in the table.

    Raises:
        BotoCoreError, ClientError: there are no credentials, or they may not pricing:GetProducts.
        ValueError: the list has several prices for one product.
    """
    client: Any = session.client("pricing")
    found = {key: product.price(_products(client, product, name)) for key, product in PRODUCTS.items()}
    return {key: price for key, price in found.items() if price}


def _products(client: Any, product: Product, name: str) -> list[str]:
    # Data that leaves a region has it as where it is from.
    where = "fromRegionCode" if product.service == "AWSDataTransfer" else "regionCode"
    filters = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value}
        for field, value in {where: name, **product.attributes}.items()
    ]
    pages = client.get_paginator("get_products").paginate(ServiceCode=product.service, Filters=filters)
    return [one for page in pages for one in page["PriceList"]]


def main(name: str = "") -> int:
    """Write a region's prices anew, or say why not."""
    try:
        name = name or region()
        if name not in REGIONS:
            raise ValueError(f"{name} is not one of the regions of infra/plan/regions.py")
        found = look_up(boto3.Session(region_name=_LIST_REGION), name)
        if not found:
            raise ValueError(f"the price list has nothing for {name}")
    except (*AWS_ERRORS, ValueError) as error:
        print(f"make prices: {sentence(error)}", file=sys.stderr)
        return 1
    try:
        before = {key: price for key, price in prices(name).found.items() if key in PRODUCTS}
    except NoPriceError:
        before = {}
    text = with_section(TABLE.read_text(encoding="utf-8"), name, section(name, before | found))
    TABLE.write_text(text, encoding="utf-8")
    for key in sorted(PRODUCTS.keys() - found.keys()):
        kept = f"stays {before[key].usd:g}, of {before[key].read}" if key in before else "is not there"
        print(f"{key}: the price list has none; it {kept}")
    for key, price in found.items():
        if key in before and before[key].usd != price.usd:
            print(f"{key}: {before[key].usd:g} → {price.usd:g}")
    print(f"{len(found)} prices of {name}; python -m infra.operations.cost --write brings the READMEs up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
