"""What a template costs: both environments' sums by hand, and every kind of resource known or named."""

import copy
from typing import Any

import pytest

from infra.cost.estimate import FREE, CostEstimate, estimate
from infra.cost.prices import NoPriceError, Price, Prices, prices
from infra.cost.usage import Usage
from tests.infra.conftest import Template, Workspace, settings

N_VIRGINIA = prices("us-east-1")
NO_USE = Usage(
    requests_million=0,
    answer_kb=0,
    flow_log_gb=0,
    fetched_gb=0,
    metrics_per_cluster=0,
    metrics_per_service=0,
    metrics_per_task=0,
    metrics_per_container=0,
    database_log_gb=0,
    users=0,
)

Body = dict[str, Any]


def of(template: Template, usage: Usage | None = None) -> CostEstimate:
    return estimate(template.body, N_VIRGINIA, usage, database="db")


def add(template: Template, kind: str, **properties: Any) -> Body:
    """Return the template with one more resource."""
    body = copy.deepcopy(template.body)
    metadata = {"aws:cdk:path": "catalogue-dev/New/Resource"}
    body["Resources"]["New"] = {"Type": kind, "Properties": properties, "Metadata": metadata}
    return body


def test_dev_by_hand(dev: Template) -> None:
    # Prices of November 2026, written down a second time: a slip in the table shows here.
    task = 0.5 * 0.04048 + 1 * 0.004445
    by_hand = [
        730 * 0.0225,  # the load balancer
        730 * 0.032 * 12.5 / 24,  # db.t4g.small, from 07:40 to 20:10
        20 * 0.115,  # its disk
        2 * 730 / 2 * task * 0.34,  # a task of the API and one of the UI, on Spot, from 08:00 to 20:00
        2 * 730 / 2 * 0.005,  # their addresses
        4 * 0.40,  # owner's password, service token, cookie secret, client secret
        2 * (2 + 1 + 1) * 0.10,  # three alarms for each: one on a share of two metrics, two on one
        3 * 0.10,  # the database's
    ]

    assert of(dev, NO_USE).minimum == pytest.approx(sum(by_hand), abs=0.005)


def test_prod_by_hand(prod: Template) -> None:
    task = 0.5 * 0.04048 + 1 * 0.004445
    by_hand = [
        730 * 0.0225,
        730 * 0.065,  # db.t4g.small and its standby
        20 * 0.23,
        4 * 730 * task,  # two tasks of each
        2 * 730 * (0.045 + 0.005),  # two NAT gateways with their addresses
        5 + 4 * 1,  # a web ACL with four rules
        1,  # the database's key
        4 * 0.40,
        2 * (2 + 1 + 1) * 0.10,
        3 * 0.10,
    ]

    assert of(prod, NO_USE).minimum == pytest.approx(sum(by_hand), abs=0.005)


def test_at_most_tasks_and_disk_by_hand(prod: Template) -> None:
    found = of(prod, NO_USE)
    task = 0.5 * 0.04048 + 1 * 0.004445

    assert found.maximum - found.minimum == pytest.approx(4 * 730 * task + 180 * 0.23, abs=0.005)


def test_use_is_estimated_and_said(prod: Template) -> None:
    found = of(prod, Usage(requests_million=20))
    assumed = {(line.place, line.what): line.minimum for line in found.lines if line.is_assumed}

    assert assumed["WebAcl/Acl", "what it looks at"] == pytest.approx(20 * 0.60)
    assert assumed["LoadBalancer/Distribution/Distribution", "HTTPS on CloudFront's own name"] == pytest.approx(10 * 1)
    assert assumed["Cluster", "metrics of each task and container"] == pytest.approx(
        # the cluster; two services; four tasks; two containers in each: its own and Service Connect's proxy
        (30 + 2 * 30 + 4 * (15 + 2 * 15)) * 0.07
    )
    assert assumed["api/Logs", "its logs"] > 0


@pytest.mark.parametrize("name", ["dev", "prod", "prod_with_domain", "load_balancer_alone"])
def test_no_resource_of_ours_is_left_out(name: str, request: pytest.FixtureRequest) -> None:
    assert of(request.getfixturevalue(name)).not_priced == {}


def test_an_unknown_resource_is_named_and_never_free(dev: Template) -> None:
    found = estimate(add(dev, "AWS::Neptune::DBCluster"), N_VIRGINIA)

    assert found.not_priced == {"AWS::Neptune::DBCluster": 1}


def test_what_the_region_has_no_price_for_is_named_all_at_once(dev: Template) -> None:
    body = add(dev, "AWS::EFS::FileSystem")
    (instance,) = [one for one in body["Resources"].values() if one["Type"] == "AWS::RDS::DBInstance"]
    instance["Properties"]["DBInstanceClass"] = "db.m8g.large"
    ireland = prices("eu-west-1")
    without_efs = Prices("eu-west-1", {name: price for name, price in ireland.found.items() if "efs" not in name})

    with pytest.raises(NoPriceError) as refused:
        estimate(body, without_efs)

    assert "rds_db.m8g.large_hour in eu-west-1" in str(refused.value)
    assert "efs_gb_month in eu-west-1" in str(refused.value)


def test_services_have_their_share(dev: Template) -> None:
    shares = of(dev).by(lambda line: line.owner)

    assert list(shares) == ["db", "", "api", "ui"]
    assert sum(low for low, _ in shares.values()) == pytest.approx(of(dev).minimum)
    assert shares["api"][0] == pytest.approx(shares["ui"][0])
    assert shares["api"][1] > 1.9 * shares["api"][0]


def test_tasks_partly_on_spot(workspace: Workspace) -> None:
    half = settings("dev", services={"spot_percent": 50, "min_tasks": 1, "max_tasks": 3, "asleep": None})
    found = of(workspace.template("dev", half), NO_USE)
    (line,) = [line for line in found.lines if line.place == "api" and line.group == "Containers that run"]
    task = 730 * (0.5 * 0.04048 + 0.004445)

    # As many as there are at least are not on Spot; of the others half are.
    assert line.minimum == pytest.approx(task)
    assert line.maximum == pytest.approx(task * (1 + 2 * (0.5 + 0.5 * 0.34)))


def test_what_other_applications_have(dev: Template) -> None:
    endpoint = add(dev, "AWS::EC2::VPCEndpoint", VpcEndpointType="Interface", SubnetIds=["a", "b"])
    volume = add(dev, "AWS::EFS::FileSystem")

    assert estimate(endpoint, N_VIRGINIA).minimum - of(dev).minimum == pytest.approx(2 * 730 * 0.01)
    assert estimate(volume, N_VIRGINIA).minimum - of(dev).minimum == pytest.approx(5 * 0.30)


def test_a_public_load_balancer_has_addresses_and_sends_data(load_balancer_alone: Template) -> None:
    found = of(load_balancer_alone, Usage(requests_million=100))
    costs = {line.what: line.minimum for line in found.lines if line.place == "LoadBalancer/LoadBalancer"}

    assert costs["its public addresses"] == pytest.approx(2 * 730 * 0.005)
    assert costs["answers sent to the internet"] == pytest.approx((100 * 13 - 100) * 0.09)


def test_nothing_is_both_priced_and_free(dev: Template) -> None:
    free = {line.place for kind in FREE for line in estimate({"Resources": {"New": {"Type": kind}}}, N_VIRGINIA).lines}

    assert free == set()
    assert isinstance(N_VIRGINIA.found["waf_rule_month"], Price)
