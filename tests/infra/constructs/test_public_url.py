"""How people reach the application, and how they sign in, by the environment's `public_url`."""

import json
import re

import pytest

from tests.infra.conftest import ORIGIN_FACING, Template, Workspace, settings


@pytest.fixture(params=["dev", "prod", "prod_with_domain"])
def with_https(request: pytest.FixtureRequest) -> Template:
    """Each template of an application that is reached by HTTPS."""
    found: Template = request.getfixturevalue(request.param)
    return found


def public_url(template: Template) -> str:
    """Return the output, with the place of what CloudFormation fills in."""
    value = template.body["Outputs"]["PublicUrl"]["Value"]
    if isinstance(value, str):
        return value
    scheme, host = value["Fn::Join"][1]
    return f"{scheme}{template.place(host)}"


def test_cloudfront_answers_by_https_alone_keeps_nothing_and_passes_everything_on(dev: Template) -> None:
    distribution = dev.only("CloudFront::Distribution")["DistributionConfig"]
    behavior, (origin,) = distribution["DefaultCacheBehavior"], distribution["Origins"]

    assert public_url(dev) == "https://LoadBalancer/Distribution/Distribution"
    assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behavior["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CachingDisabled
    assert behavior["OriginRequestPolicyId"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"  # AllViewer
    assert "DELETE" in behavior["AllowedMethods"]
    assert origin["VpcOriginConfig"]["OriginReadTimeout"] == 60
    assert origin["VpcOriginConfig"]["OriginKeepaliveTimeout"] < 60
    assert "CacheBehaviors" not in distribution
    # Errors too: CloudFront would answer these again for ten seconds. The page stays the application's own.
    assert distribution["CustomErrorResponses"] == [
        {"ErrorCode": status, "ErrorCachingMinTTL": 0} for status in (404, 414, 500, 501, 502, 503, 504)
    ]


def test_behind_cloudfront_the_load_balancer_has_no_public_address_and_answers_nobody_else(dev: Template) -> None:
    balancer = dev.only("ElasticLoadBalancingV2::LoadBalancer")
    origin = dev.only("CloudFront::VpcOrigin")["VpcOriginEndpointConfig"]

    assert balancer["Scheme"] == "internal"
    assert {dev.place(subnet) for subnet in balancer["Subnets"]} == {
        "Network/Vpc/isolatedSubnet1/Subnet",
        "Network/Vpc/isolatedSubnet2/Subnet",
    }
    assert dev.place(origin["Arn"]) == "LoadBalancer/LoadBalancer"
    assert (origin["OriginProtocolPolicy"], origin["HTTPPort"]) == ("http-only", 80)
    assert {flow for flow in dev.reachable() if flow[1] == "LoadBalancer"} == {(ORIGIN_FACING, "LoadBalancer", 80)}


def test_cloudfronts_addresses_are_found_by_region_without_a_lookup(dev: Template) -> None:
    (found,) = [
        rule["Properties"]["SourcePrefixListId"]["Fn::FindInMap"]
        for rule in dev.resources("EC2::SecurityGroupIngress").values()
        if "SourcePrefixListId" in rule["Properties"]
    ]
    lists = dev.body["Mappings"][found[0]]

    assert found[1:] == [{"Ref": "AWS::Region"}, "PrefixList"]
    assert {"us-east-1", "sa-east-1", "eu-central-1"} <= lists.keys()
    assert all(one["PrefixList"].startswith("pl-") for one in lists.values())


def test_a_domain_is_served_by_tls_on_the_load_balancer(prod_with_domain: Template) -> None:
    template = prod_with_domain
    listeners = {
        listener["Properties"]["Port"]: listener["Properties"]
        for listener in template.resources("ElasticLoadBalancingV2::Listener").values()
    }
    redirect = listeners[80]["DefaultActions"][0]
    record = template.only("Route53::RecordSet")

    assert public_url(template) == "https://catalogue.example.com"
    assert template.only("ElasticLoadBalancingV2::LoadBalancer")["Scheme"] == "internet-facing"
    assert listeners[443]["Protocol"] == "HTTPS"
    assert listeners[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    assert template.place(listeners[443]["Certificates"][0]["CertificateArn"]) == "LoadBalancer/Certificate"
    assert template.place(listeners[443]["DefaultActions"][0]["TargetGroupArn"]) == "LoadBalancer/ui"
    assert redirect["Type"] == "redirect"
    assert redirect["RedirectConfig"] == {"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"}
    assert (record["Name"], record["Type"], record["HostedZoneId"]) == ("catalogue.example.com.", "A", "Z0EXAMPLE")
    assert template.only("CertificateManager::Certificate")["DomainValidationOptions"] == [
        {"DomainName": "catalogue.example.com", "HostedZoneId": "Z0EXAMPLE"}
    ]
    assert not template.resources("CloudFront::Distribution")


def test_the_rules_of_a_domain_are_on_its_https_listener(prod_with_domain: Template) -> None:
    rule = prod_with_domain.only("ElasticLoadBalancingV2::ListenerRule")

    assert prod_with_domain.place(rule["ListenerArn"]) == "LoadBalancer/LoadBalancer/Https"


def test_a_domain_is_open_to_everybody_or_to_the_allowed_ranges_alone(
    prod_with_domain: Template, workspace: Workspace
) -> None:
    domain = {
        "mode": "domain",
        "domain_name": "example.com",
        "hosted_zone_name": "example.com",
        "hosted_zone_id": "Z1",
        "allowed_cidrs": ["203.0.113.0/24"],
    }
    limited = workspace.template("dev", settings("dev", public_url=domain))

    def callers(template: Template) -> set[tuple[str, int]]:
        return {(source, port) for source, target, port in template.reachable() if target == "LoadBalancer"}

    assert callers(prod_with_domain) == {("0.0.0.0/0", 80), ("0.0.0.0/0", 443)}
    assert callers(limited) == {("203.0.113.0/24", 80), ("203.0.113.0/24", 443)}


def test_the_load_balancer_alone_answers_the_allowed_ranges_by_http(load_balancer_alone: Template) -> None:
    template = load_balancer_alone

    assert public_url(template) == "http://LoadBalancer/LoadBalancer"
    assert template.only("ElasticLoadBalancingV2::LoadBalancer")["Scheme"] == "internet-facing"
    assert {flow for flow in template.reachable() if flow[1] == "LoadBalancer"} == {
        ("203.0.113.0/24", "LoadBalancer", 80),
        ("198.51.100.7/32", "LoadBalancer", 80),
    }


def test_without_https_nobody_can_sign_in(load_balancer_alone: Template) -> None:
    assert not load_balancer_alone.resources("Cognito::UserPool")
    assert not [name for name in load_balancer_alone.variables("ui") if name in ("PUBLIC_URL", "OIDC_ISSUER")]
    assert not [name for name in load_balancer_alone.variables("api") if name.startswith("OIDC")]
    assert "SERVICE_TOKEN" in load_balancer_alone.secrets("api")  # the API still knows the UI
    assert "OIDC_CLIENT_SECRET" not in load_balancer_alone.secrets("ui")


def test_users_are_invited_with_the_address_at_which_they_sign_in(with_https: Template) -> None:
    pool = with_https.only("Cognito::UserPool")
    invitation = pool["AdminCreateUserConfig"]["InviteMessageTemplate"]
    url = with_https.body["Outputs"]["PublicUrl"]["Value"]
    address = url if isinstance(url, str) else "".join(map(json.dumps, url["Fn::Join"][1][1:]))

    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]
    text = invitation["EmailMessage"] if isinstance(url, str) else json.dumps(invitation["EmailMessage"])
    assert address in text
    assert {"{username}", "{####}"} <= {*re.findall(r"{[^{}\"]+}", text)}  # Cognito refuses it without them


def test_prod_has_everybody_set_up_a_second_factor(dev: Template, prod: Template, prod_with_domain: Template) -> None:
    # Cognito's own pages have people set up an app only where it is required.
    required = [one.only("Cognito::UserPool")["MfaConfiguration"] for one in (dev, prod, prod_with_domain)]

    assert required == ["OPTIONAL", "ON", "ON"]


def test_passwords_are_strong_and_codes_come_from_an_app(with_https: Template) -> None:
    pool = with_https.only("Cognito::UserPool")

    assert pool["UsernameAttributes"] == ["email"]
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]
    assert pool["UserPoolTier"] == "LITE"
    assert pool["Policies"]["PasswordPolicy"] == {
        "MinimumLength": 12,
        "RequireLowercase": True,
        "RequireNumbers": True,
        "RequireSymbols": True,
        "RequireUppercase": True,
        "TemporaryPasswordValidityDays": 3,
    }
    assert with_https.place(with_https.body["Outputs"]["UserPoolId"]["Value"]) == "SignIn/Users"


def test_signing_in_leads_back_to_where_the_application_is(with_https: Template) -> None:
    client = with_https.only("Cognito::UserPoolClient")
    url = json.dumps(with_https.body["Outputs"]["PublicUrl"]["Value"])

    (callback,), (logout,) = client["CallbackURLs"], client["LogoutURLs"]
    assert json.dumps(logout) == json.dumps(with_https.variables("ui")["PUBLIC_URL"]) == url
    assert json.dumps(callback).replace(', "/oauth2callback"', "").replace("/oauth2callback", "") == url
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["AllowedOAuthScopes"] == ["openid", "email", "profile"]
    assert client["GenerateSecret"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"


def test_the_services_are_told_whom_to_believe(with_https: Template) -> None:
    for name in ("api", "ui"):
        variables = with_https.variables(name)
        parts = variables["OIDC_ISSUER"]["Fn::Join"][1]
        assert parts[:-1] == ["https://cognito-idp.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}, "/"]
        assert with_https.place(parts[-1]) == "SignIn/Users"
        assert with_https.place(variables["OIDC_CLIENT_ID"]) == "SignIn/Client"


def test_the_clients_secret_is_in_secrets_manager_and_in_no_variable(with_https: Template) -> None:
    secret = with_https.resources("SecretsManager::Secret")["SignIn/ClientSecret"]["Properties"]

    assert secret["SecretString"] == {"Fn::GetAtt": [with_https.logical("SignIn/Client"), "ClientSecret"]}
    assert json.dumps(with_https.body).count('"ClientSecret"]') == 1


def test_the_sign_in_page_has_a_name_that_no_other_stack_has(dev: Template) -> None:
    name, identifier = dev.only("Cognito::UserPoolDomain")["Domain"]["Fn::Join"][1]

    assert name == "catalogue-dev-"
    assert identifier["Fn::Select"][1]["Fn::Split"][1]["Fn::Select"][1]["Fn::Split"][1] == {"Ref": "AWS::StackId"}


def test_without_a_service_that_has_people_sign_in_there_is_no_user_pool(workspace: Workspace) -> None:
    for_everybody = {"mode": "cloudfront", "open_to_the_internet": True}

    template = workspace.without_sign_in().template("dev", settings("dev", public_url=for_everybody))

    assert not template.resources("Cognito::UserPool")
    assert "UserPoolId" not in template.body["Outputs"]


def test_the_ui_keeps_a_browser_with_the_task_that_answered_it_first(dev: Template) -> None:
    groups = dev.resources("ElasticLoadBalancingV2::TargetGroup")
    sticky = {
        place: {one["Key"]: one["Value"] for one in group["Properties"]["TargetGroupAttributes"]}["stickiness.enabled"]
        for place, group in groups.items()
    }

    assert sticky == {"LoadBalancer/api": "false", "LoadBalancer/ui": "true"}


def test_a_target_group_is_never_taken_over_by_another_load_balancer(
    dev: Template, prod: Template, prod_with_domain: Template, load_balancer_alone: Template
) -> None:
    def groups(template: Template) -> set[str]:
        return {template.logical(place) for place in template.resources("ElasticLoadBalancingV2::TargetGroup")}

    # One scheme is one load balancer, which is updated; another scheme is another one.
    assert groups(dev) == groups(prod)
    assert groups(prod_with_domain) == groups(load_balancer_alone)
    assert not groups(dev) & groups(prod_with_domain)
    for template in (dev, load_balancer_alone):
        for group in template.resources("ElasticLoadBalancingV2::TargetGroup").values():
            assert "Name" not in group["Properties"]  # a name that is taken would be refused
