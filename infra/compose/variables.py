"""Where each variable of a service gets its value on AWS: from the file, RDS, a secret of the stack or its sign-in."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from infra.compose import values
from infra.compose.database_url import database_url
from infra.compose.fields import Fields
from infra.compose.interpolation import Unresolved
from infra.compose.model import DatabaseDefinition, DatabaseField, DatabaseUrl, SecretDefinition, SignInField
from infra.compose.secret_rules import instead

T = TypeVar("T")

_NAME = values.matching("[A-Za-z_][A-Za-z0-9_]*", "a variable: letters, digits and _, no digit first")
_SECRET = values.matching("[a-z][a-z0-9-]{0,62}", "a name for the secret: a letter, then a-z, 0-9 or -, at most 63")
# Secrets Manager's rules; a name that ends like the six characters that it adds to an ARN cannot be told from one.
_EXISTING = values.matching(
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+|(?!arn:)(?!.*-\w{6}$)[A-Za-z0-9/_+=.@-]{1,512}",
    "the name of a secret (letters, digits and /_+=.@-, not ending in - and six characters) or its ARN",
)
_JSON_KEY = values.matching("[^:\\s]{1,256}", "the name of a field, without colons and spaces")
# The user's name becomes a part of an ARN in a policy, where * would mean every user.
_USER = values.matching("[A-Za-z_][A-Za-z0-9_]{0,62}", "a role of PostgreSQL: a letter or _, then letters, digits or _")


@dataclass(frozen=True, kw_only=True)
class VariableSources:
    """A service's variables by where their values come from; each sorted by name, and no name in two of them."""

    environment: Mapping[str, str]
    database: Mapping[str, DatabaseField]
    database_urls: Mapping[str, DatabaseUrl]
    database_user: str | None
    secrets: Mapping[str, SecretDefinition]
    sign_in: Mapping[str, SignInField]


def variables_of(
    fields: Fields,
    local: Mapping[str, str],
    *,
    database: DatabaseDefinition | None,
    database_variables: Mapping[str, DatabaseField | DatabaseUrl],
) -> VariableSources:
    """Return a service's variables on AWS; `local` holds those it has in Compose.

    `x-aws.environment` goes over `local`. What `x-aws.secrets`, `x-aws.sign_in` and the database's `x-aws.rds` name
    comes from there, whatever value it has locally.
    """
    different = _different(fields, local)
    plain = {name: value for name, value in {**local, **different}.items() if value is not None}
    x_aws = fields.within("x-aws")
    secrets = _named(x_aws, "secrets", secret_of)
    sign_in = _named(x_aws, "sign_in", lambda value: SignInField(values.one_of(*SignInField)(value)))
    parts = {name: part for name, part in database_variables.items() if isinstance(part, DatabaseField)}
    from_rds = {name: field for name, field in parts.items() if name in plain}
    urls = {
        name: database_url(fields, name, plain[name], on_aws=part, database=database)
        for name, part in database_variables.items()
        if isinstance(part, DatabaseUrl) and name in plain
    }

    user = None
    if x_aws.get("database_sign_in", values.one_of("iam"), None):
        user = _database_user(fields, plain, database, parts, urls)
        passwords = {name for name, field in from_rds.items() if field is DatabaseField.PASSWORD}
        plain = {name: value for name, value in plain.items() if name not in passwords}
        credentials = (DatabaseField.USER, DatabaseField.PASSWORD)
        from_rds = {name: field for name, field in from_rds.items() if field not in credentials}

    sources: dict[str, str] = {}
    for source, names in (
        ("x-aws.rds.variables of the database", [*from_rds, *urls]),
        ("x-aws.secrets", [*secrets]),
        ("x-aws.sign_in", [*sign_in]),
        ("x-aws.environment", [name for name, value in different.items() if value is not None]),
    ):
        for name in names:
            if name in sources:
                fields.problem(f"{source}.{name}", f"has its value from {sources[name]} already", "Drop one of them.")
            sources.setdefault(name, source)
    return VariableSources(
        environment={
            name: _resolved(fields, name, value)
            for name, value in sorted(plain.items())
            if name not in {**from_rds, **urls, **secrets, **sign_in}
        },
        database=from_rds,
        database_urls=urls,
        database_user=user,
        secrets=secrets,
        sign_in=sign_in,
    )


