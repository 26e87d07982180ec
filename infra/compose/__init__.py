"""Reads the compose file into what AWS can run: load -> interpolate -> check keys -> convert -> check services."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from infra.compose.convert import to_project
from infra.compose.interpolation import interpolate
from infra.compose.load import load
from infra.compose.location import NAMES, find
from infra.compose.model import Project
from infra.compose.problems import ComposeError, Problem, Problems

__all__ = ["ComposeError", "Problem", "Project", "find", "read"]


def read(path: Path, variables: Mapping[str, str] = MappingProxyType({})) -> Project:
    """Return what the compose file at `path` says; raise `ComposeError` with all that cannot be deployed.

    `variables` are all that `${X}` can refer to: neither `.env` nor the process environment is read.
    """
    problems = Problems(path)
    try:
        data = load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        problems.add(None, "", "there is no such file", f"Compose looks for {', '.join(NAMES)}.")
    except (OSError, UnicodeDecodeError) as error:
        problems.add(None, "", f"cannot be read: {getattr(error, 'strerror', None) or error}")
    except ValueError as error:
        problems.add(None, "", str(error))
    problems.raise_any()
    return to_project(interpolate(data, variables), path, variables, problems)
