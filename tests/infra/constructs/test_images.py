"""What the images are called after, and so what makes tasks be replaced."""

from pathlib import Path

from infra.compose import read

SECRETS = (".env", ".env.production", "api/.env", "api/server.key", "api/id_rsa", "api/backup.sql.gz", ".git/config")


def hashes(folder: Path) -> dict[str, str]:
    import aws_cdk  # starts Node, so only the tests that need it pay for it

    from infra.constructs.images import Images
    from infra.constructs.secrets import Secrets

    aws_cdk.AssetStaging.clear_asset_hash_cache()
    stack = aws_cdk.Stack(aws_cdk.App(outdir=str(folder.parent / "cdk.out")), "stack")
    images = Images(stack, "Images", architecture="arm64", secrets=Secrets(stack, "Secrets"))
    services = read(folder / "compose.yaml").services
    for service in services.values():
        images.of(service)
    return {name: images.node.find_child(name).asset_hash for name in services}  # type: ignore[attr-defined]


def test_an_image_changes_with_what_it_is_made_from_and_with_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "api").mkdir(parents=True)
    (folder / "ui").mkdir()
    (folder / ".git").mkdir()
    (folder / "Dockerfile").write_text(
        "FROM x AS base\nFROM base AS api\nCOPY api /srv\nFROM base AS ui\nCOPY ui /srv\n"
    )
    build = "build: {{context: ., target: {0}}}, deploy: {{resources: {{limits: {{cpus: 1, memory: 1G}}}}}}"
    (folder / "compose.yaml").write_text(
        f"name: x\nservices: {{api: {{{build.format('api')}}}, ui: {{{build.format('ui')}}}}}\n"
    )
    before = hashes(folder)

    for name in SECRETS:
        (folder / name).write_text("a value that nobody else has")
    assert hashes(folder) == before

    (folder / "api/main.py").write_text("print(1)")
    after = hashes(folder)
    assert after["ui"] == before["ui"]
    assert after["api"] != before["api"]

    staged = [file for file in (tmp_path / "cdk.out").rglob("*") if file.is_file()]
    assert any(file.name == "main.py" for file in staged)
    assert not [file for file in staged if b"a value that nobody else has" in file.read_bytes()]


def test_a_task_may_pull_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    from tests.infra.conftest import Workspace

    workspace = Workspace(tmp_path)
    workspace.compose_file.write_text(
        "name: shop\nservices:\n  worker:\n    image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.2\n"
        "    deploy: &size {resources: {limits: {cpus: 1, memory: 2G}}}\n"
        "  private:\n    image: registry.example.com/private:1\n    deploy: *size\n"
        "    x-aws: {registry_credentials: {existing: shop/registry}}\n"
    )
    template = workspace.template()
    rights = [
        statement
        for policy in template.resources("IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "ecr:BatchGetImage" in str(statement["Action"])
    ]

    (right,) = rights
    assert "repository/shop/web" in str(right["Resource"])
    assert "*" not in str(right["Resource"])
    assert "123456789012.dkr.ecr.eu-west-1" in str(template.container("worker")["Image"])
    assert str(template.container("worker")["Image"]).count("1.2") == 1

    assert "shop/registry" in str(template.container("private")["RepositoryCredentials"])
    readers = [
        place
        for place, policy in template.resources("IAM::Policy").items()
        if "secretsmanager:GetSecretValue" in str(policy["Properties"])
    ]
    assert readers == ["private/Tasks/ExecutionRole/DefaultPolicy"]
