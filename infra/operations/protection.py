"""What a change would do to protected parts of a stack that runs, which CloudFormation could neither do nor take back.

It replaces by making the new one first. A protected one that is to go stays behind, and one that is protected from its
first second cannot be removed again when the update fails.
"""

import boto3

from infra.operations import stacks
from infra.plan import Plan
from infra.plan.environment import CloudFrontSettings
from infra.plan.exposure import is_public, people_sign_in

_INTERNAL, _PUBLIC = "the load balancer in the VPC", "the load balancer on the internet"
_USERS, _DATABASE = "the user pool", "the database"


def refusal(session: boto3.Session, plan: Plan) -> str | None:
    """Return why the update of a stack that is there to `plan` is refused, and the way round; None when it is not.

    Raises:
        BotoCoreError, ClientError: AWS refused.
    """
    deployed, planned = _deployed(session, plan.stack_name), _planned(plan)
    gone = [part for part, is_protected in deployed.items() if is_protected and part not in planned]
    new = [part for part in sorted(planned - deployed.keys()) if plan.settings.deletion_protection]
    if not gone and not new:
        return None
    would = [f"remove {part}, which is protected" for part in gone]
    would += [f"make {part}, protected from its first second, which could not be taken back" for part in new]
    steps = [
        *(["with deletion_protection: false and everything else as it was"] if gone else []),
        "with the change, and deletion_protection: false",
        "with deletion_protection: true again",
    ]
    return (
        f"this would {' and '.join(would)}. Go there in steps, make deploy after each: {'; '.join(steps)}. "
        "docs/changes.md says what that interrupts."
    )


def _planned(plan: Plan) -> set[str]:
    parts = {_DATABASE} if plan.project.database else set()
    if is_public(plan.project):
        parts.add(_INTERNAL if isinstance(plan.settings.public_url, CloudFrontSettings) else _PUBLIC)
    if people_sign_in(plan.project, plan.settings):
        parts.add(_USERS)
    return parts


def _deployed(session: boto3.Session, stack_name: str) -> dict[str, bool]:
    """Return what is there of what can be protected, and whether it is."""
    template = stacks.template(session, stack_name) or {"Resources": {}}
    parts = {}
    for resource in template["Resources"].values():
        settings = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::RDS::DBInstance":
                parts[_DATABASE] = bool(settings.get("DeletionProtection"))
            case "AWS::Cognito::UserPool":
                parts[_USERS] = settings.get("DeletionProtection") == "ACTIVE"
            case "AWS::ElasticLoadBalancingV2::LoadBalancer":
                attributes = {one["Key"]: one["Value"] for one in settings.get("LoadBalancerAttributes", [])}
                name = _INTERNAL if settings.get("Scheme") == "internal" else _PUBLIC
                parts[name] = attributes.get("deletion_protection.enabled") == "true"
    return parts
