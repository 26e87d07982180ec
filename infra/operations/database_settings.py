"""What a database made from a snapshot or a backup has to be told so that it is as the one before.

RDS takes the storage, its encryption and key, and the data from the snapshot; all else is a new instance's default
unless it is told (Amazon RDS User Guide, "Restoring to a DB instance").
"""

from typing import Any

_SAME = ("DBInstanceClass", "MultiAZ", "PubliclyAccessible", "AutoMinorVersionUpgrade", "StorageType")
_LATER = (
    *("BackupRetentionPeriod", "DeletionProtection", "MaxAllocatedStorage", "CopyTagsToSnapshot"),
    *("PreferredBackupWindow", "PreferredMaintenanceWindow", "CACertificateIdentifier"),
    *("MonitoringInterval", "MonitoringRoleArn"),
)
_INSIGHTS = ("PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod", "DatabaseInsightsMode")


def at_birth(live: Any, tags: dict[str, str]) -> dict[str, Any]:
    """Return what to ask for when an instance like `live` is made, with these tags beside its own.

    Not its protection, since it may have to go again, nor its logs: their groups are called after an instance, and
    those of a passing name would be left.
    """
    own = {tag["Key"]: tag["Value"] for tag in live.get("TagList", []) if not tag["Key"].startswith("aws:")}
    return {
        **{key: live[key] for key in _SAME if key in live},
        "DBSubnetGroupName": live["DBSubnetGroup"]["DBSubnetGroupName"],
        "VpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in live["VpcSecurityGroups"]],
        "DBParameterGroupName": live["DBParameterGroups"][0]["DBParameterGroupName"],
        "EnableIAMDatabaseAuthentication": bool(live.get("IAMDatabaseAuthenticationEnabled")),
        "CopyTagsToSnapshot": True,
        "Tags": [{"Key": key, "Value": value} for key, value in {**own, **tags}.items()],
    }


def differences(live: Any, before: Any) -> dict[str, Any]:
    """Return what to tell the database that took the place of `before` so that it is as that; nothing when it is."""
    changes = {key: before[key] for key in _LATER if key in before and live.get(key) != before[key]}
    if before.get("PerformanceInsightsEnabled") and not live.get("PerformanceInsightsEnabled"):
        changes["EnablePerformanceInsights"] = True
        changes |= {key: before[key] for key in _INSIGHTS if key in before}
    exported = set(before.get("EnabledCloudwatchLogsExports", [])) - set(live.get("EnabledCloudwatchLogsExports", []))
    if exported:
        changes["CloudwatchLogsExportConfiguration"] = {"EnableLogTypes": sorted(exported)}
    return changes
