"""What the web ACL refuses: example requests, judged by its rules in their order as AWS WAF does."""

from typing import Any

import pytest

from tests.infra.conftest import Resource, Template, Workspace, settings

COMMON = "AWSManagedRulesCommonRuleSet"
# What AWS's rules leave on a request that they only count (AWS WAF Developer Guide, "Core rule set (CRS)").
LABELS = {
    "SizeRestrictions_BODY": "SizeRestrictions_Body",
    "SizeRestrictions_QUERYSTRING": "SizeRestrictions_QueryString",
    "CrossSiteScripting_BODY": "CrossSiteScripting_Body",
    "GenericLFI_BODY": "GenericLFI_Body",
    "GenericRFI_BODY": "GenericRFI_Body",
    "CrossSiteScripting_QUERYARGUMENTS": "CrossSiteScripting_QueryArguments",
    "EC2MetaDataSSRF_BODY": "EC2MetaDataSSRF_Body",
}


def is_refused(template: Template, path: str, found: str) -> bool:
    """Return whether a request to `path` is refused in which the common rule `found` finds what it looks for."""
    labels: set[str] = set()
    for rule in sorted(template.only("WAFv2::WebACL")["Rules"], key=lambda rule: rule["Priority"]):
        group = rule["Statement"].get("ManagedRuleGroupStatement")
        if group is None:
            if "Block" in rule["Action"] and _applies(rule["Statement"], path, labels):
                return True
        elif group["Name"] == COMMON:
            overrides = {one["Name"]: one["ActionToUse"] for one in group["RuleActionOverrides"]}
            if overrides.get(found) != {"Count": {}}:
                return True
            labels.add(f"awswaf:managed:aws:core-rule-set:{LABELS[found]}")
    return False


def _applies(statement: Resource, path: str, labels: set[str]) -> bool:
    ((kind, what),) = statement.items()
    match kind:
        case "RateBasedStatement":
            return False  # one request alone
        case "AndStatement":
            return all(_applies(one, path, labels) for one in what["Statements"])
        case "OrStatement":
            return any(_applies(one, path, labels) for one in what["Statements"])
        case "NotStatement":
            return not _applies(what["Statement"], path, labels)
        case "LabelMatchStatement":
            return what["Key"] in labels
        case "ByteMatchStatement":
            assert what["FieldToMatch"] == {"UriPath": {}}
            text: str = what["SearchString"]
            return path == text if what["PositionalConstraint"] == "EXACTLY" else path.startswith(text)
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/products/", "CrossSiteScripting_BODY"),  # a description with <b>
        ("/products/7", "GenericRFI_BODY"),  # one with an address
        ("/products/import", "SizeRestrictions_BODY"),
        ("/products/import", "GenericLFI_BODY"),
        ("/products/", "SizeRestrictions_QUERYSTRING"),  # the ids of 200 products
        ("/products", "SizeRestrictions_QUERYSTRING"),
        ("/_stcore/upload_file/a/b", "SizeRestrictions_BODY"),
        ("/_stcore/upload_file/a/b", "CrossSiteScripting_BODY"),
    ],
)
def test_honest_input_passes(prod: Template, path: str, found: str) -> None:
    assert not is_refused(prod, path, found)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        *[("/", found) for found in LABELS],
        ("/oauth2callback", "SizeRestrictions_QUERYSTRING"),
        ("/productsandmore", "CrossSiteScripting_BODY"),
        ("/x/products/", "CrossSiteScripting_BODY"),
        ("/_stcore/stream", "GenericLFI_BODY"),
        # What no honest request does is refused on those paths too.
        ("/products/", "CrossSiteScripting_QUERYARGUMENTS"),
        ("/products/import", "EC2MetaDataSSRF_BODY"),
    ],
)
def test_everything_else_that_looks_like_an_attack_is_refused(prod: Template, path: str, found: str) -> None:
    assert is_refused(prod, path, found)


def test_without_such_paths_all_of_it_is_refused_everywhere(workspace: Workspace) -> None:
    lines = workspace.compose_file.read_text().splitlines(keepends=True)
    workspace.compose_file.write_text("".join(line for line in lines if "free_input:" not in line))

    template = workspace.template("dev", settings("dev", web_acl=True))

    assert all(is_refused(template, "/products/", found) for found in LABELS)


def test_the_rules_are_within_what_a_web_acl_takes(prod: Template) -> None:
    rules: list[dict[str, Any]] = prod.only("WAFv2::WebACL")["Rules"]

    assert [rule["Priority"] for rule in rules] == [*range(len(rules))]
    assert len({rule["Name"] for rule in rules}) == len(rules)
    assert sum(capacity(rule["Statement"]) for rule in rules) <= 1500


def capacity(statement: Any) -> int:
    """Return the capacity units of a statement (AWS WAF Developer Guide, "Rule statements list")."""
    (kind, content), *others = statement.items()
    assert not others
    match kind:
        case "ManagedRuleGroupStatement":
            return {"AWSManagedRulesCommonRuleSet": 700, "AWSManagedRulesKnownBadInputsRuleSet": 200}[content["Name"]]
        case "AndStatement" | "OrStatement":
            return sum(capacity(part) for part in content["Statements"])
        case "NotStatement":
            return capacity(content["Statement"])
        case "ByteMatchStatement" | "RateBasedStatement":
            return 2
        case "LabelMatchStatement":
            return 1
    raise AssertionError(f"{kind} has no known capacity")
