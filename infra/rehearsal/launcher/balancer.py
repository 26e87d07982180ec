"""Which target of a load balancer a request is for, by the rules of the listener on the port that it comes to."""

import random
from collections.abc import Mapping
from typing import Any

from infra.rehearsal.launcher.internals import alb


def address(balancer: dict[str, Any], port: int, path: str, method: str, headers: Mapping[str, str]) -> str | None:
    """Return the address and port of a target, or None when the listener sends such a request nowhere."""
    arn = balancer["LoadBalancerArn"]
    listener = next(
        (one for one in alb._listeners.values() if one["LoadBalancerArn"] == arn and one["Port"] == port), None
    )
    if listener is None:
        return None
    rules = [rule for rule in alb._rules.values() if rule["ListenerArn"] == listener["ListenerArn"]]
    for rule in sorted(rules, key=alb._rule_sort_key):
        if rule.get("IsDefault") or all(
            alb._match_condition(condition, method, path, headers, {}) for condition in rule["Conditions"]
        ):
            (action,) = rule.get("Actions") or listener["DefaultActions"]
            targets = alb._targets.get(action.get("TargetGroupArn", ""), [])
            if not targets:
                return None
            target = random.choice(targets)  # noqa: S311 (not a secret)
            return f"{target['Id']}:{target['Port']}"
    return None
