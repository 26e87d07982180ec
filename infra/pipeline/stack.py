"""What GitHub's workflows may do in AWS: an OIDC provider, and a role for each environment that only its jobs can take.

No key is stored anywhere: a job shows a token that GitHub signed, which says the repository and the environment.
"""

from collections.abc import Iterable

from aws_cdk import Aws, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.pipeline.names import ISSUER

AUDIENCE = "sts.amazonaws.com"

# The roles that `cdk bootstrap` makes and that the CDK CLI takes one after the other; what CloudFormation itself
# may do (cfn-exec-role) is given to CloudFormation by the first of them, and to nobody else.
BOOTSTRAP_ROLES = ("deploy", "file-publishing", "image-publishing", "lookup")
_QUALIFIER = "hnb659fds"  # CDK's own

PREVIEW = "preview"
"""GitHub's environment of all pull requests' previews, whose stacks are called after a number."""

# What the commands of infra/operations that show something ask, by what may be named in a policy …
_OF_STACK = (
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStackResource",
    "cloudformation:GetTemplate",
    "cloudformation:ListStackResources",
)
_OF_TASKS = ("ecs:DescribeServices", "ecs:DescribeTasks")
_OF_LOGS = ("logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents")
# … and what takes no resource (Service Authorization Reference), or none that is known before it is made.
_UNNAMED = (
    "cloudformation:DescribeStacks",  # of all stacks: which previews there are
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricStatistics",
    "ecs:DescribeTaskDefinition",
    "ecs:ListTaskDefinitions",
    "ecs:ListTasks",
    "elasticloadbalancing:DescribeTargetHealth",
    "rds:DescribeDBInstances",
    "rds:DescribeDBSnapshots",
)


class PipelineStack(Stack):
    """The provider and the roles; it has nothing that costs anything."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: str,
        repository: str,
        environments: Iterable[str],
        seeds: bool = False,
        provider_arn: str | None = None,
    ) -> None:
        """`repository` is OWNER/NAME; `provider_arn` the account's provider where it has one: it can have but one.

        Where `seeds`, previews are filled by a task of their own, which their role may run.
        """
        super().__init__(
            scope,
            construct_id,
            description=f"What the workflows of {repository} may do here",
            tags={"project": project},
            termination_protection=True,
        )
        names = tuple(environments)
        if provider_arn is None:
            provider = iam.CfnOIDCProvider(self, "Provider", url=f"https://{ISSUER}", client_id_list=[AUDIENCE])
            provider_arn = provider.attr_arn
        for name in names:
            role = iam.Role(
                self,
                f"Role-{name}",
                role_name=f"{project}-pipeline-{name}",
                description=f"The jobs of {repository} in its environment {name}",
                assumed_by=iam.WebIdentityPrincipal(
                    provider_arn,
                    {
                        "StringEquals": {
                            f"{ISSUER}:aud": AUDIENCE,
                            f"{ISSUER}:sub": f"repo:{repository}:environment:{name}",
                        }
                    },
                ),
            )
            # An environment is deployed with what another one ran, so each may look at all of them, and change one.
            statements = self._statements([f"{project}-{_stack_of(one)}" for one in names])
            if name == PREVIEW and seeds:
                statements += _run_once(f"{project}-{_stack_of(PREVIEW)}")
            for statement in statements:
                role.add_to_policy(statement)
            CfnOutput(
                self, f"RoleArn-{name}", value=role.role_arn, description=f"AWS_ROLE of GitHub's environment {name}"
            )

    def _statements(self, stacks: list[str]) -> list[iam.PolicyStatement]:
        bootstrap = [
            f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/cdk-{_QUALIFIER}-{name}-role-{Aws.ACCOUNT_ID}-{Aws.REGION}"
            for name in BOOTSTRAP_ROLES
        ]
        repository = f"repository/cdk-{_QUALIFIER}-container-assets-{Aws.ACCOUNT_ID}-{Aws.REGION}"
        return [
            _allow("Deploy", ("sts:AssumeRole",), bootstrap),
            _allow("SeeStacks", _OF_STACK, _arns("cloudformation", *(f"stack/{stack}/*" for stack in stacks))),
            # A cluster is called after its stack, and CloudFormation adds to the name.
            _allow(
                "SeeTasks",
                _OF_TASKS,
                _arns("ecs", *(f"{kind}/{stack}-*" for stack in stacks for kind in ("service", "task"))),
            ),
            _allow(
                "SeeLogs",
                _OF_LOGS,
                _arns(
                    "logs",
                    *(f"log-group:{path}/*" for stack in stacks for path in (f"/{stack}", f"/aws/events/{stack}")),
                ),
            ),
            _allow("SeeImages", ("ecr:DescribeImages",), _arns("ecr", repository)),
            _allow("SeeWhatHasNoName", _UNNAMED, ["*"]),
        ]


def _arns(service: str, *resources: str) -> list[str]:
    """Return the ARNs of resources of this account and region."""
    prefix = f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    return [f"{prefix}:{resource}" for resource in resources]


def _run_once(stack: str) -> list[iam.PolicyStatement]:
    """Return what infra/operations/run.py does: a task in the stack's cluster, with the roles of its services."""
    pass_role = _allow("RunAs", ("iam:PassRole",), [f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{stack}-*"])
    pass_role.add_condition("StringEquals", {"iam:PassedToService": "ecs-tasks.amazonaws.com"})
    run_task = _allow("RunOnce", ("ecs:RunTask",), _arns("ecs", f"task-definition/{stack}-*"))
    run_task.add_condition("ArnLike", {"ecs:cluster": _arns("ecs", f"cluster/{stack}-*")})
    return [
        pass_role,
        run_task,
        _allow("StopWhatRuns", ("ecs:StopTask",), _arns("ecs", f"task/{stack}-*")),
        # Neither takes a resource (Service Authorization Reference); what is registered runs only as said above.
        _allow("Register", ("ecs:RegisterTaskDefinition", "ecs:DeregisterTaskDefinition"), ["*"]),
    ]


def _stack_of(environment: str) -> str:
    return "pr-*" if environment == PREVIEW else environment


def _allow(name: str, actions: Iterable[str], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=name, actions=[*actions], resources=resources)
