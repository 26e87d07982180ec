"""Which path leads to which service."""

from infra.plan.routes import listener_rules


def test_the_most_specific_path_comes_first() -> None:
    assert listener_rules({"ui": ["/*"], "api": ["/products/*", "/products"], "admin": ["/products/admin/*"]}) == [
        ("api", ("/products",)),
        ("admin", ("/products/admin/*",)),
        ("api", ("/products/*",)),
    ]


def test_neighbouring_paths_of_a_service_share_a_rule_of_at_most_five() -> None:
    assert listener_rules({"api": [f"/{letter}" for letter in "gfedcba"]}) == [
        ("api", ("/a", "/b", "/c", "/d", "/e")),
        ("api", ("/f", "/g")),
    ]


def test_a_path_without_wildcard_comes_before_any_that_has_one() -> None:
    assert listener_rules({"one": ["/long/path/*"], "two": ["/a"], "three": ["/lon?"]}) == [
        ("two", ("/a",)),
        ("one", ("/long/path/*",)),
        ("three", ("/lon?",)),
    ]


def test_everything_else_is_the_default_and_no_rule() -> None:
    assert listener_rules({"ui": ["/*"]}) == []
