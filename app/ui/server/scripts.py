"""Which of Streamlit's scripts the list needs for its first picture: a browser loads them beside all others.

Streamlit's page loads its main script, connects, runs our page, and asks for the script of each kind of element only
when the first of them arrives: two more journeys there and back, and the largest scripts last.
"""

import re
from collections.abc import Iterator, Sequence
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
    known = set(_needed([_MAIN], set()))
    return "".join(
        f'<link rel="modulepreload" fetchpriority="low" crossorigin href="./static/js/{name}">'
        for name in _needed(ELEMENTS, known)
    )


def _needed(scripts: Sequence[str], seen: set[str]) -> Iterator[str]:
    """Yield the files of scripts and all that they import, each once; none of those `seen`, to which it adds them."""
    for script in scripts:
        left = [file.name for file in FOLDER.glob(f"{script}.*.js") if file.name.count(".") == 2]
        while left:
            name = left.pop(0)
            if name not in seen:
                seen.add(name)
                yield name
                left += _IMPORT.findall((FOLDER / name).read_text(encoding="utf-8"))
