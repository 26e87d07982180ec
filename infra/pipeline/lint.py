"""`python -m infra.pipeline.lint`: what is in .github, held against actionlint and zizmor without asking anybody."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(".github")


def main(folder: Path = FOLDER) -> int:
    """Print what they find; 1 when there is anything."""
    workflows = [str(path) for path in sorted(folder.glob("workflows/*.yml"))]
    if not workflows:
        print(f"{folder}/workflows: there is no workflow to look at", file=sys.stderr)
        return 1
    others = [str(path) for path in (*sorted(folder.glob("actions/*/action.yml")), folder / "dependabot.yml")]
    configuration = str(folder / "zizmor.yml")
    linters = (
        ["actionlint", "-shellcheck=", "-pyflakes=", *workflows],
        ["zizmor", "--offline", "--quiet", "--config", configuration, *workflows, *others],
    )
    tools = Path(sys.executable).parent
    return max(subprocess.run([tools / linter[0], *linter[1:]], check=False).returncode != 0 for linter in linters)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
