"""Changing tables from one revision to the next, with Alembic, inside one transaction of the caller.

PostgreSQL and SQLite can undo changes of tables, so a migration that fails or is killed leaves the tables unchanged.
Tables are never changed back to an earlier revision; a backup made before is restored instead, see ADR 15.
"""

import re

from sqlalchemy import Connection, text

from sirena.database.schema import Schema, SchemaStanding, SchemaState, require_usable, standing
from sirena.domain.errors import UsageError


def migrate(connection: Connection, schema: Schema, place: str) -> tuple[SchemaStanding, SchemaStanding]:
    """Bring tables to the revision of this program: make them, or change them.

    Args:
        connection: in a transaction that excludes other changes of these tables.
        schema: of the tables.
        place: address of the database, for the text of an error.

    Returns:
        The state of the tables before, and now.

    Raises:
        SchemaUnknownError: the tables are of a later release of Sirena, or have no revision.
    """
    before = standing(connection, schema)
    if before.state is SchemaState.UNKNOWN:
        require_usable(before, schema, place)
    if before.state is not SchemaState.CURRENT:
        _run_revisions(connection, schema)
    return before, standing(connection, schema)


def limit_rights(connection: Connection, schema: Schema, writer: str) -> None:
    """Give a PostgreSQL role exactly those rights on the tables that the services need.

    Raises:
        UsageError: the role's name is malformed, there is no such role, or it owns the tables or is a superuser; or the
            database is SQLite, which has no roles.
    """
    if connection.dialect.name != "postgresql":
        raise UsageError("SQLite knows no roles", hint="leave --writer out, or set SIRENA_DATABASE_URL")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", writer):
        raise UsageError("the role's name is no PostgreSQL identifier", hint="letters, digits and underscores")
    owns_tables = connection.execute(
        text(
            "SELECT rolsuper OR pg_has_role(rolname, (SELECT relowner FROM pg_class WHERE oid = to_regclass(:name)), "
            "'MEMBER') FROM pg_roles WHERE rolname = :writer"
        ),
        {"name": schema.landmark, "writer": writer},
    ).scalar()
    if owns_tables is None:
        raise UsageError(f"there is no role {writer}", hint=f"CREATE ROLE {writer} LOGIN")
    if owns_tables:
        raise UsageError(
            f"the role {writer} owns the tables of the {schema.name} or is a superuser: no right can be kept from it",
            hint="let another role own the tables (SIRENA_DATABASE_OWNER_URL); a superuser hands over those that are "
            f"there: REASSIGN OWNED BY {writer} TO the owner",
        )
    for table, rights in {
        **dict.fromkeys(schema.metadata.tables, schema.rights),
        schema.version_table: "SELECT",
    }.items():
        connection.exec_driver_sql(f"REVOKE ALL ON {table} FROM PUBLIC")
        connection.exec_driver_sql(f'REVOKE ALL ON {table} FROM "{writer}"')
        connection.exec_driver_sql(f'GRANT {rights} ON {table} TO "{writer}"')


def _run_revisions(connection: Connection, schema: Schema) -> None:
    # half a second that only those who change tables should wait for
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(schema.revisions), version_locations=[str(schema.revisions)])
    with EnvironmentContext(
        Config(), script, fn=lambda revision, _: script._upgrade_revs("head", revision), destination_rev="head"
    ) as environment:
        environment.configure(
            connection=connection,
            version_table=schema.version_table,
            target_metadata=schema.metadata,
            transactional_ddl=True,
        )
        environment.run_migrations()
