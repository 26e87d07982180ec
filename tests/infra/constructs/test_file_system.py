"""Named volumes: a directory of Amazon EFS for each, for the tasks that have it and for nobody else."""

import json
from pathlib import Path

import pytest

from tests.infra.conftest import Resource, Template, Workspace, settings
from tests.infra.test_dependencies import Graph

OPEN = {"mode": "cloudfront", "open_to_the_internet": True}

COMPOSE = """
name: files
services:
  site:
    image: example/site:1
    user: "10001:10002"
    read_only: true
    tmpfs: [/tmp]
    ports: ["8080"]
    volumes: [uploads:/srv/uploads, "themes:/srv/themes:ro"]
    depends_on: {prepare: {condition: service_completed_successfully}}
    deploy: {update_config: {order: start-first}, resources: {limits: {cpus: "0.25", memory: 256M}}}
    x-aws: {public: {paths: [/*], health_path: /}}
  prepare:
    image: example/site:1
    command: [prepare]
    volumes: ["uploads:/mnt"]
  editor:
    image: example/editor:1
    volumes: [themes:/themes]
    deploy: {update_config: {order: stop-first}, resources: {limits: {cpus: "0.25", memory: 256M}}}
  other:
    image: example/other:1
    deploy: {resources: {limits: {cpus: "0.25", memory: 256M}}}
volumes: {uploads: {}, themes: {}, laptop: {}}
"""


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """The stack of both environments."""
    workspace = Workspace(tmp_path_factory.mktemp("files"))
    workspace.compose_file.write_text(COMPOSE)
    return {name: workspace.template(name, settings(name, public_url=OPEN)) for name in ("dev", "prod")}


@pytest.fixture(scope="module")
def dev(templates: dict[str, Template]) -> Template:
    """The stack of the environment dev."""
    return templates["dev"]


def statements(template: Template, service: str) -> list[Resource]:
    policy = template.resources("IAM::Policy")[f"{service}/Tasks/TaskRole/DefaultPolicy"]
    found = policy["Properties"]["PolicyDocument"]["Statement"]
    return [statement for statement in found if "elasticfilesystem" in json.dumps(statement)]


def access_point(template: Template, statement: Resource) -> str:
    arn = statement["Condition"]["StringEquals"]["elasticfilesystem:AccessPointArn"]
    return template.place(arn["Fn::Join"][1][-1])


def test_the_files_are_encrypted_and_nobody_gets_to_them_unencrypted_or_by_the_network_alone(dev: Template) -> None:
    files = dev.only("EFS::FileSystem")
    (statement,) = files["FileSystemPolicy"]["Statement"]

    assert files["Encrypted"] is True
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_volume_is_a_directory_that_belongs_to_the_user_of_its_service(dev: Template) -> None:
    points = {place: point["Properties"] for place, point in dev.resources("EFS::AccessPoint").items()}
    uploads, themes = points["Volumes/Files/uploads"], points["Volumes/Files/themes"]

    assert points.keys() == {"Volumes/Files/uploads", "Volumes/Files/themes"}
    for point, path, user, group in ((uploads, "/uploads", "10001", "10002"), (themes, "/themes", "10001", "10002")):
        assert point["PosixUser"] == {"Uid": user, "Gid": group}
        assert point["RootDirectory"]["Path"] == path
        assert point["RootDirectory"]["CreationInfo"] == {"OwnerUid": user, "OwnerGid": group, "Permissions": "750"}


def test_a_container_with_a_read_only_root_writes_to_its_volume(dev: Template) -> None:
    container = dev.container("site")
    mounts = {mount["ContainerPath"]: (mount["SourceVolume"], mount["ReadOnly"]) for mount in container["MountPoints"]}

    assert container["ReadonlyRootFilesystem"] is True
    assert mounts["/srv/uploads"] == ("uploads", False)
    assert mounts["/srv/themes"] == ("themes", True)
    assert dev.container("prepare", "site")["MountPoints"] == [
        {"ContainerPath": "/mnt", "SourceVolume": "uploads", "ReadOnly": False}
    ]


