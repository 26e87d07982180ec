"""The workflows' roles: who may take them, and what they may then do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from testkit.tools import ROOT, require
from tests.infra.conftest import Template

NAMES = ("dev", "prod")


def synthesised(provider_arn: str | None = None, names: tuple[str, ...] = NAMES, *, seeds: bool = False) -> Template:
    import aws_cdk
    from aws_cdk.assertions import Template as Assertions

    from infra.pipeline.stack import PipelineStack

    app = aws_cdk.App(context={"aws:cdk:enable-path-metadata": True})
    stack = PipelineStack(
        app,
        "p",
        project="shop",
        repository="team/shop",
        environments=names,
        seeds=seeds,
        provider_arn=provider_arn,
    )
    return Template(dict(Assertions.from_stack(stack).to_json()), bool(stack.termination_protection))


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesised()


def statements(template: Template, name: str) -> list[dict[str, Any]]:
    policy = template.resources("IAM::Policy")[f"Role-{name}/DefaultPolicy"]["Properties"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(arn: Any) -> str:
    """An ARN with references as their names."""
    parts = arn["Fn::Join"][1] if isinstance(arn, dict) else [arn]
    return "".join(part if isinstance(part, str) else part["Ref"] for part in parts)


@pytest.mark.parametrize("name", NAMES)
def test_only_jobs_of_this_repository_in_this_environment_take_a_role(template: Template, name: str) -> None:
    role = template.resources("IAM::Role")[f"Role-{name}"]["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": f"repo:team/shop:environment:{name}",
        }
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_role_changes_nothing_but_by_taking_the_roles_of_the_bootstrap(template: Template, name: str) -> None:
    actions = {action for statement in statements(template, name) for action in many(statement["Action"])}

    assert not [action for action in actions if "*" in action]
    verbs = {action.partition(":")[2] for action in actions}
    assert {verb for verb in verbs if not verb.startswith(("Describe", "Get", "List", "Filter"))} == {"AssumeRole"}
    (deploy,) = [one for one in statements(template, name) if one["Action"] == "sts:AssumeRole"]
    assert [text(arn).split(":role/")[1] for arn in deploy["Resource"]] == [
        f"cdk-hnb659fds-{role}-role-AWS::AccountId-AWS::Region"
        for role in ("deploy", "file-publishing", "image-publishing", "lookup")
    ]


def test_what_can_be_named_is_looked_at_by_name(template: Template) -> None:
    for statement in statements(template, "dev"):
        for arn in map(text, many(statement["Resource"])):
            if arn != "*":
                assert "shop" in arn or "cdk-hnb659fds-" in arn
    everything = [one for one in statements(template, "dev") if one["Resource"] == "*"]
    assert [one["Sid"] for one in everything] == ["SeeWhatHasNoName"]


def test_the_role_of_previews_alone_runs_their_seed_in_their_clusters_and_with_their_roles() -> None:
    template = synthesised(names=("dev", "preview"), seeds=True)

    def may(name: str) -> dict[str, tuple[list[str], Any]]:
        return {
            action: ([text(arn) for arn in many(one["Resource"])], one)
            for one in statements(template, name)
            for action in many(one["Action"])
        }

    dev, preview = may("dev"), may("preview")
    added = preview.keys() - dev.keys()

    assert added == {
        "ecs:DeregisterTaskDefinition",
        "ecs:RegisterTaskDefinition",
        "ecs:RunTask",
        "ecs:StopTask",
        "iam:PassRole",
    }
    (roles,) = preview["iam:PassRole"][0]
    assert roles.endswith(":role/shop-pr-*-*")
    assert preview["iam:PassRole"][1]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    }
    (definitions,) = preview["ecs:RunTask"][0]
    assert definitions.endswith(":task-definition/shop-pr-*-*")
    (cluster,) = many(preview["ecs:RunTask"][1]["Condition"]["ArnLike"]["ecs:cluster"])
    assert text(cluster).endswith(":cluster/shop-pr-*-*")
    (tasks,) = preview["ecs:StopTask"][0]
    assert tasks.endswith(":task/shop-pr-*-*")
    without = synthesised(names=("dev", "preview"))
    assert "iam:PassRole" not in json.dumps(without.body)


def test_the_bootstrap_has_the_roles_that_are_taken() -> None:
    from infra.pipeline.stack import BOOTSTRAP_ROLES

    require("cdk")
    file = ROOT / "node_modules/aws-cdk/lib/api/bootstrap/bootstrap-template.yaml"
    resources = yaml.safe_load(file.read_text())["Resources"]

    names = [str(one["Properties"].get("RoleName")) for one in resources.values() if one["Type"] == "AWS::IAM::Role"]
    for role in BOOTSTRAP_ROLES:
        assert any(f"-{role}-role-" in name for name in names)


def test_an_account_that_has_the_provider_gets_no_second_one(template: Template) -> None:
    assert len(template.resources("IAM::OIDCProvider")) == 1
    assert template.is_protected
    arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"

    other = synthesised(arn)

    assert other.resources("IAM::OIDCProvider") == {}
    trust = other.resources("IAM::Role")["Role-dev"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Federated": arn}


def synth(folder: Path, context: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run the app as the CDK CLI does."""
    environment = {**os.environ, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(folder)}
    command = [sys.executable, "-m", "infra.pipeline.app"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("repository", [None, "", "shop", "team/*", "team/shop:environment:prod", "te am/shop"])
def test_a_repository_that_is_none_is_refused_in_a_sentence(repository: str | None, tmp_path: Path) -> None:
    done = synth(tmp_path, {"environments": {"dev": {}}, **({} if repository is None else {"repository": repository})})

    assert done.returncode == 1
    assert done.stderr.startswith("say whose workflows may deploy: REPOSITORY=OWNER/NAME")
    assert "Traceback" not in done.stderr


def test_previews_get_a_role_for_stacks_called_after_a_number_when_they_are_enabled(tmp_path: Path) -> None:
    context = {"repository": "team/shop", "environments": {"dev": {}}}

    def roles(enabled: bool) -> dict[str, str]:
        done = synth(tmp_path, {**context, "preview": {"enabled": enabled}})
        assert done.returncode == 0, done.stderr
        resources = json.loads((tmp_path / "catalogue-pipeline.template.json").read_text())["Resources"].values()
        found = {one["Properties"].get("RoleName"): one for one in resources if one["Type"] == "AWS::IAM::Role"}
        trusts = {name: one["Properties"]["AssumeRolePolicyDocument"]["Statement"][0] for name, one in found.items()}
        subject = "token.actions.githubusercontent.com:sub"
        return {name: trust["Condition"]["StringEquals"][subject] for name, trust in trusts.items()}

    assert roles(False) == {"catalogue-pipeline-dev": "repo:team/shop:environment:dev"}
    assert roles(True) == {
        "catalogue-pipeline-dev": "repo:team/shop:environment:dev",
        "catalogue-pipeline-preview": "repo:team/shop:environment:preview",
    }
    assert ":stack/catalogue-pr-*/*" in (tmp_path / "catalogue-pipeline.template.json").read_text()
