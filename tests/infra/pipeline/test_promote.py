"""`make promote`: an environment is deployed with the images that another one runs, or not at all."""

import copy
import json

import pytest
from botocore.stub import Stubber

from infra.operations.pricing import synthesised
from infra.pipeline import promote
from infra.pipeline.promote import differing, images, main
from tests.infra.conftest import Template
from tests.infra.operations.conftest import stub_clients

REPOSITORY = "cdk-hnb659fds-container-assets-123456789012-us-east-1"


def test_dev_and_prod_of_one_version_run_the_same_images(dev: Template, prod: Template) -> None:
    assert len(images(prod.body)) >= 3
    assert differing(dev.body, prod.body) == []


def test_what_the_other_environment_does_not_run_is_named(dev: Template, prod: Template) -> None:
    other = json.loads(json.dumps(dev.body).replace(images(dev.body)["ui of catalogue-dev-ui"], "0" * 64))

    assert differing(other, prod.body) == ["ui of catalogue-prod-ui"]


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch, prod: Template) -> dict[str, Stubber]:
    monkeypatch.setattr(promote, synthesised.__name__, lambda _environment: copy.deepcopy(prod.body))
    return stub_clients(monkeypatch, "cloudformation", "sts", "ecr")


def dev_runs(stubs: dict[str, Stubber], template: dict[str, object]) -> None:
    stubs["cloudformation"].add_response(
        "get_template", {"TemplateBody": json.dumps(template)}, {"StackName": "catalogue-dev"}
    )


def test_the_digests_that_both_run_are_told(
    stubs: dict[str, Stubber], dev: Template, prod: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    dev_runs(stubs, dev.body)
    tags = sorted({*images(prod.body).values()})
    stubs["sts"].add_response("get_caller_identity", {"Account": "123456789012"}, {})
    stubs["ecr"].add_response(
        "describe_images",
        {"imageDetails": [{"imageTags": [tag], "imageDigest": f"sha256:{tag[::-1]}"} for tag in tags]},
        {"repositoryName": REPOSITORY, "imageIds": [{"imageTag": tag} for tag in tags]},
    )

    assert main("prod", "dev") == 0

    said = capsys.readouterr().out
    for container, tag in images(prod.body).items():
        assert f"{container}: sha256:{tag[::-1]}" in said


def test_a_dev_that_moved_on_is_not_promoted(
    stubs: dict[str, Stubber], dev: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(dev.body)
    for number, tag in enumerate({*images(dev.body).values()}):
        text = text.replace(tag, f"{number:064}")
    dev_runs(stubs, json.loads(text))

    assert main("prod", "dev") == 1
    assert "catalogue-dev does not run the images of" in capsys.readouterr().err


def test_an_image_that_was_collected_is_an_error_and_not_built_anew(
    stubs: dict[str, Stubber], dev: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    dev_runs(stubs, dev.body)
    stubs["sts"].add_response("get_caller_identity", {"Account": "123456789012"}, {})
    stubs["ecr"].add_client_error("describe_images", "ImageNotFoundException", "The image does not exist")

    assert main("prod", "dev") == 1
    assert "AWS refused DescribeImages: The image does not exist" in capsys.readouterr().err


def test_without_a_dev_there_is_nothing_to_promote(
    stubs: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    stubs["cloudformation"].add_client_error("get_template", "ValidationError", "Stack does not exist")

    assert main("prod", "dev") == 1
    assert "catalogue-dev is not deployed" in capsys.readouterr().err
