"""`${X:-default}` and its kin mean what they say however they are nested."""

import random

import pytest

from infra.compose.interpolation import Unresolved, interpolate, substitute

VARIABLES = {"SET": "value", "EMPTY": "", "lower_1": "l"}
NAMES = [*VARIABLES, "UNSET"]


def expression(random_: random.Random, depth: int) -> tuple[str, str]:
    """Return a random text and what it should become."""
    if depth == 0:
        return random_.choice([("", ""), ("text", "text"), (":-?+ {a}", ":-?+ {a}"), ("$$", "$"), ("$SET.", "value.")])
    name, (word, meaning) = random_.choice(NAMES), expression(random_, depth - 1)
    value = VARIABLES.get(name)
    operator, result = random_.choice(
        [
            (":-", value or meaning),
            ("-", meaning if value is None else value),
            (":+", meaning if value else ""),
            ("+", "" if value is None else meaning),
        ]
    )
    before, after = expression(random_, depth - 1), expression(random_, depth - 1)
    return f"{before[0]}${{{name}{operator}{word}}}{after[0]}", f"{before[1]}{result}{after[1]}"


@pytest.mark.parametrize("seed", range(200))
def test_operators_mean_the_same_at_any_depth(seed: int) -> None:
    text, meaning = expression(random.Random(seed), depth=seed % 4)  # noqa: S311 (repeatable on purpose)

    assert substitute(text, VARIABLES) == meaning


@pytest.mark.parametrize("text", ["", "plain", "{}", "a-b:c", "é ☃"])
def test_text_without_a_dollar_sign_stays(text: str) -> None:
    assert substitute(text, VARIABLES) == text


def test_a_doubled_dollar_sign_is_one_that_starts_nothing() -> None:
    assert substitute("$$SET $${SET} $$$SET", VARIABLES) == "$SET ${SET} $value"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$UNSET", "variable UNSET has no value"),
        ("${UNSET}", "variable UNSET has no value"),
        ("${UNSET?}", "variable UNSET must have a value"),
        ("${EMPTY:?set EMPTY to $SET}", r"variable EMPTY must have a value \(set EMPTY to value\)"),
        ("${UNSET:-${ALSO_UNSET}}", "variable ALSO_UNSET has no value"),
        ("5 $", "write \\$\\$ for a dollar sign"),
        ("$5", "write \\$\\$ for a dollar sign"),
        ("${}", "is not a variable"),
        ("${SET!x}", "is not a variable"),
        ("${SET:x}", "is not a variable"),
        ("${SET", "lacks its closing brace"),
    ],
)
def test_what_has_no_value_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        substitute(text, VARIABLES)


@pytest.mark.parametrize("text", ["${EMPTY?}", "${SET:?no}", "${UNSET+$ALSO_UNSET}", "${SET-$ALSO_UNSET}"])
def test_a_word_that_is_not_needed_is_not_looked_at(text: str) -> None:
    assert substitute(text, VARIABLES) in {"", "value"}


def test_values_are_interpolated_wherever_they_are_and_keys_are_not() -> None:
    data = {"$SET": ["$SET", {"a": "${UNSET}"}], "number": 5, "nothing": None}

    result = interpolate(data, VARIABLES)

    assert result == {"$SET": ["value", {"a": "${UNSET}"}], "number": 5, "nothing": None}
    assert isinstance(result["$SET"][1]["a"], Unresolved)
