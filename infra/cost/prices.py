"""The price table, `prices.toml`: what one of something costs in a region, as of when, and who says so."""

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("prices.toml")
EVERYWHERE = "everywhere"
"""The section of what costs the same in all regions."""

HOURS = 730
"""Hours in a month, as AWS's own calculator has them."""

_MULTI_AZ = "_multi_az_hour"


class NoPriceError(LookupError):
    """The table has no such region, or no such price in it; the message says what to do."""


@dataclass(frozen=True)
class Price:
    """US$ for one unit, which the price's name ends in."""

    usd: float
    read: datetime.date
    source: str


@dataclass(frozen=True)
class Prices:
    """The prices of one region."""

    region: str
    found: Mapping[str, Price]

    def __getitem__(self, name: str) -> float:
        """Return US$; raise `NoPriceError` naming what there is none of."""
        if name in self.found:
            return self.found[name].usd
        single = name.replace(_MULTI_AZ, "_hour")
        if name.endswith(_MULTI_AZ) and single in self.found:
            # Amazon RDS User Guide, "On-Demand DB instances": both instances are billed.
            return 2 * self.found[single].usd
        raise NoPriceError(f"{name} in {self.region}")

    @property
    def uncertain(self) -> int:
        """How many have no source that is good enough to rely on."""
        return sum(price.source.startswith("uncertain") for price in self.found.values())

    @property
    def oldest(self) -> datetime.date:
        """The day of the oldest price."""
        return min(price.read for price in self.found.values())


def regions(table: Path = TABLE) -> list[str]:
    """Return the regions that the table has."""
    return [name for name in _sections(table) if name != EVERYWHERE]


def prices(region: str, table: Path = TABLE) -> Prices:
    """Return the prices of a region, with those that are the same everywhere.

    Raises:
        NoPriceError: the table does not have the region.
    """
    sections = _sections(table)
    if region not in sections or region == EVERYWHERE:
        known = ", ".join(name for name in sections if name != EVERYWHERE)
        raise NoPriceError(
            f"there are no prices of {region} in {table.name}, only of {known}; make prices looks them up, "
            "REGION=us-east-1 takes those of another"
        )
    return Prices(region, {**sections[EVERYWHERE], **sections[region]})


def _sections(table: Path) -> dict[str, dict[str, Price]]:
    content = tomllib.loads(table.read_text(encoding="utf-8"))
    return {
        section: {name: Price(float(said["usd"]), said["read"], said["source"]) for name, said in lines.items()}
        for section, lines in content.items()
    }
