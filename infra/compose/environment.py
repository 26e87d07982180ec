"""A service's environment: its `env_file`s with `environment` on top."""

from collections.abc import Mapping
from pathlib import Path

from infra.compose import env_file, values
from infra.compose.fields import Fields
from infra.compose.interpolation import Unresolved
from infra.compose.secret_rules import is_secret_name


def environment_of(fields: Fields, directory: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by name, sorted; what has no value is `Unresolved`, a problem only if it is used."""
    found: dict[str, str | None] = {}
    for path in _env_files(fields, directory):
        try:
            found |= env_file.parse(path.read_text(encoding="utf-8-sig"), variables)
        except (OSError, ValueError) as error:
            fields.problem("env_file", f"{path.name}: {getattr(error, 'strerror', None) or error}")
    if "environment" in fields:
        found |= fields.parse_unresolved("environment", fields.raw("environment"), values.pairs, {})
    return {name: _inherited(name, variables) if value is None else value for name, value in sorted(found.items())}


def _env_files(fields: Fields, directory: Path) -> list[Path]:
    """Return the files to read, lowest precedence first."""
    value = fields.raw("env_file")
    entries = value if isinstance(value, list) else [] if value is None else [value]
    paths = []
    for entry in entries:
        long = entry if isinstance(entry, dict) else {"path": entry}
        name = fields.parse("env_file", long.get("path"), values.string, None)
        if name is None:
            continue
        path = directory / name
        required = fields.parse("env_file", long.get("required", True), values.boolean, True)
        if path.name == ".env":
            alternative = (
                "Drop it, and put what every place shares into the compose file or a committed file of another name."
            )
            fields.problem("env_file", ".env belongs to one laptop, and nothing of a laptop may reach AWS", alternative)
        elif required or path.exists():
            paths.append(path)
    return paths


def _inherited(name: str, variables: Mapping[str, str]) -> str:
    if name in variables:
        return variables[name]
    if is_secret_name(name):  # a default would be a secret in the file
        reason = f"{name} takes its value from the shell, and is a secret by its name"
        return Unresolved("", reason, is_secret=True)
    return Unresolved("", f"{name} takes its value from the shell; give it a value or a default, ${{{name}:-…}}")
