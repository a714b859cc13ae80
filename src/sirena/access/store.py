"""Where accounts, tokens and sessions are kept: three tables, in PostgreSQL or in a SQLite file.

Times are seconds since 1970 (UTC) as doubles: the one form in which both databases and every comparison agree. The
tables are made with `create_all`, and a version stands beside them; a database of another version is refused rather
than guessed at. Migrations by Alembic begin with the first change of a released schema, see ADR 9.
"""

import os
from pathlib import Path
from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from sirena.domain.errors import SirenaError, UsageError

SCHEMA_VERSION: Final = 1
_LOCK: Final = 0x51534E41
"""Advisory lock of PostgreSQL under which the tables are made, so that two starting processes do not collide."""
_NAME: Final = 128

METADATA: Final = MetaData()
ACCOUNTS: Final = Table(
    "access_accounts",
    METADATA,
    Column("name", String(_NAME), primary_key=True),
    Column("roles", String(256), nullable=False),
    Column("password_hash", String(512)),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("failed_attempts", Integer, nullable=False, default=0),
    Column("locked_until", Double, nullable=False, default=0.0),
    Column("created", Double, nullable=False),
)
TOKENS: Final = Table(
    "access_tokens",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("account", String(_NAME), ForeignKey("access_accounts.name"), nullable=False, index=True),
    Column("name", String(_NAME), nullable=False),
    Column("secret_sha256", String(64), nullable=False, unique=True),
    Column("scopes", String(512), nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("revoked", Double),
    Column("last_used", Double),
)
SESSIONS: Final = Table(
    "access_sessions",
    METADATA,
    Column("secret_sha256", String(64), primary_key=True),
    Column("account", String(_NAME), ForeignKey("access_accounts.name"), nullable=False, index=True),
    Column("csrf_sha256", String(64), nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("revoked", Double),
)
_SCHEMA: Final = Table("access_schema", METADATA, Column("version", Integer, primary_key=True))


class StoreError(SirenaError):
    """The database of accounts cannot be reached or is not ours."""

    code = "store"
    status = 503


def open_store(url: str) -> Engine:
    """Connect to the database of accounts and make its tables if they are missing.

    Args:
        url: SQLAlchemy URL; ``postgresql://`` is spoken through psycopg. A SQLite file is made with mode 0600.

    Raises:
        UsageError: the URL is none.
        StoreError: nothing answers there, or its tables are of another version.
    """
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise UsageError("SIRENA_DATABASE_URL is no database URL", hint="postgresql://user@host/name") from error
    if address.drivername in ("postgresql", "postgres"):
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite" and address.database:
        _make_private(Path(address.database))
    shown = address.render_as_string(hide_password=True)
    try:
        engine = create_engine(address, pool_pre_ping=True, hide_parameters=True)
        if address.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _tune_sqlite)
        with engine.begin() as connection:
            _make_tables(connection)
            version = connection.scalar(select(_SCHEMA.c.version))
    except (SQLAlchemyError, ImportError) as error:
        raise StoreError(
            f"the database of accounts at {shown} cannot be opened", hint="check SIRENA_DATABASE_URL"
        ) from error
    if version != SCHEMA_VERSION:
        engine.dispose()
        raise StoreError(
            f"the database of accounts at {shown} has schema {version}, this Sirena knows {SCHEMA_VERSION}",
            hint="use the Sirena that made it, or restore a backup",
        )
    return engine


def _make_tables(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    elif connection.dialect.name == "sqlite":
        connection.execute(text("BEGIN IMMEDIATE"))
    METADATA.create_all(connection)
    if connection.scalar(select(_SCHEMA.c.version)) is None:
        connection.execute(insert(_SCHEMA).values(version=SCHEMA_VERSION))


def _tune_sqlite(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA busy_timeout = 10000")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _make_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
