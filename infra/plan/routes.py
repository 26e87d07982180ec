"""In which order a request's path is compared with the public paths of the services."""

from collections.abc import Mapping, Sequence

EVERYTHING = "/*"
"""The pattern of every path: what is left when no other matches."""

_VALUES_PER_RULE = 5  # a quota of application load balancers: condition values per rule


def listener_rules(paths: Mapping[str, Sequence[str]]) -> list[tuple[str, tuple[str, ...]]]:
    """Return which service gets which path patterns, in the order in which a request is to be compared with them.

    The most specific comes first: a path without a wildcard, then the longest beginning. `/*` is left to the default.
    """
    ordered = sorted(
        ((pattern, name) for name, patterns in paths.items() for pattern in patterns if pattern != EVERYTHING),
        key=lambda route: _specificity(route[0]),
    )
    rules: list[tuple[str, tuple[str, ...]]] = []
    for pattern, name in ordered:
        if rules and rules[-1][0] == name and len(rules[-1][1]) < _VALUES_PER_RULE:
            rules[-1] = (name, (*rules[-1][1], pattern))
        else:
            rules.append((name, (pattern,)))
    return rules


def _specificity(pattern: str) -> tuple[bool, int, str]:
    beginning = pattern.partition("*")[0].partition("?")[0]
    return beginning != pattern, -len(beginning), pattern
