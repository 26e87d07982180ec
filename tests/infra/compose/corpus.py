"""The golden corpus: each folder of cases/ has a compose.yaml and what reading it gives.

`python -m tests.infra.compose.corpus` writes the expected results anew; look at the difference before committing it.
A case's variables.json holds the variables it is read with.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from infra.compose import ComposeError, read

CASES = Path(__file__).parent / "cases"


def cases(pattern: str = "*") -> list[Path]:
    """Return the folders of the cases whose names match."""
    return sorted(path for path in CASES.glob(pattern) if path.is_dir())


def variables(case: Path) -> dict[str, str]:
    """Return the variables that the case is read with."""
    file = case / "variables.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def outcome(case: Path) -> dict[str, str]:
    """Read the case, and return what should be in which of its files, with paths relative to the case."""
    try:
        project = read(case / "compose.yaml", variables(case))
    except ComposeError as error:
        return {"problems.txt": str(error).replace(f"{case}/", "") + "\n"}
    text = json.dumps(dataclasses.asdict(project), indent=2, default=str, ensure_ascii=False) + "\n"
    return {"project.json": text.replace(str(case), ".").replace("./", "")}


def expected(case: Path) -> dict[str, str]:
    """Return what is in the files of the case."""
    return {name: (case / name).read_text() for name in ("problems.txt", "project.json") if (case / name).exists()}


def project_of(case: Path) -> dict[str, Any]:
    """Return the expected project of a case that can be deployed."""
    return dict(json.loads((case / "project.json").read_text()))


if __name__ == "__main__":
    for case in cases():
        for name in expected(case):
            (case / name).unlink()
        for name, text in outcome(case).items():
            (case / name).write_text(text)
