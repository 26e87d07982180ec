"""A small stack with a database in an emulated account, and how an operator is interrupted there."""

import json
from typing import Any

import boto3
import pytest

NAME = "catalogue-dev"
REPOSITORY, DEPLOYED = "111122223333.dkr.ecr.us-east-1.amazonaws.com/assets", "0" * 64
SECRET_NAME = "DatabaseInstanceSecretF00DF00D"
SECRET = {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": json.dumps({"password": "of-today"})}}
DATABASE = {
    "Type": "AWS::RDS::DBInstance",
    "DeletionPolicy": "Snapshot",
    "Properties": {
        "DBInstanceIdentifier": NAME,
        "Engine": "postgres",
        "EngineVersion": "18",
        "DBInstanceClass": "db.t4g.small",
        "DBName": "catalogue",
        "MasterUsername": "catalogue",
        "MasterUserPassword": "of-today",
        "BackupRetentionPeriod": 3,
        "DeletionProtection": True,
        "VPCSecurityGroups": ["sg-1"],
        "DBParameterGroupName": "ours",
        "AllocatedStorage": 20,
        "MaxAllocatedStorage": 50,
        "EnableIAMDatabaseAuthentication": True,
        "Tags": [{"Key": "project", "Value": "catalogue"}],
    },
}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"RoleName": "of-the-api", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}
TASK = {
    "Type": "AWS::ECS::TaskDefinition",
    "Properties": {
        "Family": f"{NAME}-api",
        "Cpu": "256",
        "Memory": "512",
        "TaskRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "ContainerDefinitions": [
            {
                "Name": "migrate",
                "Image": f"{REPOSITORY}:{DEPLOYED}",
                "Essential": False,
                "Environment": [{"Name": "PGHOST", "Value": {"Fn::GetAtt": ["Database", "Endpoint.Address"]}}],
                "Secrets": [
                    {"Name": f"PG{name}", "ValueFrom": {"Fn::Sub": f"${{{SECRET_NAME}}}:{field}::"}}
                    for name, field in (("USER", "username"), ("PASSWORD", "password"))
                ],
                "LogConfiguration": {
                    "LogDriver": "awslogs",
                    "Options": {"awslogs-group": f"/{NAME}/api", "awslogs-stream-prefix": "migrate"},
                },
            },
            {"Name": "api", "Image": "api:1"},
        ],
    },
}
SERVICE = {
    "Type": "AWS::ECS::Service",
    "Properties": {
        "Cluster": {"Ref": "Cluster"},
        "TaskDefinition": {"Ref": "Task"},
        "DesiredCount": 0,
        "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-2"]}},
    },
}
TEMPLATE: dict[str, dict[str, Any]] = {
    "Resources": {
        "Database": DATABASE,
        SECRET_NAME: SECRET,
        "Role": ROLE,
        "Task": TASK,
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Service": SERVICE,
    }
}
CHANGES = {"RestoreDBInstanceFromDBSnapshot", "ModifyDBInstance", "RemoveTagsFromResource", "DeleteDBInstance"}


def instances(rds: Any) -> dict[str, Any]:
    return {one["DBInstanceIdentifier"]: one for one in rds.describe_db_instances()["DBInstances"]}


def interrupted(monkeypatch: pytest.MonkeyPatch, at: int, when: str) -> None:
    """Have the process end at the request number `at` that changes something: before it is sent, or when it is done."""
    asked = 0
    client: Any = boto3.Session.client  # its types want each service's name by itself

    def end(model: Any, **_: Any) -> None:
        nonlocal asked
        if model.name in CHANGES:
            asked += 1
            if asked == at:
                raise KeyboardInterrupt

    def watched(session: boto3.Session, name: str) -> Any:
        made = client(session, name)
        made.meta.events.register(f"{when}.rds", end)
        return made

    monkeypatch.setattr(boto3.Session, "client", watched)
