"""`make change BASE=origin/main`: what a branch changes of each environment's template and of its cost, as Markdown.

Both are synthesised here, so it asks nobody and needs no credentials: a pull request from a fork gets it as well.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.cost import tables
from infra.cost.prices import NoPriceError
from infra.operations.deployment import AWS_ERRORS, sentence
from infra.operations.pricing import price_difference
from infra.operations.project import plan_of
from infra.operations.session import region
from infra.plan import PlanError

_SHOWN = 300  # lines of a difference: a comment takes 65,536 characters
_SECONDS = 300


class ChangeError(Exception):
    """The two could not be compared; the message says why."""


def main(base: str) -> int:
    """Print the Markdown, or say why not."""
    try:
        print(markdown(base))
    except (ChangeError, PlanError, NoPriceError, *AWS_ERRORS, OSError) as error:
        print(f"make change: {sentence(error)}", file=sys.stderr)
        return 1
    return 0


def markdown(base: str) -> str:
    """Return what the working tree changes against a commit, an environment after the other.

    Raises:
        ChangeError: git does not know the commit, or CDK refuses one of the two.
    """
    here = Path.cwd()
    names = json.loads((here / "cdk.json").read_text(encoding="utf-8"))["context"]["environments"]
    parts = [f"### What this changes of AWS, against `{base}`"]
    with tempfile.TemporaryDirectory() as folder, _checked_out(here, base, Path(folder) / "base") as before:
        known = json.loads((before / "cdk.json").read_text(encoding="utf-8"))["context"]["environments"]
        for name in names:
            old = _template(before, name, Path(folder) / f"{name}-old") if name in known else None
            parts.append(_section(here, name, old, _template(here, name, Path(folder) / f"{name}-new")))
    return "\n\n".join(parts)


def _section(project: Path, name: str, old: Path | None, new: Path) -> str:
    plan = plan_of(name, project)
    if old is None:
        return f"**{plan.stack_name}** is new: all of it."
    before, after = (json.loads(one.read_text(encoding="utf-8")) for one in (old, new))
    if before == after:
        return f"**{plan.stack_name}** stays as it is, and costs what it costs."
    said = _cdk(project, "diff", "--app", str(new.parent), "--template", str(old), "--method", "template", "--no-color")
    cost = price_difference(plan, before, after, region())
    priced = f"{cost.title}\n\n{tables.markdown(cost)}" if cost.rows else "It costs what it costs."
    lines = said.strip().splitlines()
    more = [f"… {len(lines) - _SHOWN} lines more: make diff"] if len(lines) > _SHOWN else []
    fence = "~~~~~~"  # longer than what a template may have in it
    text = "\n".join([*lines[:_SHOWN], *more])
    return (
        f"**{plan.stack_name}**: {priced}\n\n"
        f"<details><summary>The template</summary>\n\n{fence}diff\n{text}\n{fence}\n</details>"
    )


@contextmanager
def _checked_out(project: Path, commit: str, folder: Path) -> Iterator[Path]:
    _git(project, "worktree", "add", "--quiet", "--detach", str(folder), commit)
    try:
        (folder / ".venv").symlink_to(sys.prefix)
        yield folder
    finally:
        _git(project, "worktree", "remove", "--force", str(folder))


def _git(project: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["git", "-C", str(project), *arguments], capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode:
        raise ChangeError(f"git {arguments[0]}: {done.stderr.strip()}")


def _template(project: Path, environment: str, folder: Path) -> Path:
    _cdk(project, "synth", "--quiet", "--context", f"environment={environment}", "--output", str(folder))
    (template,) = folder.glob("*.template.json")
    return template


def _cdk(project: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["cdk", *arguments], cwd=project, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except FileNotFoundError:
        raise ChangeError("there is no cdk in PATH: run make setup, and this by make") from None
    if done.returncode:
        raise ChangeError(f"cdk {arguments[0]}: {done.stderr.strip()}")
    return done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
