"""Where each regional price is in the AWS Price List, and how one is read from what the list says of a product."""

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.cost.prices import Price


@dataclass(frozen=True)
class Product:
    """What has one price: a service of the list, attributes that it must have, and what its usage type ends in."""

    service: str
    usage: str
    attributes: Mapping[str, str]

    def price(self, found: Sequence[str]) -> Price | None:
        """Return the price of the one product among those that the list has, given as JSON; None where it has none.

        Raises:
            ValueError: the list has several, of different prices.
        """
        # us-east-1 has its usage types with a prefix or without, all other regions with one, such as EU- or SAE1-.
        usage = re.compile(rf"(?:[A-Z]{{2,4}}\d*-)?{re.escape(self.usage)}")
        matching = [product for product in map(json.loads, found) if usage.fullmatch(_usage(product))]
        prices = {price.usd: price for product in matching for price in [_first_tier(product)]}
        if len(prices) > 1:
            raise ValueError(f"{self.service}, {self.usage}: the price list has {', '.join(map(str, prices))}")
        return next(iter(prices.values()), None)


_POSTGRESQL = {"databaseEngine": "PostgreSQL"}
_CLASSES = (
    *(f"db.t4g.{size}" for size in ("micro", "small", "medium", "large")),
    *(f"db.m7g.{size}" for size in ("large", "xlarge", "2xlarge", "4xlarge")),
)

PRODUCTS: Mapping[str, Product] = {
    "fargate_x86_64_vcpu_hour": Product("AmazonECS", "Fargate-vCPU-Hours:perCPU", {}),
    "fargate_x86_64_gb_hour": Product("AmazonECS", "Fargate-GB-Hours", {}),
    "fargate_arm64_vcpu_hour": Product("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU", {}),
    "fargate_arm64_gb_hour": Product("AmazonECS", "Fargate-ARM-GB-Hours", {}),
    "load_balancer_hour": Product("AWSELB", "LoadBalancerUsage", {"operation": "LoadBalancing:Application"}),
    "load_balancer_lcu_hour": Product("AWSELB", "LCUUsage", {"operation": "LoadBalancing:Application"}),
    "nat_gateway_hour": Product("AmazonEC2", "NatGateway-Hours", {"operation": "NatGateway"}),
    "nat_gateway_gb": Product("AmazonEC2", "NatGateway-Bytes", {"operation": "NatGateway"}),
    **{
        f"rds_{name}{suffix}_hour": Product("AmazonRDS", f"{usage}:{name}", _POSTGRESQL | {"instanceType": name})
        for name in _CLASSES
        for suffix, usage in (("", "InstanceUsage"), ("_multi_az", "Multi-AZUsage"))
    },
    "rds_gp3_gb_month": Product("AmazonRDS", "RDS:GP3-Storage", _POSTGRESQL),
    "rds_gp3_multi_az_gb_month": Product("AmazonRDS", "RDS:Multi-AZ-GP3-Storage", _POSTGRESQL),
    "log_ingestion_gb": Product("AmazonCloudWatch", "DataProcessing-Bytes", {"operation": "PutLogEvents"}),
    "s3_gb_month": Product("AmazonS3", "TimedStorage-ByteHrs", {}),
    "data_out_gb": Product("AWSDataTransfer", "DataTransfer-Out-Bytes", {}),
    "efs_gb_month": Product("AmazonEFS", "TimedStorage-ByteHrs", {}),
    "interface_endpoint_hour": Product("AmazonVPC", "VpcEndpoint-Hours", {}),
}
"""By the price's name in `prices.toml`."""


def section(region: str, found: Mapping[str, Price]) -> str:
    """Return a region's section of `prices.toml`."""
    lines = [
        f"{json.dumps(name) if '.' in name else name} = "
        f"{{usd = {price.usd:g}, read = {price.read}, source = {json.dumps(price.source)}}}"
        for name, price in found.items()
    ]
    return "\n".join([f"[{region}]", *lines, ""])


def with_section(table: str, region: str, new: str) -> str:
    """Return the text of the table with a region's section replaced, or added at the end."""
    parts = re.split(r"(?m)^(?=\[)", f"{table.rstrip()}\n\n")
    headed = [part for part in parts if part.startswith(f"[{region}]")]
    parts = [f"{new}\n" if part in headed else part for part in parts] + ([] if headed else [f"{new}\n"])
    return "".join(parts).rstrip() + "\n"


def _usage(product: Mapping[str, Any]) -> str:
    return str(product["product"]["attributes"].get("usagetype", ""))


def _first_tier(product: Mapping[str, Any]) -> Price:
    """Return the price of the first unit, on demand."""
    (term,) = product["terms"]["OnDemand"].values()
    first = next(said for said in term["priceDimensions"].values() if said.get("beginRange", "0") == "0")
    published = datetime.datetime.fromisoformat(product["publicationDate"]).date()
    source = f"AWS Price List: {product['serviceCode']}, {_usage(product)}"
    return Price(float(first["pricePerUnit"]["USD"]), published, source)