def _resolved(fields: Fields, name: str, value: str) -> str:
    if isinstance(value, Unresolved) and value.is_secret:
        fields.problem(place(fields, name), value.reason, instead(name, ""))
        return ""
    return fields.parse(place(fields, name), value, str, "")


def place(fields: Fields, variable: str) -> str:
    """Return the key of the service under which a variable of its environment has its value."""
    is_different = variable in [*fields.within("x-aws").within("environment")]
    return f"x-aws.environment.{variable}" if is_different else f"environment.{variable}"


def _different(fields: Fields, local: Mapping[str, str]) -> dict[str, str | None]:
    """Return what is different on AWS: values, and None for a variable that is not to be there."""
    different = fields.within("x-aws").within("environment")
    found = fields.parse_unresolved(
        "x-aws.environment", {name: different.raw(name) for name in different}, values.pairs, {}
    )
    for name, value in found.items():
        if value is None and name not in local:
            close = difflib.get_close_matches(name, local, n=1)
            alternative = f"Did you mean {close[0]}?" if close else "Drop the key."
            fields.problem(f"x-aws.environment.{name}", "there is no such variable to remove", alternative)
    return found


def secret_of(value: Any) -> SecretDefinition:
    """The name of a secret to make, or {existing: …} for one that is there."""
    if not isinstance(value, Mapping):
        return SecretDefinition(generated=_SECRET(value), existing=None, key=None)
    if unknown := value.keys() - {"existing", "key"}:
        raise ValueError(f"has the unknown key {min(unknown)}; write existing and, for a field of a JSON object, key")
    if "existing" not in value:
        raise ValueError("lacks existing, the name or ARN of the secret")
    key = None if value.get("key") is None else _JSON_KEY(value["key"])
    return SecretDefinition(generated=None, existing=_EXISTING(value["existing"]), key=key)


def _named(x_aws: Fields, key: str, parse: Callable[[Any], T]) -> dict[str, T]:
    section = x_aws.within(key)
    found = {}
    for name in sorted(section):
        section.parse(name, name, _NAME, "")
        value = section.parse(name, section.raw(name), parse, None)
        if value is not None:
            found[name] = value
    return found


def _database_user(
    fields: Fields,
    plain: Mapping[str, str],
    database: DatabaseDefinition | None,
    mapping: Mapping[str, DatabaseField],
    urls: Mapping[str, DatabaseUrl],
) -> str | None:
    key = "x-aws.database_sign_in"
    if database is None:
        fields.problem(key, "no service is a managed database", "Drop the key, or give the database x-aws.rds.")
        return None
    if urls:
        reason = f"{' and '.join(urls)} is a URL with the owner's password, and a token cannot be a part of it"
        fields.problem(key, reason, "Drop the key, or map the parts (PGHOST: host and so on) instead of a url.")
        return None
    names = [name for name, field in mapping.items() if field is DatabaseField.USER]
    users = {name: fields.parse(place(fields, name), plain[name], _USER, None) for name in names if name in plain}
    if not users:
        reason = f"the user to sign in as is missing: environment.{' or environment.'.join(names) or database.service}"
        fields.problem(key, reason, "Write it there; x-aws.rds.variables of the database maps it to username.")
        return None
    if len(set(users.values())) > 1:
        fields.problem(key, f"{' and '.join(users)} name different users", "Sign in as one.")
    user = next(iter(users.values()))
    if user == database.owner:
        # RDS takes no password of a role that may sign in with a token, and what makes the tables has the password.
        reason = f"{user} owns the database and signs in by its password"
        fields.problem(key, reason, "Name a role of its own that may do no more than this service needs.")
    return user
