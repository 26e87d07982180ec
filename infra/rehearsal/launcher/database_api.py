"""What the RDS API is asked to do with an instance happens to its PostgreSQL: a restore, a new name, its end.

The emulator writes that down only, and knows of no new name. A renamed instance is another container with the same
data: on RDS it is restarted, too. Without an engine there are records alone, but for all of it.
"""

import shlex
from collections.abc import Callable
from typing import Any

from infra.rehearsal.launcher import snapshots
from infra.rehearsal.launcher.database import Servers
from infra.rehearsal.launcher.internals import rds, replace
from infra.rehearsal.launcher.snapshots import SUPERUSER

Parameters = dict[str, Any]
Action = Callable[[Parameters], Any]

_FLAGS = {
    "MultiAZ": "MultiAZ",
    "PubliclyAccessible": "PubliclyAccessible",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
}
_RENAMING = "renaming"


def install(engine: Any = None, servers: Servers | None = None) -> None:
    """Replace how the emulator answers these requests."""
    api = _Api(engine, servers)
    for name, wrap in {
        "RestoreDBInstanceFromDBSnapshot": api.restored,
        "ModifyDBInstance": api.renamed,
        "DeleteDBInstance": api.deleted,
    }.items():
        rds._ACTION_MAP[name] = wrap(rds._ACTION_MAP[name])
    replace(rds, "_rotate_instance_password", lambda _: api.set_password)
    replace(rds, "_create_snapshot_internal", _with_what_is_of_the_instance)


class _Api:
    def __init__(self, engine: Any, servers: Servers | None) -> None:
        self._engine, self._servers = engine, servers

    def restored(self, make_record: Action) -> Action:
        def restore(asked: Parameters) -> Any:
            answer = make_record(asked)
            if answer[0] == 200:
                name = rds._p(asked, "DBSnapshotIdentifier")
                instance = rds._instances[rds._p(asked, "DBInstanceIdentifier")]
                _as_asked(instance, rds._snapshots[name], asked)
                if self._servers:
                    self._servers.start(instance, name)
            return answer

        return restore

    def renamed(self, modify: Action) -> Action:
        def rename(asked: Parameters) -> Any:
            new, old = rds._p(asked, "NewDBInstanceIdentifier"), rds._p(asked, "DBInstanceIdentifier")
            instance = rds._resolve_instance(old)
            if not new or not instance:
                return modify(asked)
            if new in rds._instances:
                return rds._error("DBInstanceAlreadyExists", f"DB instance {new} already exists", 400)
            instance["DBInstanceStatus"] = _RENAMING
            if self._servers:
                snapshots.keep(self._engine, _RENAMING, instance)
                self._servers.remove(old, instance["_docker_container_id"])
                _call(instance, new)
                self._servers.start(instance, _RENAMING)
                snapshots.forget(_RENAMING)
            _call(instance, new)
            tags = rds._tags.pop(_arn(old), instance["TagList"])
            rds._tags[instance["DBInstanceArn"]] = tags
            instance["DBInstanceStatus"] = "available"
            rds._instances[new] = rds._instances.pop(old)
            return rds._single_instance_response("ModifyDBInstanceResponse", "ModifyDBInstanceResult", instance)

        return rename

    def deleted(self, delete_record: Action) -> Action:
        def delete(asked: Parameters) -> Any:
            identifier, last = rds._p(asked, "DBInstanceIdentifier"), rds._p(asked, "FinalDBSnapshotIdentifier")
            instance = rds._resolve_instance(identifier)
            if self._servers and instance and last:
                snapshots.keep(self._engine, last, instance)
            answer = delete_record(asked)
            if self._servers and instance and answer[0] == 200:
                self._servers.remove(identifier, None)  # the emulator has removed the container
            return answer

        return delete

    def set_password(self, instance: dict[str, Any], _old: str, new: str) -> None:
        if not self._servers:
            return
        owner, password = instance["MasterUsername"].replace('"', '""'), new.replace("'", "''")
        statement = f"""ALTER ROLE "{owner}" PASSWORD '{password}'"""
        psql = shlex.join(["psql", f"--username={SUPERUSER}", "--dbname=postgres", "--quiet", f"--command={statement}"])
        result = self._engine.containers.get(instance["_docker_container_id"]).exec_run(["sh", "-c", psql])
        if result.exit_code != 0:
            raise ValueError(f"{instance['DBInstanceIdentifier']} does not take the password: {result.output.decode()}")


def _with_what_is_of_the_instance(make_record: Callable[..., Any]) -> Callable[..., Any]:
    def make(name: str, instance: dict[str, Any]) -> Any:
        record = make_record(name, instance)
        record.update({"_MasterUserPassword": instance["_MasterUserPassword"], "_Endpoint": instance["Endpoint"]})
        return record

    return make


def _as_asked(instance: dict[str, Any], snapshot: dict[str, Any], asked: Parameters) -> None:
    """Give the record of a restored instance what the emulator leaves out."""
    groups = rds._parse_member_list(asked, "VpcSecurityGroupIds")
    instance["VpcSecurityGroups"] = [{"VpcSecurityGroupId": group, "Status": "active"} for group in groups]
    parameters = rds._p(asked, "DBParameterGroupName")
    instance["DBParameterGroups"] = [{"DBParameterGroupName": parameters, "ParameterApplyStatus": "in-sync"}]
    subnets = rds._p(asked, "DBSubnetGroupName")
    instance["DBSubnetGroup"] = rds._subnet_groups.get(subnets, instance["DBSubnetGroup"])
    for name, key in _FLAGS.items():
        instance[key] = rds._p(asked, name) == "true"
    instance["KmsKeyId"], instance["_MasterUserPassword"] = snapshot["KmsKeyId"], snapshot["_MasterUserPassword"]
    instance["TagList"] = rds._tags[instance["DBInstanceArn"]] = rds._parse_tags(asked)
    instance["Endpoint"] = {**snapshot["_Endpoint"]}
    _call(instance, instance["DBInstanceIdentifier"])


def _call(instance: dict[str, Any], name: str) -> None:
    """Give an instance a name, which its address begins with; the rest of that is the account's in a region."""
    domain = instance["Endpoint"]["Address"].partition(".")[2]
    instance["Endpoint"] = {**instance["Endpoint"], "Address": f"{name}.{domain}"}
    instance["DBInstanceIdentifier"], instance["DBInstanceArn"] = name, _arn(name)


def _arn(name: str) -> str:
    return f"arn:aws:rds:{rds.get_region()}:{rds.get_account_id()}:db:{name}"
