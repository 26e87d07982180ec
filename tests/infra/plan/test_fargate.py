"""The smallest Fargate size that holds what a task needs."""

import pytest

from infra.plan.fargate import Size, smallest


@pytest.mark.parametrize(
    ("cpus", "memory_mib", "expected"),
    [
        (0, 0, Size(256, 512)),
        (0.25, 512, Size(256, 512)),
        (0.25, 513, Size(256, 1024)),
        (0.25, 2049, Size(512, 3072)),
        (0.26, 64, Size(512, 1024)),
        (0.5, 832, Size(512, 1024)),
        (1, 8192, Size(1024, 8192)),
        (1, 8193, Size(2048, 9216)),
        (3, 1024, Size(4096, 8192)),
        (8, 17000, Size(8192, 20480)),
        (16, 33000, Size(16384, 40960)),
        (0.25, 245760, Size(32768, 249856)),
        (32, 61441, Size(32768, 122880)),
    ],
)
def test_the_smallest_size_that_holds_it(cpus: float, memory_mib: int, expected: Size) -> None:
    assert smallest(cpus, memory_mib) == expected


@pytest.mark.parametrize(("cpus", "memory_mib"), [(32.1, 1), (1, 249857)])
def test_what_fits_no_size_is_refused_with_the_largest(cpus: float, memory_mib: int) -> None:
    with pytest.raises(ValueError, match="16 CPUs with 120 GiB, 32 CPUs with 244 GiB") as refused:
        smallest(cpus, memory_mib)

    assert f"{cpus:g} CPUs with {memory_mib} MiB" in str(refused.value)
