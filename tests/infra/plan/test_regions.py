"""The regions that a stack can be deployed to: their zones, and that the documents in both languages name them all."""

import re

import pytest

from infra.plan.regions import REGIONS
from testkit.tools import ROOT
from tests.infra.conftest import Template

# CloudFront Developer Guide, "Restrict access with VPC origins", and ECS Developer Guide, "Fargate Regions".
WITHOUT_VPC_ORIGINS = {"use1-az3", "usw1-az2", "apne1-az3", "apne2-az1", "cac1-az3"}
ONLY_ONES_WITH_FARGATE = {
    "us-west-1": {"usw1-az1", "usw1-az3"},
    "ap-northeast-1": {"apne1-az1", "apne1-az2", "apne1-az4"},
    "ca-central-1": {"cac1-az1", "cac1-az2"},
}


@pytest.mark.parametrize("name", REGIONS)
def test_a_region_has_two_zones_that_take_a_vpc_origin_and_have_fargate(name: str) -> None:
    zones = {*REGIONS[name].zones}
    area, direction, number = re.fullmatch(r"([a-z]+)-([a-z]+)-(\d)", name).groups()  # type: ignore[union-attr]
    short = "".join(word[0] for word in re.findall("north|south|east|west|central", direction))

    assert len(zones) == 2
    assert zones & WITHOUT_VPC_ORIGINS == set()
    assert zones <= ONLY_ONES_WITH_FARGATE.get(name, zones)
    assert {zone.rpartition("-")[0] for zone in zones} == {f"{area}{short}{number}"}


@pytest.mark.parametrize("environment", ["dev", "prod", "prod_with_domain", "load_balancer_alone"])
def test_subnets_are_in_zones_chosen_by_their_ids(request: pytest.FixtureRequest, environment: str) -> None:
    template: Template = request.getfixturevalue(environment)
    subnets = template.resources("EC2::Subnet")

    assert len(subnets) in (4, 6)
    for place, subnet in subnets.items():
        chosen = subnet["Properties"]["AvailabilityZoneId"]
        mapping, region, position = chosen["Fn::FindInMap"]
        assert "AvailabilityZone" not in subnet["Properties"]
        assert region == {"Ref": "AWS::Region"}
        assert position == ("First" if "Subnet1" in place else "Second")
        zones = template.body["Mappings"][mapping]
        assert {name: (zone["First"], zone["Second"]) for name, zone in zones.items()} == {
            name: known.zones for name, known in REGIONS.items()
        }


@pytest.mark.parametrize("readme", ["docs/deploy.md", "docs/deploy.pt-BR.md"])
def test_a_readme_names_every_region_and_no_other(readme: str) -> None:
    named = re.findall(r"`([a-z]{2}-[a-z]+-\d)`", (ROOT / readme).read_text(encoding="utf-8"))

    assert named == [*REGIONS]
