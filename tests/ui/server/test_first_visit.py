"""What the first visitor of a process waits for: nothing that could have been imported before."""

import asyncio
import re
from pathlib import Path

import pytest

from testkit.server import ui
from testkit.visitor import visiting

IMPORTED = re.compile(r"import time:[\s\d|]+(app\.\S+|pandas\S*|pyarrow\S*|PIL\S*)")


async def _visit(url: str) -> None:
    async with visiting(url) as visitor:
        await visitor.open()


@pytest.mark.usefixtures("stored")
def test_the_first_visitor_of_the_list_waits_for_no_import(api_url: str, tmp_path: Path) -> None:
    log = tmp_path / "ui.log"
    with ui(api_url, log, PYTHONPROFILEIMPORTTIME="1") as server:
        before = log.read_text()
        assert IMPORTED.search(before)
        asyncio.run(_visit(server.url))
    assert not IMPORTED.findall(log.read_text()[len(before) :])
