"""What is known of images that many compose files name: which keep data, and which port they listen on."""

import re
from collections.abc import Mapping

_REPOSITORY = re.compile(r"(?P<repository>[^@]*?)(?::[^/@:]*)?(?:@.*)?")

# What keeps data, by the last part of its repository, and what AWS has instead.
DATABASES: Mapping[str, str] = {
    "postgres": "Amazon RDS for PostgreSQL",
    "postgresql": "Amazon RDS for PostgreSQL",
    "postgis": "Amazon RDS for PostgreSQL",
    "pgvector": "Amazon RDS for PostgreSQL",
    "timescaledb": "Amazon RDS for PostgreSQL, without TimescaleDB",
    "timescaledb-ha": "Amazon RDS for PostgreSQL, without TimescaleDB",
    "cockroach": "CockroachDB's own service, or Amazon Aurora",
    "mysql": "Amazon RDS for MySQL",
    "mysql-server": "Amazon RDS for MySQL",
    "percona": "Amazon RDS for MySQL",
    "percona-server": "Amazon RDS for MySQL",
    "mariadb": "Amazon RDS for MariaDB",
    "mssql/server": "Amazon RDS for SQL Server",
    "azure-sql-edge": "Amazon RDS for SQL Server",
    "oracle-xe": "Amazon RDS for Oracle",
    "oracle-free": "Amazon RDS for Oracle",
    "mongo": "Amazon DocumentDB",
    "mongodb": "Amazon DocumentDB",
    "mongodb-community-server": "Amazon DocumentDB",
    "couchdb": "Amazon DynamoDB",
    "couchbase": "Amazon DynamoDB",
    "cassandra": "Amazon Keyspaces",
    "scylla": "Amazon Keyspaces",
    "neo4j": "Amazon Neptune",
    "arangodb": "Amazon Neptune",
    "influxdb": "Amazon Timestream for InfluxDB",
    "clickhouse": "ClickHouse's own service",
    "clickhouse-server": "ClickHouse's own service",
    "elasticsearch": "Amazon OpenSearch Service",
    "opensearch": "Amazon OpenSearch Service",
    "meilisearch": "Amazon OpenSearch Service",
    "qdrant": "Amazon OpenSearch Service, or pgvector in RDS",
    "weaviate": "Amazon OpenSearch Service, or pgvector in RDS",
    "milvus": "Amazon OpenSearch Service, or pgvector in RDS",
    "chroma": "Amazon OpenSearch Service, or pgvector in RDS",
    "minio": "Amazon S3",
}

# Where other images listen that are reached without ever publishing a port on a laptop.
_PORTS: Mapping[str, int] = {
    "redis": 6379,
    "redis-stack": 6379,
    "redis-stack-server": 6379,
    "valkey": 6379,
    "keydb": 6379,
    "memcached": 11211,
    "rabbitmq": 5672,
    "nats": 4222,
    "kafka": 9092,
    "cp-kafka": 9092,
    "mosquitto": 1883,
    "nginx": 80,
    "caddy": 80,
    "httpd": 80,
    "traefik": 80,
    "mailhog": 1025,
    "mailpit": 1025,
}

# What starts as root and gives its directory to a user of its own.
_GIVES_FILES_AWAY = frozenset(
    {"redis", "redis-stack", "redis-stack-server", "valkey", "keydb", "rabbitmq", "mosquitto"}
)


def repository(image: str) -> str:
    """Return the last part of an image's repository, without registry, tag and digest; of `…/mssql/server` both."""
    match = _REPOSITORY.fullmatch(image)
    parts = (match["repository"] if match else image).split("/")
    return "/".join(parts[-2:]) if parts[-1] == "server" else parts[-1]


def usual_port(image: str | None) -> int | None:
    """Return the port that containers of an image listen on if nobody says otherwise; None when it is not known."""
    return _PORTS.get(repository(image)) if image else None


def gives_files_away(image: str | None) -> bool:
    """Say whether containers of an image change the owner of their files when they start, unless they have a user."""
    return image is not None and repository(image) in _GIVES_FILES_AWAY
