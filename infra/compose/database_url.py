"""A service's own URL of the managed database -> what it is to be on AWS."""

import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from infra.compose.fields import Fields
from infra.compose.model import DatabaseDefinition, DatabaseUrl

_REFERENCE = re.compile(r"\$\{[^}]*\}|\$\w+")  # what has no value on AWS, such as ${PASSWORD:?}
_UNKNOWN = "unknown"
_SCHEME = re.compile(r"postgres(ql)?(\+[a-z0-9_]+)?")
# libpq's parameters that say again what the URL itself says.
_PARTS = {"host", "hostaddr", "port", "dbname", "user", "password", "passfile", "service"}


def database_url(
    fields: Fields, name: str, local: str, *, on_aws: DatabaseUrl, database: DatabaseDefinition | None
) -> DatabaseUrl:
    """Return the URL that the variable `name` carries on AWS: scheme and parameters of its `local` value.

    `on_aws` has parameters that are added there. A local value that leads elsewhere, or that is more than the
    database's address, is a problem: AWS would put another meaning in its place. No message shows the URL.
    """
    assert database is not None  # noqa: S101 (its x-aws.rds.variables brought us here)
    form = f"Write postgresql://{database.owner}:password@{database.service}:5432/{database.name}."
    key = f"environment.{name}"
    try:
        url = urlsplit(_REFERENCE.sub(_UNKNOWN, local))
        said = {"host": url.hostname or "", "user": unquote(url.username or ""), "database": unquote(url.path[1:])}
    except ValueError:
        fields.problem(key, "is no URL", form)
        return on_aws
    if not _SCHEME.fullmatch(url.scheme):
        fields.problem(key, "is no URL of PostgreSQL, which x-aws.rds.variables makes it", form)
        return on_aws
    if "," in url.netloc:
        fields.problem(key, "names several hosts, and the managed database has one address", form)
        return on_aws
    for what, wanted, source in (
        ("host", database.service, "the managed database"),
        ("user", database.owner, f"POSTGRES_USER of {database.service}"),
        ("database", database.name, f"POSTGRES_DB of {database.service}"),
    ):
        if wanted and said[what] not in ("", _UNKNOWN, wanted):  # a missing one is told where it is missing
            reason = f"names the {what} {said[what]}, and on AWS it will be {wanted}, {source}"
            fields.problem(key, reason, f"Write {wanted}, or drop {name} from x-aws.rds.variables.")
    local_parameters = dict(parse_qsl(url.query, keep_blank_values=True))
    for parameter in sorted(_PARTS & local_parameters.keys()):
        alternative = "Write it into the address, in front of the question mark."
        fields.problem(key, f"has the parameter {parameter}", alternative)
    parameters = {**local_parameters, **dict(parse_qsl(on_aws.parameters, keep_blank_values=True))}
    return DatabaseUrl(scheme=url.scheme, parameters=urlencode(parameters, safe="/"))
