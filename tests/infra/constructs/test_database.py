"""What stands in for the compose file's database."""

import json

import pytest

from tests.infra.conftest import Template, Workspace, settings


@pytest.fixture(params=["dev", "prod"])
def template(request: pytest.FixtureRequest) -> Template:
    """Each environment's template in turn."""
    found: Template = request.getfixturevalue(request.param)
    return found


def test_the_database_is_private_encrypted_and_leaves_a_snapshot(template: Template) -> None:
    (resource,) = template.resources("RDS::DBInstance").values()
    database = resource["Properties"]

    assert (database["Engine"], database["EngineVersion"]) == ("postgres", "18")
    assert (database["DBName"], database["MasterUsername"]) == ("catalogue", "catalogue")
    assert not database["PubliclyAccessible"]
    assert database["StorageEncrypted"]
    assert database["StorageType"] == "gp3"
    assert "{{resolve:secretsmanager:" in json.dumps(database["MasterUserPassword"])
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Snapshot"


def test_the_database_speaks_tls_alone_and_logs_what_is_slow(template: Template) -> None:
    group = template.only("RDS::DBParameterGroup")

    assert template.place(template.only("RDS::DBInstance")["DBParameterGroupName"]) == "Database/Parameters"
    assert group["Family"] == "postgres18"
    assert group["Parameters"] == {
        "rds.force_ssl": "1",
        "log_min_duration_statement": "1000",
        "log_statement": "ddl",
        # Half of what RDS gives it: signing in by IAM takes up to 1,000 MiB of the instance's 2 GiB.
        "shared_buffers": "{DBInstanceClassMemory/65536}",
    }


def test_a_large_database_keeps_its_buffers(workspace: Workspace) -> None:
    template = workspace.template("dev", settings("dev", database={"instance_class": "db.t4g.medium"}))

    assert "shared_buffers" not in template.only("RDS::DBParameterGroup")["Parameters"]


def test_the_storage_grows_by_itself_and_minor_versions_are_installed(template: Template) -> None:
    database = template.only("RDS::DBInstance")

    assert database["MaxAllocatedStorage"] > int(database["AllocatedStorage"])
    assert database["AutoMinorVersionUpgrade"]


def test_prod_has_its_own_key_which_outlives_the_instance_and_its_snapshot(prod: Template) -> None:
    (key,) = prod.resources("KMS::Key").values()
    database = prod.only("RDS::DBInstance")

    assert key["Properties"]["EnableKeyRotation"]
    assert key["DeletionPolicy"] == "Retain"
    assert prod.place(database["KmsKeyId"]) == prod.place(database["PerformanceInsightsKMSKeyId"]) == "Database/Key"


def test_prod_shows_what_the_database_does(prod: Template) -> None:
    (resource,) = prod.resources("RDS::DBInstance").values()
    database = resource["Properties"]
    waits = {prod.place(other) for other in resource["DependsOn"]}

    assert database["EnableCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    assert database["MonitoringInterval"] == 60
    assert database["EnablePerformanceInsights"]
    # Else RDS makes them itself, and keeps what is in them for ever.
    assert {"Database/Logs-postgresql", "Database/Logs-upgrade"} <= waits


def test_dev_pays_for_none_of_that(dev: Template) -> None:
    database = dev.only("RDS::DBInstance")

    assert not {"KmsKeyId", "MonitoringInterval", "EnableCloudwatchLogsExports"} & database.keys()
    assert not database.get("EnablePerformanceInsights")


def test_a_url_of_the_database_is_a_secret_that_cloudformation_puts_together(workspace: Workspace) -> None:
    local, on_aws = "postgres://catalogue:local@db/catalogue", "url?sslmode=verify-full"
    workspace.replace("  PGHOST: host\n", f"  PGHOST: host\n          DATABASE_URL: {on_aws}\n")
    workspace.replace("  PGUSER: catalogue\n", f"  PGUSER: catalogue\n      DATABASE_URL: {local}\n")
    template = workspace.template("dev")
    secret = template.resources("SecretsManager::Secret")[template.secrets("migrate", "api")["DATABASE_URL"]]
    start, *middle, end = secret["Properties"]["SecretString"]["Fn::Join"][1]

    assert start == "postgres://catalogue:{{resolve:secretsmanager:"
    assert template.place(middle[0]) == "Database/Instance/Secret/Attachment"
    assert middle[1] == ":SecretString:password::}}@"
    assert middle[2]["Fn::GetAtt"][1] == "Endpoint.Address"
    assert end == ":5432/catalogue?sslmode=verify-full"
    assert "DATABASE_URL" not in template.variables("migrate", "api")


def test_a_full_version_is_what_a_major_upgrade_takes(workspace: Workspace) -> None:
    old = workspace.replace("postgres:18", "postgres:17").template("dev")
    upgraded = workspace.replace("postgres:17", "postgres:18").template(
        "dev", settings("dev", database={"engine_version": "18.4"})
    )
    before, after = old.only("RDS::DBInstance"), upgraded.only("RDS::DBInstance")

    assert not before["AllowMajorVersionUpgrade"]
    assert (after["EngineVersion"], after["AllowMajorVersionUpgrade"]) == ("18.4", True)
    # The parameters are those of the version; the instance, whose name is the same, is upgraded and not made anew.
    families = [template.only("RDS::DBParameterGroup")["Family"] for template in (old, upgraded)]
    assert families == ["postgres17", "postgres18"]
    assert upgraded.logical("Database/Instance") == old.logical("Database/Instance")


def test_a_database_from_a_snapshot_has_its_owner_given_the_password_of_the_secret(
    workspace: Workspace, dev: Template
) -> None:
    template = workspace.template("dev", settings("dev", database={"snapshot_identifier": "catalogue-prod-last"}))
    fresh, restored = dev.only("RDS::DBInstance"), template.only("RDS::DBInstance")
    secret = template.resources("SecretsManager::Secret")["Database/Instance/Secret"]["Properties"]

    assert restored["DBSnapshotIdentifier"] == "catalogue-prod-last"
    # What a snapshot has already, and RDS refuses beside it.
    assert not {"DBName", "MasterUsername", "StorageEncrypted", "KmsKeyId"} & restored.keys()
    assert "{{resolve:secretsmanager:" in json.dumps(restored["MasterUserPassword"])
    assert '"username":"catalogue"' in json.dumps(secret["GenerateSecretString"]).replace("\\", "")
    assert template.secrets("migrate", "api")["PGPASSWORD"] == "Database/Instance/Secret/Attachment:password::"
    # Everything else is as in a fresh one.
    same = fresh.keys() - {"DBName", "MasterUsername", "StorageEncrypted", "MasterUserPassword"}
    assert {key: restored[key] for key in same if key != "DBParameterGroupName"} == {
        key: fresh[key] for key in same if key != "DBParameterGroupName"
    }


def test_a_snapshot_keeps_its_own_key(workspace: Workspace) -> None:
    template = workspace.template("prod", settings("prod", database={"snapshot_identifier": "catalogue-prod-last"}))

    assert not template.resources("KMS::Key")
