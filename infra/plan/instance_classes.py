"""The instance classes of RDS for PostgreSQL that an environment may have, with their memory in GiB."""

from collections.abc import Mapping

_BURSTABLE = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16}
_GENERAL_PURPOSE = {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64, "8xlarge": 128, "12xlarge": 192}
_GENERAL_PURPOSE |= {"16xlarge": 256}

# The last three generations of each family (Amazon RDS User Guide, "DB instance classes").
MEMORY_GIB: Mapping[str, int] = {
    **{f"db.{family}.{size}": gib for family in ("t3", "t4g") for size, gib in _BURSTABLE.items()},
    **{
        f"db.{family}.{size}": gib
        for family in ("m6g", "m6i", "m7g", "m7i", "m8g")
        for size, gib in _GENERAL_PURPOSE.items()
    },
    **{
        f"db.{family}.{size}": 2 * gib
        for family in ("r6g", "r6i", "r7g", "r7i", "r8g")
        for size, gib in _GENERAL_PURPOSE.items()
    },
}
