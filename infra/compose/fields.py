"""Reads one mapping of a compose file, turning what is wrong into problems that name the key."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from infra.compose.interpolation import unresolved
from infra.compose.keys import KeyFinding
from infra.compose.problems import Problems

T = TypeVar("T")
D = TypeVar("D")


class Fields:
    """A mapping at `prefix` below a service, or below the file when `service` is None; `data` None is an empty one."""

    def __init__(self, data: Any, service: str | None, problems: Problems, prefix: str = "") -> None:
        self.service = service
        self._problems = problems
        self._prefix = prefix
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        if data is not None and not isinstance(data, dict):
            self.problem("", "must be a mapping")

    def __contains__(self, key: str) -> bool:
        return self._data.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def raw(self, key: str) -> Any:
        """Return the value as it is in the file."""
        return self._data.get(key)

    def within(self, key: str) -> "Fields":
        """Return the mapping under `key`, an empty one when there is none."""
        return Fields(self._data.get(key), self.service, self._problems, self._path(key))

    def get(self, key: str, parse: Callable[[Any], T], default: D) -> T | D:
        """Return the parsed value under `key`; `default` when it is absent, null or wrong (which is a problem)."""
        value = self._data.get(key)
        return default if value is None else self.parse(key, value, parse, default)

    def each(self, key: str, parse: Callable[[Any], T]) -> list[T]:
        """Return the parsed items of the list under `key`."""
        value = self._data.get(key)
        if value is not None and not isinstance(value, list):
            self.problem(key, "must be a list")
        items = value if isinstance(value, list) else []
        parsed = [self.parse(f"{key}[{index}]", item, parse, None) for index, item in enumerate(items)]
        return [item for item in parsed if item is not None]

    def parse(self, key: str, value: Any, parse: Callable[[Any], T], default: D) -> T | D:
        """Return `parse(value)`; `default` when it is wrong, which is a problem of `key`."""
        if reasons := unresolved(value):
            for reason in reasons:
                self.problem(key, reason)
            return default
        return self.parse_unresolved(key, value, parse, default)

    def parse_unresolved(self, key: str, value: Any, parse: Callable[[Any], T], default: D) -> T | D:
        """Like `parse`, but strings that are `Unresolved` are no problem yet: `parse` gets them as they are."""
        try:
            return parse(value)
        except ValueError as error:
            self.problem(key, str(error))
            return default

    def refuse(self, findings: Iterable[KeyFinding]) -> None:
        """Note what the table of keys does not let through."""
        for finding in findings:
            self.problem(finding.path, finding.reason, finding.alternative)

    def problem(self, key: str, reason: str, alternative: str = "") -> None:
        """Note a problem with `key`, or with the mapping itself when `key` is empty."""
        self._problems.add(self.service, self._path(key), reason, alternative)

    def _path(self, key: str) -> str:
        return ".".join(part for part in (self._prefix, key) if part)
