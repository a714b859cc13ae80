"""The database of accounts, external identities, tokens and sessions: PostgreSQL or a SQLite file.

Times are seconds since 1970 (UTC) as doubles, which both kinds of database store and compare in the same way. The
revisions in `migrations` make and change the tables; a database of another revision is refused, see ADR 15.
"""

from collections.abc import Iterator
from contextlib import contextmanager
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
    text,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from sirena.database.engine import engine_at, parse_address
from sirena.database.schema import Schema, SchemaStanding, SchemaState, require_usable, standing
from sirena.domain.errors import SirenaError, UsageError

_LOCK: Final = 0x51534E41
"""Number of the PostgreSQL advisory lock under which the tables are made or changed, so that two processes that start
do not collide.
"""
_LOCK_SECONDS: Final = 10
"""Seconds for which a writer of a SQLite file waits for other writers."""
_NAME: Final = 128
_LOOK: Final = "check SIRENA_DATABASE_URL; tables that another role owns are changed with SIRENA_DATABASE_OWNER_URL"

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
EXTERNAL_IDENTITIES: Final = Table(
    "access_external_identities",
    METADATA,
    Column("issuer", String(512), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("account", String(_NAME), ForeignKey("access_accounts.name"), nullable=False, unique=True),
    Column("created", Double, nullable=False),
)
ACCESS_SCHEMA: Final = Schema(
    name="accounts",
    landmark=ACCOUNTS.name,
    version_table="access_revision",
    revisions=Path(__file__).parent / "migrations",
    metadata=METADATA,
    rights="SELECT, INSERT, UPDATE, DELETE",
)
"""The tables of accounts with their revisions."""


class StoreError(SirenaError):
    """The database of accounts cannot be opened, or refuses a change."""

    code = "store"
    status = 503


def open_store(url: str) -> Engine:
    """Connect to the database of accounts and make its tables if there are none.

    Args:
        url: SQLAlchemy URL; psycopg is the driver for ``postgresql://``. A SQLite file is created with mode 0600.

    Raises:
        UsageError: the text is not a URL of a database.
        StoreError: the database does not answer.
        SchemaError: the tables have the revision of another release of Sirena.
    """
    engine = _engine(url)
    with _errors_translated(engine):
        with engine.connect() as connection:
            tables = standing(connection, ACCESS_SCHEMA)
        require_usable(tables, ACCESS_SCHEMA, _place(engine))
        if tables.state is SchemaState.EMPTY:
            prepare_store(url)
    return engine


def prepare_store(url: str, writer: str = "") -> tuple[SchemaStanding, SchemaStanding]:
    """Make the tables, or bring existing ones to this program's revision; repeating it changes nothing.

    Args:
        url: as for `open_store`; for PostgreSQL with the role that owns the tables.
        writer: PostgreSQL role of the services, which is given the rights it needs; empty changes no rights.

    Returns:
        The revision of the tables before, and now.

    Raises:
        UsageError: the role does not exist, owns the tables or is a superuser; or the database is SQLite, without
            roles.
        StoreError: the database does not answer, or refuses.
        SchemaUnknownError: the tables are of a later release of Sirena.
    """
    from sirena.database.migration import limit_rights, migrate

    engine = _engine(url)
    with _errors_translated(engine), engine.connect() as connection:
        # tables that others refer to are changed by putting a copy in their place
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        revisions = migrate(connection, ACCESS_SCHEMA, _place(engine))
        if writer:
            limit_rights(connection, ACCESS_SCHEMA, writer)
        if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise StoreError(
                f"the accounts at {_place(engine)} hold tokens or sessions of nobody; nothing was changed",
                hint="restore a backup",
            )
        connection.commit()
    engine.dispose()
    return revisions


def store_standing(url: str) -> SchemaStanding:
    """Return the revision of the tables; a SQLite file is made if there is none.

    Raises:
        UsageError: the text is not a URL of a database.
        StoreError: the database does not answer.
    """
    engine = _engine(url)
    with _errors_translated(engine), engine.connect() as connection:
        tables = standing(connection, ACCESS_SCHEMA)
    engine.dispose()
    return tables


def _engine(url: str) -> Engine:
    try:
        address = parse_address(url)
    except ArgumentError as error:
        raise UsageError("SIRENA_DATABASE_URL is no database URL", hint="postgresql://user@host/name") from error
    if address.get_backend_name() == "sqlite" and address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    try:
        return engine_at(address, lock_seconds=_LOCK_SECONDS, pool_pre_ping=True)
    except (SQLAlchemyError, ImportError) as error:
        readable_address = address.render_as_string(hide_password=True)
        raise StoreError(f"the database of accounts at {readable_address} cannot be opened", hint=_LOOK) from error


def _place(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def _errors_translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SirenaError:
        engine.dispose()
        raise
    except SQLAlchemyError as error:
        engine.dispose()
        kind = type(getattr(error, "orig", None) or error).__name__
        raise StoreError(
            f"the database of accounts at {_place(engine)} cannot be opened or refuses ({kind})", hint=_LOOK
        ) from error
