"""Streamlit's scripts and styles go compressed to who takes it, and as they are to anybody else."""

import re

import httpx2 as httpx
import pytest

from testkit.server import Server


def fetch(url: str, accept: str, **headers: str) -> httpx.Response:
    """Get a file as somebody who takes these encodings; its content is as it was before."""
    return httpx.get(url, headers={"Accept-Encoding": accept, **headers})


@pytest.mark.parametrize("kind", ["js", "css"])
def test_a_file_is_the_same_compressed_and_a_good_deal_smaller(open_ui: Server, kind: str) -> None:
    (path, *_) = re.findall(rf"\./(static/{kind}/[^\"]+)", httpx.get(open_ui.url).text)
    plain, small = fetch(f"{open_ui.url}/{path}", "identity"), fetch(f"{open_ui.url}/{path}", "gzip, deflate, br")

    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["Vary"] == "Accept-Encoding"
    assert small.content == plain.content
    assert int(small.headers["Content-Length"]) < 0.6 * len(plain.content)
    same = ("Cache-Control", "Content-Security-Policy", "X-Content-Type-Options")
    assert [small.headers[name] for name in same] == [plain.headers[name] for name in same]
    assert kind.replace("js", "javascript") in small.headers["Content-Type"]


@pytest.mark.parametrize(
    ("accept", "headers"),
    [("", {}), ("br", {}), ("gzip;q=0", {}), ("gzip; q=0.0, br", {}), ("gzip", {"Range": "bytes=0-99"})],
)
def test_who_does_not_take_it_gets_it_as_it_is(open_ui: Server, accept: str, headers: dict[str, str]) -> None:
    (path, *_) = re.findall(r"\./(static/js/[^\"]+)", httpx.get(open_ui.url).text)
    answer = fetch(f"{open_ui.url}/{path}", accept, **headers)

    assert answer.status_code == (206 if headers else 200)
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "path", ["static/js/none.js", "static/js/..%2f..%2findex.html", "static/js/%2e%2e/index.js", "static/js/.js"]
)
def test_what_is_no_file_of_streamlit_s_is_answered_as_before(open_ui: Server, path: str) -> None:
    answers = [fetch(f"{open_ui.url}/{path}", accept) for accept in ("gzip", "identity")]

    assert answers[0].status_code == answers[1].status_code
    assert answers[0].content == answers[1].content
    assert "Content-Encoding" not in answers[0].headers
