"""Connecting to the ledger's database, PostgreSQL by psycopg or a SQLite file, and the errors when that fails."""

import os
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from sirena.database.engine import engine_at, parse_address
from sirena.domain.errors import UsageError
from sirena.ledger.errors import LedgerError, LedgerUnavailableError
from sirena.ledger.head import keep_owner

_CONNECT_SECONDS: Final = 5
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
LOCK_SECONDS: Final = 30
"""Seconds for which a writer waits for other writers."""


def engine_for(database_url: str) -> Engine:
    """Return an engine for a database URL; it does not connect yet.

    Raises:
        UsageError: the URL names neither PostgreSQL nor a SQLite file.
    """
    try:
        url = parse_address(database_url)
    except ArgumentError:
        url = URL.create("unknown")
    backend = url.get_backend_name()
    if backend == "postgresql":
        return _postgresql_engine(url)
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return _sqlite_engine(url)
    raise UsageError(
        "SIRENA_DATABASE_URL names no PostgreSQL database and no SQLite file",
        hint="postgresql://sirena:PASSWORD@127.0.0.1:5432/sirena, or empty for a file below SIRENA_HOME",
    )


def address(url: URL) -> str:
    """Return the address of a database without credentials."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    return f"postgresql://{url.host or ''}:{url.port or 5432}/{url.database or ''}"


def lasting_name(url: URL) -> str:
    """Return a name for a database that stays the same if its port, which is a setting, is changed."""
    local = url.get_backend_name() != "sqlite" and url.host in _LOOPBACK
    return f"postgresql://loopback/{url.database or ''}" if local else address(url)


def ledger_error(error: SQLAlchemyError, store: str) -> LedgerError:
    """Convert an error of the database driver to a ledger error; the driver's text, which holds data, is left out."""
    kind = type(getattr(error, "orig", None) or error).__name__
    if kind in ("OperationalError", "LockNotAvailable", "ConnectionTimeout", "TimeoutError", "AdminShutdown"):
        return LedgerUnavailableError(
            f"the audit ledger at {store} does not answer, or is locked ({kind})",
            hint="without it nothing that must be on record is done; start the database, or see SIRENA_DATABASE_URL",
        )
    return LedgerError(
        f"the audit ledger at {store} refused ({kind})",
        hint="see the database's log; a first start needs `sirena audit prepare`",
    )


def _postgresql_engine(url: URL) -> Engine:
    """Return an engine that keeps one connection: services read the ledger every second.

    A connection costs a process of PostgreSQL, which takes longer to start than to answer.
    """
    connect_args = {
        "application_name": "sirena-ledger",
        "connect_timeout": _CONNECT_SECONDS,
        # the kept connection is tried before it is used; a server that is gone is told as soon as one never reached
        "tcp_user_timeout": 1000 * _CONNECT_SECONDS,
    }
    return engine_at(url, pool_size=1, max_overflow=-1, pool_pre_ping=True, connect_args=connect_args)


def _sqlite_engine(url: URL) -> Engine:
    file = Path(str(url.database))
    engine = engine_at(url, lock_seconds=LOCK_SECONDS)

    # first of all, since the files beside it get the owner of this one
    @event.listens_for(engine, "connect", insert=True)
    def prepare(connection: Any, _record: Any) -> None:
        # transactions are begun by us: the driver's own begin takes the lock too late
        connection.isolation_level = None
        if os.geteuid() in (0, file.stat().st_uid):
            keep_owner(file)
            file.chmod(0o600)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        adds = connection.get_execution_options().get("ledger_adds")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if adds else "BEGIN")

    return engine
