"""The API's settings, read from environment variables; docs/configuration.md has the table of them."""

import re
from functools import cached_property
from typing import Literal
from urllib.parse import unquote

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.api.logs import LogFormat

DRIVERS = {"postgresql": "postgresql+psycopg2", "postgres": "postgresql+psycopg2", "sqlite": "sqlite+pysqlite"}
SEVERAL_HOSTS = re.compile(r"(?P<login>postgres[^:]*://(?:[^@/]*@)?)(?P<hosts>[^/?@]*,[^/?@]*)(?P<rest>(?:[/?].*)?)")
HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(?P<port>\d*))?")


class InvalidSettingsError(Exception):
    """One or more environment variables have a value that cannot work; the message names each of them."""


class Settings(BaseSettings):
    """Where the database is and how the server listens.

    The database is `DATABASE_URL` or, without it, libpq's own variables (PGHOST and so on), which is what
    docker-compose.yml and the task definitions set.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    database_url: SecretStr | None = None
    pghost: str = "localhost"
    pgport: int = Field(5432, ge=1, le=65535)
    pgdatabase: str = "catalogue"
    pguser: str = "catalogue"
    pgpassword: SecretStr | None = None

    database_auth: Literal["password", "iam"] = "password"  # iam: sign in to RDS with a token instead of a password
    database_api_user: str | None = Field(None, description="the role `migrate` makes for the API")
    database_api_password: SecretStr | None = Field(None, description="its password; without one it signs in by IAM")

    service_token: SecretStr | None = Field(None, min_length=32, description="lets its holder, the UI, use the API")
    oidc_issuer: str | None = Field(None, description="the identity provider whose access tokens are accepted")
    oidc_client_id: str | None = Field(None, description="the application they must have been given to")

    database_pool_size: int = Field(10, ge=4, le=200, description="connections one process keeps open")
    statement_timeout_seconds: float = Field(10, gt=0, description="PostgreSQL gives up on a statement after this long")
    database_wait_seconds: float = Field(30, ge=0, description="how long a start waits for the database")

    require_if_match: bool = Field(False, description="refuse changes that do not say which version they are for")

    requests_max: int = Field(100, ge=1, description="requests under way at a time; the next one is told to come back")
    connections_max: int = Field(800, ge=10, description="connections of clients at a time")
    body_max_bytes: int = Field(2**16, ge=1, description="the largest body of a request about one product")
    import_max_bytes: int = Field(2**30, ge=1, description="the largest file that may be imported")

    log_format: LogFormat = Field("line", description="line: for people; json: for programs, with more of each request")

    api_host: str = "127.0.0.1"
    api_port: int = Field(8000, ge=1, le=65535)

    @cached_property
    def sqlalchemy_database_url(self) -> URL:
        """The database's URL with the driver this project ships: psycopg2 for PostgreSQL, pysqlite for SQLite."""
        if self.database_url is None:
            return URL.create(
                "postgresql+psycopg2",
                username=self.pguser,
                password=self.pgpassword.get_secret_value() if self.pgpassword else None,
                host=self.pghost,
                port=self.pgport,
                database=self.pgdatabase,
            )
        url = _parse(self.database_url.get_secret_value())
        # SQLAlchemy 2.1 takes a bare postgresql:// to mean psycopg 3, which is not installed.
        return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def _parse(url: str) -> URL:
    """Parse a URL of SQLAlchemy's or libpq's, which may name several hosts: SQLAlchemy takes those in the query."""
    several = SEVERAL_HOSTS.fullmatch(url)
    if several is None:
        return make_url(url)
    hosts = [HOST.fullmatch(host) for host in unquote(several["hosts"]).split(",")]
    if not all(hosts):
        raise ArgumentError
    addresses = {
        "host": ",".join(host["host"].strip("[]") for host in hosts if host),
        "port": ",".join(host["port"] or "5432" for host in hosts if host),
    }
    return make_url(several["login"] + several["rest"]).update_query_dict(addresses)


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        InvalidSettingsError: naming every variable that has a wrong value, what is wrong, and never the value.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise InvalidSettingsError("; ".join(problems)) from None
    accepted = sorted(set(DRIVERS.values()))
    try:
        driver = settings.sqlalchemy_database_url.drivername
    except (ArgumentError, ValueError):
        raise InvalidSettingsError(
            "DATABASE_URL: not a URL; write it like postgresql://user:password@host:5432/database or sqlite:///file.db"
        ) from None
    if driver not in accepted:
        raise InvalidSettingsError(f"DATABASE_URL: no driver {driver!r} here; use one of {', '.join(accepted)}")
    return settings
