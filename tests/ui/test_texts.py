"""Both languages say the same things, with the same blanks to fill in."""

from dataclasses import asdict
from string import Formatter

import pytest

from app.ui.texts import LANGUAGES, PORTUGUESE


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_with_its_blanks(language: str) -> None:
    reference = asdict(PORTUGUESE)
    for key, text in asdict(LANGUAGES[language]).items():
        assert text.strip(), key
        assert blanks(text) == blanks(reference[key]), key


def test_portuguese_is_the_default() -> None:
    assert next(iter(LANGUAGES.values())) is PORTUGUESE
