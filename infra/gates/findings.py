"""What a gate says about a template, what we say to that, and what is left."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, order=True)
class Finding:
    """One rule that one resource breaks in one environment."""

    environment: str
    gate: str
    rule: str
    resource: str  # its place in the construct tree, such as Database/Instance; empty for the template itself
    message: str

    def __str__(self) -> str:
        return f"{self.environment}: {self.gate}: {self.rule}: {self.resource or 'the template'}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """Why some resources break some rules in some environments, and are meant to.

    Each combination of the three must be a finding, unless it depends on the application whether there is one: an
    acknowledgement never covers more than there is.
    """

    rules: tuple[str, ...]  # as the gates call them, with what cdk-nag writes in brackets
    resources: tuple[str, ...]  # patterns of places in the construct tree, where * stands for any characters
    environments: tuple[str, ...]
    reason: str
    depends_on_application: bool = False

    def combinations(self) -> list[tuple[str, str, str]]:
        """Return every environment, rule and pattern of resources that this is about."""
        return [
            (environment, rule, pattern)
            for environment in self.environments
            for rule in self.rules
            for pattern in self.resources
        ]


@dataclass(frozen=True)
class Verdict:
    """What stands in the way: findings nobody acknowledged, and (parts of) acknowledgements of what is not there."""

    unacknowledged: tuple[Finding, ...]
    acknowledged: tuple[Finding, ...]
    stale: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.unacknowledged and not self.stale


def judge(
    findings: Iterable[Finding],
    acknowledgements: Sequence[Acknowledgement],
    resources: Mapping[str, Collection[str]] | None = None,
) -> Verdict:
    """Hold the findings against what is acknowledged.

    `resources` are the places in the construct tree that each environment has. Where they are given, an acknowledgement
    about a part of the stack that is not there, such as the database of an application without one, is not stale; nor
    is one about an environment that cdk.json does not have.
    """
    found = sorted(set(findings))
    combinations = [combination for each in acknowledgements for combination in each.combinations()]
    acknowledged = [finding for finding in found if any(_covers(c, finding) for c in combinations)]
    return Verdict(
        unacknowledged=tuple(finding for finding in found if finding not in acknowledged),
        acknowledged=tuple(acknowledged),
        stale=tuple(
            f"{environment}: {rule}: {pattern}: nothing to acknowledge any more"
            for each in acknowledgements
            if not each.depends_on_application
            for environment, rule, pattern in each.combinations()
            if not any(_covers((environment, rule, pattern), finding) for finding in found)
            and (resources is None or _has_part(resources.get(environment, ()), pattern))
        ),
    )


def _covers(combination: tuple[str, str, str], finding: Finding) -> bool:
    environment, rule, pattern = combination
    return (environment, rule) == (finding.environment, finding.rule) and fnmatchcase(finding.resource, pattern)


def _has_part(resources: Collection[str], pattern: str) -> bool:
    """Say whether there is anything that the pattern is about: what it matches, or the construct that it names."""
    part = pattern.partition("/")[0]
    if "*" in pattern:
        return any(fnmatchcase(resource, pattern) for resource in resources)
    return any(resource.partition("/")[0] == part for resource in resources)
