"""What is wrong with a compose file: every problem at once, each naming its place, the reason and a way out."""

from dataclasses import dataclass
from pathlib import Path

from infra.compose.secret_rules import masked


@dataclass(frozen=True)
class Problem:
    """One reason why a file cannot be deployed; its str() is the sentence for a person."""

    file: Path
    service: str | None
    key: str  # dotted, below the service where there is one; empty for the file as a whole
    reason: str
    alternative: str = ""

    def __str__(self) -> str:
        place = [str(self.file), f"service {self.service}" if self.service else "", self.key]
        text = ": ".join([part for part in place if part] + [self.reason])
        return f"{text}. {self.alternative}" if self.alternative else text


class ComposeError(Exception):
    """The file cannot be deployed; `problems` says why, and str() lists them, one a line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Problems:
    """Collects the problems of one file while it is read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._found: dict[Problem, None] = {}  # in order of discovery, each once

    def add(self, service: str | None, key: str, reason: str, alternative: str = "") -> None:
        """Note a problem and carry on reading."""
        # What a message shows of a value may hold a URL with a password, and messages end in logs.
        self._found[Problem(self._file, service, key, masked(reason), alternative)] = None

    def raise_any(self) -> None:
        """Raise `ComposeError` with everything noted so far, if there is anything: the file's, then by service."""
        if self._found:
            services = [None, *(problem.service for problem in self._found)]
            raise ComposeError(sorted(self._found, key=lambda problem: services.index(problem.service)))
