"""A search that finds nothing is answered with near spellings that find something."""

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Json, created


def suggestions(client: TestClient, q: str) -> list[str]:
    response = client.get("/products/suggestions", params={"q": q})
    assert response.status_code == 200, response.text
    found: list[str] = response.json()["suggestions"]
    return found


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("geladera", "geladeira"),
        ("Geladeirra", "geladeira"),
        ("geladiera", "geladeira"),
        ("gelxdeira", "geladeira"),
        ("cadera", "cadeira"),
        ("geladera inox", "geladeira inox"),
        ("inox geladera", "inox geladeira"),
    ],
)
def test_a_letter_too_many_missing_wrong_or_swapped(client: TestClient, product: Json, typed: str, meant: str) -> None:
    created(client, product, name="Geladeira Inox")
    created(client, product, name="Cadeira", description=None)
    assert suggestions(client, typed)[0] == meant
    assert client.get("/products/", params={"q": meant}).json()


def test_common_words_come_first(client: TestClient, product: Json) -> None:
    created(client, product, name="Pasta")
    for _ in range(2):
        created(client, product, name="Pista")
    assert suggestions(client, "pesta") == ["pista", "pasta"]


@pytest.mark.parametrize(
    "typed", ["geladeira", "xilofone", "abc", "a" * 200, "gel'); --", "a b c d e f g h", "日本語日本"]
)
def test_what_is_found_or_near_nothing_has_none(client: TestClient, product: Json, typed: str) -> None:
    created(client, product)
    assert suggestions(client, typed) == []
