"""What is a secret by its name or form, and what is not."""

import pytest

from infra.compose.secret_rules import is_own, is_secret_name, masked, secret_in

# fmt: off
SECRET_NAMES = [
    "PGPASSWORD", "DB_PASS", "DBPASS", "SMTP_PASS", "MYSQL_PWD", "MYSQL_ROOT_PASSWORD", "SECRET_KEY_BASE",
    "RAILS_MASTER_KEY", "FERNET_KEY", "AIRFLOW__CORE__FERNET_KEY", "ENCRYPTION_KEY", "APP_KEY", "API_KEY",
    "OPENAI_API_KEY", "apiKey", "dbPassword", "spring.datasource.password", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN",
    "AUTHTOKEN", "JWT_SECRET", "CLIENT_SECRET", "STRIPE_APIKEY", "SSH_PASSPHRASE", "smtp-pass", "WEBHOOK_SECRET",
    "SIGNING_KEY", "GOOGLE_CREDENTIALS", "N8N_ENCRYPTION_KEY", "SECRET", "TOKEN", "password",
]
# fmt: on
# fmt: off
PLAIN_NAMES = [
    "NEXT_TOKEN", "PAGE_TOKEN", "TOKEN_MINUTES", "MAX_TOKENS", "PASSWORD_MIN_LENGTH", "PASSWORD_FILE", "PUBLIC_KEY",
    "SORT_KEY", "PRIMARY_KEY", "KEY_PREFIX", "BYPASS", "COMPASS", "SECRETARY", "TOKENIZER", "MONKEY",
    "API_KEY_HEADER", "LOG_LEVEL", "AUTHOR", "PASSENGERS", "KEYBOARD", "AWS_ACCESS_KEY_ID",
]
# fmt: on
SECRET_VALUES = [
    "postgresql://shop:hunter2@db/shop",
    "redis://:hunter2@cache:6379/0",
    "amqp://me:with/slash@queue",
    "jdbc:postgresql://db/shop?user=shop&password=hunter2",
    "jdbc:sqlserver://db;databaseName=shop;Password=hunter2;",
    "host=db dbname=shop user=shop password=hunter2",
    "-----BEGIN RSA PRIVATE KEY-----",
    "AKIA" + "EXAMPLE123456789"[:16],
    "sk_live_" + "x" * 24,
    "ghp_" + "x" * 36,
]
PLAIN_VALUES = [
    "http://api:8000",
    "http://api:8000/path@2x.png",
    "postgresql://shop@db/shop",
    "redis://cache:6379/0",
    "jdbc:postgresql://db/shop",
    "user@example.com",
    "08:00-20:00",
    "",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_that_says_so_is_a_secrets(name: str) -> None:
    assert is_secret_name(name)
    assert secret_in(name, "x")


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_a_name_that_only_looks_like_one_is_not(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("value", SECRET_VALUES)
def test_a_value_that_is_a_secret_is_one_under_any_name(value: str) -> None:
    assert secret_in("VALUE", value)


@pytest.mark.parametrize("value", PLAIN_VALUES)
def test_other_values_are_not(value: str) -> None:
    assert secret_in("VALUE", value) is None


def test_the_path_of_a_file_is_no_secret_though_its_name_is() -> None:
    assert secret_in("TLS_PRIVATE_KEY", "/etc/tls/key.pem") is None


@pytest.mark.parametrize("value", [value for value in SECRET_VALUES if "hunter2" in value])
def test_what_is_shown_of_a_value_has_no_password(value: str) -> None:
    assert "hunter2" not in masked(f"{value} cannot be reached")


@pytest.mark.parametrize(
    ("name", "own"),
    [("SESSION_SECRET", True), ("SECRET_KEY_BASE", True), ("STRIPE_API_KEY", False), ("DB_PASS", False)],
)
def test_only_what_an_application_makes_up_for_itself_may_be_random(name: str, own: bool) -> None:
    assert is_own(name, "") is own
