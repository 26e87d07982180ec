"""How long an update takes from a new task that is well to the last old one gone, by the template's own numbers."""

import pytest

from tests.infra.conftest import Template

GOAL_SECONDS = 45


@pytest.mark.parametrize("environment", ["dev", "prod", "prod_with_domain"])
@pytest.mark.parametrize("name", ["api", "ui"])
def test_old_tasks_are_gone_45_seconds_after_new_ones_are_well(
    request: pytest.FixtureRequest, environment: str, name: str
) -> None:
    template: Template = request.getfixturevalue(environment)
    group = template.resources("ElasticLoadBalancingV2::TargetGroup")[f"LoadBalancer/{name}"]["Properties"]
    attributes = {one["Key"]: one["Value"] for one in group["TargetGroupAttributes"]}
    balancer = template.only("ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"]
    (idle,) = [int(one["Value"]) for one in balancer if one["Key"] == "idle_timeout.timeout_seconds"]

    found_well = group["HealthCheckIntervalSeconds"] * group["HealthyThresholdCount"]
    last_requests = int(attributes["deregistration_delay.timeout_seconds"])
    stopping = template.container(name)["StopTimeout"]

    assert found_well + last_requests + stopping <= GOAL_SECONDS
    # A request that was answered before the delay ended is not cut; what stops has time for those under way.
    assert 10 <= last_requests <= idle
    assert stopping >= 10
