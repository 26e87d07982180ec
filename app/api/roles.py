"""The database role the API signs in as: it reads and writes rows, and owns and alters nothing."""

from sqlalchemy import Connection, text


def grant_api_access(connection: Connection, user: str, password: str | None) -> None:
    """Make the role where it is missing and give it its rights, in one transaction; again, it changes nothing.

    With a password the role signs in with it; without one, RDS lets it in by IAM token (through its role `rds_iam`).
    """
    role = connection.dialect.identifier_preparer.quote(user)
    if not _role_exists(connection, user):
        # The role is the server's, not the database's: a migrator of another database may be making it, too.
        connection.execute(
            text(
                f"DO $$ BEGIN CREATE ROLE {role} LOGIN; "
                "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
        )
    if password is not None:
        connection.execute(text(f"ALTER ROLE {role} PASSWORD :password"), {"password": password})
    elif _role_exists(connection, "rds_iam"):
        connection.execute(text(f"GRANT rds_iam TO {role}"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {role}"))
    connection.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"))
    connection.execute(text(f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}"))


def _role_exists(connection: Connection, name: str) -> bool:
    return connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :name"), {"name": name}) or False
