"""The picture of the architecture has all that the template has, and is the one in docs/images."""

import itertools
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from infra.diagram.architecture import VISITOR, architecture
from infra.diagram.drawing import DOWN, ENGLISH, HEIGHT, PORTUGUESE, WIDTH, boxes, draw
from infra.operations.diagram import PICTURES
from testkit.tools import ROOT
from tests.infra.conftest import Template

TEMPLATES = pytest.mark.parametrize("name", ["dev", "prod", "prod_with_domain"])


@TEMPLATES
def test_every_service_database_and_way_between_them_is_in_it(name: str, request: pytest.FixtureRequest) -> None:
    template: Template = request.getfixturevalue(name)
    drawn = ElementTree.fromstring(draw(architecture(template.body), ENGLISH))  # noqa: S314 - ours
    parts = {part for element in drawn.iter() if (part := element.get("data-part"))}
    services = {place.partition("/")[0] for place in template.resources("ECS::Service")}
    assert services | {"Database", "LoadBalancer", VISITOR} <= parts
    assert ("distribution" in parts) == bool(template.resources("CloudFront::Distribution"))
    arrows = {
        (element.get("data-from"), element.get("data-to"), int(element.get("data-port", 0)))
        for element in drawn.iter()
        if element.get("data-from")
    }
    inside = {way for way in template.reachable() if "/" not in way[0] + way[1] and parts.issuperset(way[:2])}
    assert len(inside) == 4
    assert inside <= arrows
    assert {way for way in arrows if way[0] not in (VISITOR, "distribution")} == inside
    assert any(way[0] == VISITOR for way in arrows)


@TEMPLATES
def test_no_box_lies_on_another_and_none_is_outside(name: str, request: pytest.FixtureRequest) -> None:
    found = architecture(request.getfixturevalue(name).body)
    placed = boxes(found)
    assert len(placed) == len(found.parts)
    for one, other in itertools.combinations(placed.values(), 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT + DOWN
    width, height = map(float, re.findall(r'viewBox="0 0 (\S+) (\S+)"', draw(found, ENGLISH))[0])
    assert all(0 < box.x < width - WIDTH and 0 < box.y < height - HEIGHT for box in placed.values())


def test_the_pictures_are_those_of_prod_as_it_is_now(prod: Template) -> None:
    for name, words in PICTURES.items():
        current = draw(architecture(prod.body), words)
        assert (ROOT / "docs/images" / name).read_text() == current, "run make diagram"


def test_both_languages_have_the_same_words() -> None:
    assert ENGLISH.keys() == PORTUGUESE.keys()


def test_many_services_a_volume_and_a_schedule_have_room(prod: Template) -> None:
    resources: dict[str, Any] = {}
    for name in ("web", "worker", "cache"):
        path = {"aws:cdk:path": f"stack/{name}/Tasks"}
        definition = {"ContainerDefinitions": [{"Name": name}]}
        resources[f"{name}Tasks"] = {"Type": "AWS::ECS::TaskDefinition", "Properties": definition, "Metadata": path}
        resources[f"{name}Service"] = {"Type": "AWS::ECS::Service", "Metadata": {"aws:cdk:path": f"stack/{name}/x"}}
        resources[f"{name}Group"] = {"Type": "AWS::EC2::SecurityGroup", "Metadata": {"aws:cdk:path": f"stack/{name}/y"}}
    for number, (source, target) in enumerate([("web", "cache"), ("worker", "cache")]):
        rule = {"SourceSecurityGroupId": {"Ref": f"{source}Group"}, "GroupId": {"Ref": f"{target}Group"}, "FromPort": 1}
        resources[f"Rule{number}"] = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": rule}
    found = architecture({"Resources": resources})
    assert {(one.source, one.target) for one in found.connections} == {("web", "cache"), ("worker", "cache")}
    placed = boxes(found)
    assert placed["cache"].y == max(box.y for box in placed.values())  # asked, so below who asks
    assert draw(found, PORTUGUESE).count("data-from") == 2
