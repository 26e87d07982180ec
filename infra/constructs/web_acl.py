"""AWS WAF on the load balancer: refuses what is known to be an attack, and whoever sends too much."""

from collections.abc import Iterable, Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra.constructs.log_groups import log_group

_Acl = wafv2.CfnWebACL

# Requests from one address in five minutes. A browser makes a few hundred, and an office may share an address.
_REQUESTS = 5000

_COMMON, _KNOWN_BAD = "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"

# Rules of the common set that honest files, descriptions with HTML and long lists of ids break, with the labels that
# they leave on a request when they only count (AWS WAF Developer Guide, "Core rule set (CRS) managed rule group").
_SUSPICIONS = {
    "SizeRestrictions_BODY": "SizeRestrictions_Body",
    "SizeRestrictions_QUERYSTRING": "SizeRestrictions_QueryString",
    "CrossSiteScripting_BODY": "CrossSiteScripting_Body",
    "GenericLFI_BODY": "GenericLFI_Body",
    "GenericRFI_BODY": "GenericRFI_Body",
}

# Says who someone is: kept out of the log.
_CONFIDENTIAL_HEADERS = ("authorization", "cookie")


class WebAcl(Construct):
    """AWS's common rules, what it knows to be malicious, and a limit for each address; logs all that it looked at."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        balancer: elbv2.ApplicationLoadBalancer,
        client_address_header: str | None,
        free_input: Sequence[str],
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        acl = _Acl(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=_Acl.DefaultActionProperty(allow={}),
            rules=[
                _limit(client_address_header, priority=0),
                _managed(_COMMON, priority=1, only_counted=_SUSPICIONS),
                _managed(_KNOWN_BAD, priority=2),
                _suspicions(free_input, priority=3),
            ],
            visibility_config=_visible("all"),
        )
        wafv2.CfnWebACLAssociation(
            self, "Association", resource_arn=balancer.load_balancer_arn, web_acl_arn=acl.attr_arn
        )
        stack = Stack.of(self)
        # The name has to begin like this, or WAF refuses the group.
        logs = log_group(self, "Logs", name=f"aws-waf-logs-{stack.stack_name}", retention_days=log_retention_days)
        wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=acl.attr_arn,
            # Not the group's own attribute: that ends in ":*", which WAF refuses too.
            log_destination_configs=[
                stack.format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=logs.log_group_name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            redacted_fields=[
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": header})
                for header in _CONFIDENTIAL_HEADERS
            ],
        )


def _limit(client_address_header: str | None, priority: int) -> _Acl.RuleProperty:
    if client_address_header is None:
        statement = _Acl.RateBasedStatementProperty(limit=_REQUESTS, aggregate_key_type="IP")
    else:
        statement = _Acl.RateBasedStatementProperty(
            limit=_REQUESTS,
            aggregate_key_type="FORWARDED_IP",
            forwarded_ip_config=_Acl.ForwardedIPConfigurationProperty(
                header_name=client_address_header, fallback_behavior="MATCH"
            ),
        )
    return _Acl.RuleProperty(
        name="RequestsPerAddress",
        priority=priority,
        statement=_Acl.StatementProperty(rate_based_statement=statement),
        action=_Acl.RuleActionProperty(block={}),
        visibility_config=_visible("RequestsPerAddress"),
    )


def _managed(name: str, priority: int, only_counted: Iterable[str] = ()) -> _Acl.RuleProperty:
    group = _Acl.ManagedRuleGroupStatementProperty(
        vendor_name="AWS",
        name=name,
        rule_action_overrides=[
            _Acl.RuleActionOverrideProperty(name=rule, action_to_use=_Acl.RuleActionProperty(count={}))
            for rule in only_counted
        ],
    )
    return _Acl.RuleProperty(
        name=name,
        priority=priority,
        statement=_Acl.StatementProperty(managed_rule_group_statement=group),
        override_action=_Acl.OverrideActionProperty(none={}),
        visibility_config=_visible(name),
    )


def _suspicions(free_input: Sequence[str], priority: int) -> _Acl.RuleProperty:
    """Block what the common rules suspect, as they would themselves, but not where people send what they like."""
    labels = [
        _Acl.StatementProperty(
            label_match_statement=_Acl.LabelMatchStatementProperty(
                scope="LABEL", key=f"awswaf:managed:aws:core-rule-set:{label}"
            )
        )
        for label in _SUSPICIONS.values()
    ]
    suspected = _Acl.StatementProperty(or_statement=_Acl.OrStatementProperty(statements=labels))
    elsewhere = [
        _Acl.StatementProperty(not_statement=_Acl.NotStatementProperty(statement=_on(path))) for path in free_input
    ]
    statement = _Acl.StatementProperty(and_statement=_Acl.AndStatementProperty(statements=[suspected, *elsewhere]))
    return _Acl.RuleProperty(
        name="SuspiciousInput",
        priority=priority,
        statement=statement if elsewhere else suspected,
        action=_Acl.RuleActionProperty(block={}),
        visibility_config=_visible("SuspiciousInput"),
    )


def _on(path: str) -> _Acl.StatementProperty:
    return _Acl.StatementProperty(
        byte_match_statement=_Acl.ByteMatchStatementProperty(
            field_to_match=_Acl.FieldToMatchProperty(uri_path={}),
            positional_constraint="STARTS_WITH" if path.endswith("*") else "EXACTLY",
            search_string=path.removesuffix("*"),
            text_transformations=[_Acl.TextTransformationProperty(priority=0, type="NONE")],
        )
    )


def _visible(name: str) -> _Acl.VisibilityConfigProperty:
    return _Acl.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )
