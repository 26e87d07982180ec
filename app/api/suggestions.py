"""Near spellings for a search that finds nothing: the words of the catalogue that are one letter away.

Every word that differs by one letter, too many, missing, wrong or swapped with its neighbour, is looked for in the
index of the search: a few hundred looks, some milliseconds. So there is no list of words to keep, and no extension.
"""

import string
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ARRAY, Connection, Engine, String, bindparam, select, text

from app.api import search
from app.api.database import transaction
from app.api.listing import ProductFilter
from app.api.models import Product

SHORTEST = 4  # letters of a word; shorter ones are near to everything
LONGEST = 30
MOST_WORDS = 5
SECONDS = 2  # PostgreSQL gives up on it after this long
COUNTED = 50  # products with a word, to tell common from rare ones
SUGGESTED = 3
# One look at the index for each word, and no further than COUNTED products.
KNOWN = text(
    "SELECT word, (SELECT count(*) FROM "  # noqa: S608 - of a constant
    f"(SELECT FROM products WHERE search @@ quoted::tsquery LIMIT {COUNTED}) AS found) AS n "
    "FROM (SELECT word, quote_literal(word) AS quoted FROM unnest(:words) AS word) AS words"
).bindparams(bindparam("words", type_=ARRAY(String)))


class SuggestionsQuery(ProductFilter):
    """The search that found nothing; its other filters have nothing to do with spelling."""

    model_config = ConfigDict(extra="ignore")


class Suggestions(BaseModel):
    """Other searches, the most promising first; none where nothing is near."""

    suggestions: list[str] = Field(examples=[["geladeira inox"]])


def suggest(engine: Engine, query: SuggestionsQuery) -> Suggestions:
    """Return the words of a search with those replaced that no product has, by such that some have."""
    words = search.words(query.q or "")
    if not 0 < len(words) <= MOST_WORDS:
        return Suggestions(suggestions=[])
    with transaction(engine, timeout_seconds=SECONDS) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))  # it expects many, where most words are none's
        choices = [[word] if _finds(connection, word) else _near(connection, word) for word in words]
    found = [" ".join(words) for words in _combined(choices)]
    return Suggestions(suggestions=[s for s in found if s != " ".join(words)][:SUGGESTED])


def _combined(choices: Sequence[Sequence[str]]) -> Iterable[list[str]]:
    """Yield a search for each choice of its words, where only one has a choice; else one with the best of each."""
    if all(choices):
        open_ones = [n for n, choice in enumerate(choices) if len(choice) > 1]
        best = [choice[0] for choice in choices]
        if len(open_ones) != 1:
            yield best
        else:
            for word in choices[open_ones[0]]:
                yield [*best[: open_ones[0]], word, *best[open_ones[0] + 1 :]]


def _finds(connection: Connection, word: str) -> bool:
    statement = select(Product.id).where(search.matches(word, connection.dialect)).limit(1)
    return connection.execute(statement).first() is not None


def _near(connection: Connection, word: str) -> list[str]:
    if not SHORTEST <= len(word) <= LONGEST:
        return []
    candidates = one_letter_away(word)
    if connection.dialect.name == "postgresql":
        found = {row.word: row.n for row in connection.execute(KNOWN, {"words": sorted(candidates)}) if row.n}
    else:
        found = {}
        for name, description in connection.execute(select(Product.name, Product.description)):
            for known in candidates & set(search.words(f"{name} {description or ''}")):
                found[known] = found.get(known, 0) + 1
    return sorted(found, key=lambda known: (-found[known], known))


def one_letter_away(word: str) -> set[str]:
    """Return what a word may have been meant to be: one letter more, less, other, or two neighbours swapped."""
    letters = string.ascii_lowercase
    splits = [(word[:n], word[n:]) for n in range(len(word) + 1)]
    less = {a + b[1:] for a, b in splits if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1}
    other = {a + letter + b[1:] for a, b in splits if b for letter in letters}
    more = {a + letter + b for a, b in splits for letter in letters}
    return (less | swapped | other | more) - {word}
