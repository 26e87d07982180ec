"""Reading each compose file of the corpus gives exactly what its folder says."""

from pathlib import Path

import pytest

from tests.infra.compose import corpus


@pytest.mark.parametrize("case", corpus.cases(), ids=lambda case: case.name)
def test_reading_a_file_gives_its_project_or_its_problems(case: Path) -> None:
    assert corpus.outcome(case) == corpus.expected(case)


@pytest.mark.parametrize("case", corpus.cases(), ids=lambda case: case.name)
def test_a_case_is_refused_exactly_if_it_is_called_so(case: Path) -> None:
    assert case.name.startswith("refused_") == ("problems.txt" in corpus.expected(case))
