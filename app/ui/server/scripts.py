"""Which of Streamlit's scripts the list needs for its first picture: a browser loads them beside all others.

Streamlit's page loads its main script, connects, runs our page, and asks for the script of each kind of element only
when the first of them arrives: two more journeys there and back, and the largest scripts last.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import streamlit

FOLDER = Path(streamlit.__file__).parent / "static/static/js"
ELEMENTS = ("Selectbox", "Html", "TextInput", "Multiselect", "Button", "DataFrame", "Checkbox")
"""In the order in which the list has them."""

_MAIN = "index"
_IMPORT = re.compile(r"""(?:from|import)["']\./([\w.$-]+\.js)["']""")  # not what is imported later, by a call


def preloads() -> str:
    """Return the links for the head of the page: what the elements' scripts need, and the main script does not.

    They wait behind the main script where there is a queue. An element that a newer Streamlit calls otherwise is left
    out, and loaded as before.
    """
    known = dict.fromkeys(_needed(_MAIN))
    wanted = dict.fromkeys(name for element in ELEMENTS for name in _needed(element))
    return "".join(
        f'<link rel="modulepreload" fetchpriority="low" crossorigin href="./static/js/{name}">'
        for name in wanted
        if name not in known
    )


def _needed(element: str) -> Iterator[str]:
    """Yield the file of an element's script, and all that it imports, each perhaps several times over."""
    left, seen = [file.name for file in FOLDER.glob(f"{element}.*.js") if file.name.count(".") == 2], set[str]()
    while left:
        name = left.pop(0)
        if name not in seen:
            seen.add(name)
            yield name
            left += _IMPORT.findall((FOLDER / name).read_text(encoding="utf-8"))
