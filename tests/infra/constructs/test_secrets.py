"""Secrets that people bring: what a task is given, and what it may read for that."""

import json

from tests.infra.conftest import Workspace

ARN = "arn:aws:secretsmanager:sa-east-1:111122223333:secret:smtp-AbCdEf"


def test_a_task_may_read_exactly_the_secret_that_its_service_names(workspace: Workspace) -> None:
    workspace.replace(
        "        SERVICE_TOKEN: service-token # made",
        f"        OPENAI_API_KEY: {{existing: shop/openai, key: api_key}}\n        SMTP_PASS: {{existing: '{ARN}'}}\n"
        "        SERVICE_TOKEN: service-token # made",
    )
    template = workspace.template("dev")
    api = {secret["Name"]: secret["ValueFrom"] for secret in template.container("api")["Secrets"]}
    policies = json.dumps([*template.resources("IAM::Policy").values()])
    (reader,) = [
        json.dumps(policy)
        for place, policy in template.resources("IAM::Policy").items()
        if "smtp" in json.dumps(policy)
    ]

    assert api["SMTP_PASS"] == ARN
    assert api["OPENAI_API_KEY"]["Fn::Join"][1][-1].endswith(":secret:shop/openai:api_key::")
    assert ":secret:shop/openai-??????" in reader
    assert policies.count("shop/openai") == policies.count("smtp-AbCdEf") == 1
    assert len(template.resources("SecretsManager::Secret")) == 4  # none is made for those
