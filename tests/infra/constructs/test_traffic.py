"""What watches the traffic in prod: the web ACL, flow logs and access logs; and what protects prod from removal."""

import json

import pytest

from tests.infra.conftest import Template, Workspace


@pytest.fixture(params=["prod", "prod_with_domain"])
def hardened(request: pytest.FixtureRequest) -> Template:
    """Prod behind CloudFront, and with a domain."""
    found: Template = request.getfixturevalue(request.param)
    return found


def rules(template: Template) -> dict[str, dict[str, object]]:
    """Return the rules of the web ACL by their names."""
    return {rule["Name"]: rule for rule in template.only("WAFv2::WebACL")["Rules"]}


def test_the_load_balancer_is_behind_awss_rules(hardened: Template) -> None:
    association = hardened.only("WAFv2::WebACLAssociation")

    assert hardened.place(association["ResourceArn"]) == "LoadBalancer/LoadBalancer"
    assert {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"} <= rules(hardened).keys()
    common = json.dumps(rules(hardened)["AWSManagedRulesCommonRuleSet"])
    assert '{"ActionToUse": {"Count": {}}, "Name": "SizeRestrictions_BODY"}' in common


def test_behind_cloudfront_addresses_are_limited_by_what_cloudfront_says(prod: Template) -> None:
    limit = rules(prod)["RequestsPerAddress"]
    (header,) = [
        association
        for association in prod.only("CloudFront::Distribution")["DistributionConfig"]["DefaultCacheBehavior"][
            "FunctionAssociations"
        ]
        if association["EventType"] == "viewer-request"
    ]

    assert limit["Action"] == {"Block": {}}
    assert limit["Statement"] == {
        "RateBasedStatement": {
            "Limit": 5000,
            "AggregateKeyType": "FORWARDED_IP",
            "ForwardedIPConfig": {"HeaderName": "true-client-ip", "FallbackBehavior": "MATCH"},
        }
    }
    # Set from the connection: what a viewer sends under this name is overwritten.
    assert prod.place(header["FunctionARN"]) == "LoadBalancer/Distribution/ClientAddress"
    code = prod.only("CloudFront::Function")["FunctionCode"]
    assert "headers['true-client-ip'] = {value: event.viewer.ip}" in code


def test_with_a_domain_addresses_are_those_of_the_connection(prod_with_domain: Template) -> None:
    assert rules(prod_with_domain)["RequestsPerAddress"]["Statement"] == {
        "RateBasedStatement": {"Limit": 5000, "AggregateKeyType": "IP"}
    }


def test_what_the_web_acl_sees_is_logged_without_what_says_who_somebody_is(hardened: Template) -> None:
    logging = hardened.only("WAFv2::LoggingConfiguration")

    *_, kind, group = logging["LogDestinationConfigs"][0]["Fn::Join"][1]
    assert kind.endswith(":log-group:")
    assert hardened.place(group) == "WebAcl/Logs"
    assert [field["SingleHeader"]["Name"] for field in logging["RedactedFields"]] == ["authorization", "cookie"]


def test_flow_logs_and_access_logs_go_to_a_bucket_that_outlives_the_stack(hardened: Template) -> None:
    ((place, resource),) = hardened.resources("S3::Bucket").items()
    bucket = resource["Properties"]
    balancer = hardened.only("ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"]
    attributes = {one["Key"]: one["Value"] for one in balancer}

    assert hardened.place(hardened.only("EC2::FlowLog")["LogDestination"]["Fn::Join"][1][0]) == place
    assert attributes["access_logs.s3.enabled"] == "true"
    assert hardened.place(attributes["access_logs.s3.bucket"]) == place
    assert resource["DeletionPolicy"] == "Retain"
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["LifecycleConfiguration"]["Rules"] == [{"ExpirationInDays": 90, "Status": "Enabled"}]
    encryption = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]


def test_only_aws_itself_writes_to_the_bucket_for_this_account_and_by_tls(hardened: Template) -> None:
    statements = hardened.only("S3::BucketPolicy")["PolicyDocument"]["Statement"]
    denied = [one for one in statements if one["Effect"] == "Deny"]
    allowed = [one for one in statements if one["Effect"] == "Allow"]

    assert [one["Condition"] for one in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
    assert {one["Principal"]["Service"] for one in allowed} == {
        "delivery.logs.amazonaws.com",
        "logdelivery.elasticloadbalancing.amazonaws.com",
    }
    # As in AWS's own examples: where flow logs come from is in a condition, where access logs do in the path alone.
    by_balancer = [one for one in allowed if one["Principal"]["Service"].startswith("logdelivery.")]
    by_flow_logs = [one for one in allowed if one not in by_balancer]
    account = {"Ref": "AWS::AccountId"}
    assert all(one["Condition"]["StringEquals"]["aws:SourceAccount"] == account for one in by_flow_logs)
    assert [one.get("Condition") for one in by_balancer] == [None]
    assert [one["Resource"]["Fn::Join"][1][1:] for one in by_balancer] == [["/access/AWSLogs/", account, "/*"]]


def test_prod_is_protected_from_removal_and_dev_is_not(hardened: Template, dev: Template) -> None:
    def protected(template: Template) -> list[bool]:
        balancer = template.only("ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"]
        attributes = {one["Key"]: one["Value"] for one in balancer}
        return [
            template.only("RDS::DBInstance")["DeletionProtection"],
            attributes["deletion_protection.enabled"] == "true",
            template.only("Cognito::UserPool")["DeletionProtection"] == "ACTIVE",
            template.is_protected,
        ]

    assert protected(hardened) == [True] * 4
    assert protected(dev) == [False] * 4


def test_a_first_deployment_differs_in_the_protection_alone_which_is_switched_on_in_place(
    workspace: Workspace, prod: Template
) -> None:
    first = workspace.template("prod", is_first=True)
    changed = {
        (prod.place(name), key)
        for name, resource in prod.body["Resources"].items()
        for key, value in resource.get("Properties", {}).items()
        if value != first.body["Resources"][name]["Properties"].get(key)
    }

    assert first.body["Resources"].keys() == prod.body["Resources"].keys()
    # None of the three needs a replacement or an interruption (CloudFormation's resource reference).
    assert changed == {
        ("Database/Instance", "DeletionProtection"),
        ("LoadBalancer/LoadBalancer", "LoadBalancerAttributes"),
        ("SignIn/Users", "DeletionProtection"),
    }
    assert not first.is_protected
    assert prod.is_protected
