"""API_URL is an address or a sentence says that it is not."""

import pytest

from app.ui.settings import InvalidApiUrlError, api_url


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("", "http://127.0.0.1:8000"),
        ("http://api:8000", "http://api:8000"),
        ("https://shop.example.com/", "https://shop.example.com"),
    ],
)
def test_an_address_is_taken_without_its_last_slash(monkeypatch: pytest.MonkeyPatch, value: str, url: str) -> None:
    monkeypatch.setenv("API_URL", value)
    assert api_url() == url


@pytest.mark.parametrize("value", ["api:8000", "localhost", "ftp://api", "http://", "http://api:port", "http://[api"])
def test_anything_else_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("API_URL", value)
    with pytest.raises(InvalidApiUrlError, match="API_URL="):
        api_url()