def test_a_task_mounts_by_its_role_and_encrypted_on_the_way(dev: Template) -> None:
    volumes = {volume["Name"]: volume for volume in dev.task("site")["Volumes"]}

    for name in ("uploads", "themes"):
        configuration = volumes[name]["EFSVolumeConfiguration"]
        assert configuration["TransitEncryption"] == "ENABLED"
        assert configuration["AuthorizationConfig"]["IAM"] == "ENABLED"
        assert dev.place(configuration["AuthorizationConfig"]["AccessPointId"]) == f"Volumes/Files/{name}"
    assert "EFSVolumeConfiguration" not in volumes["site-scratch-0"]
    assert dev.task("other").get("Volumes", []) == []


def test_a_role_has_the_volumes_of_its_task_and_writes_to_those_that_a_container_writes_to(dev: Template) -> None:
    def rights(service: str) -> dict[str, object]:
        return {access_point(dev, statement): statement["Action"] for statement in statements(dev, service)}

    reads, writes = "elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"

    assert rights("site") == {"Volumes/Files/uploads": [reads, writes], "Volumes/Files/themes": reads}
    assert rights("editor") == {"Volumes/Files/themes": [reads, writes]}
    assert statements(dev, "other") == []


def test_those_tasks_reach_the_files_and_no_others(dev: Template) -> None:
    assert {flow for flow in dev.reachable() if "Volumes" in flow} == {
        ("site", "Volumes", 2049),
        ("editor", "Volumes", 2049),
    }
    targets = dev.resources("EFS::MountTarget").values()
    assert {dev.place(target["Properties"]["SubnetId"]) for target in targets} == {
        "Network/Vpc/isolatedSubnet1/Subnet",
        "Network/Vpc/isolatedSubnet2/Subnet",
    }


def test_what_is_protected_is_backed_up_from_its_second_deployment_on(templates: dict[str, Template]) -> None:
    assert "BackupPolicy" not in templates["dev"].only("EFS::FileSystem")
    assert templates["prod"].only("EFS::FileSystem")["BackupPolicy"] == {"Status": "ENABLED"}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_files_stay_when_the_stack_goes_but_not_when_its_first_deployment_fails(
    templates: dict[str, Template], environment: str
) -> None:
    (files,) = templates[environment].resources("EFS::FileSystem").values()

    assert files["DeletionPolicy"] == "RetainExceptOnCreate"
    assert files["UpdateReplacePolicy"] == "Retain"


def test_a_service_starts_when_it_can_mount_and_ends_before_it_cannot(dev: Template) -> None:
    graph = Graph(dev)
    needed = {*graph.of("EFS::MountTarget"), *graph.of("EFS::AccessPoint")}
    rules = {
        name
        for name, rule in graph.of("EC2::SecurityGroupIngress", "EC2::SecurityGroupEgress").items()
        if rule["FromPort"] == 2049
    }

    assert len(rules) == 4
    for service in ("site", "editor"):
        before = graph.before(dev.logical(service))
        assert needed <= before
        assert {rule for rule in rules if rule.startswith(("Volumes", service))} <= before


def test_a_volume_of_nobody_who_is_known_belongs_to_a_user_that_is_not_root(workspace: Workspace) -> None:
    for user in ("", '    user: "0:0"\n', "    user: node\n"):
        text = COMPOSE.replace('    user: "10001:10002"\n', user)
        workspace.compose_file.write_text(text)
        template = workspace.template("dev", settings("dev", public_url=OPEN))
        points = [point["Properties"]["PosixUser"] for point in template.resources("EFS::AccessPoint").values()]

        assert points == [{"Uid": "1000", "Gid": "1000"}] * 2


def test_an_application_without_volumes_has_no_file_system(workspace: Workspace) -> None:
    template = workspace.template()

    assert template.resources("EFS::FileSystem") == {}
    assert Path(workspace.compose_file).name == "docker-compose.yml"
