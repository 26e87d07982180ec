"""Following the messages, and nothing else, leads to a file that is read."""

import shutil
from pathlib import Path

import pytest

from infra.compose import ComposeError, read
from tests.infra.compose import corpus
from tests.infra.compose.follower import follow, needs_a_person, plain, written

ROUNDS = 3


@pytest.mark.parametrize("case", corpus.cases("refused_*"), ids=lambda case: case.name)
def test_who_does_what_the_messages_say_is_through_in_three_rounds(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(case, folder)
    file = folder / "compose.yaml"
    said: list[str] = []
    for _ in range(ROUNDS + 1):
        try:
            read(file, corpus.variables(case))
        except ComposeError as error:
            people = {problem for problem in error.problems if needs_a_person(problem)}
            # What is wrong with a service as a whole makes all else that is said of it a matter of its author.
            whole = {problem.service for problem in people if problem.key == ""}
            people |= {problem for problem in error.problems if problem.service in whole}
            said = [str(problem) for problem in error.problems if problem not in people]
            if not said:
                return
            data = plain(file.read_text())
            for problem in error.problems:
                if problem not in people:
                    follow(data, problem)
            written(data, file)
        else:
            return
    pytest.fail("\n".join(said))
