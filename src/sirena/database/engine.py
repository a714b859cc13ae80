"""The one way to a database, PostgreSQL by psycopg or a SQLite file; who connects says what a driver's error means."""

import os
import weakref
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.pool import Pool

_engines: Final[weakref.WeakSet[Engine]] = weakref.WeakSet()
_pools_of_parent: Final[list[Pool]] = []


def parse_address(text: str | URL) -> URL:
    """Return a database's address; PostgreSQL's with psycopg, which comes with Sirena, whatever driver the text names.

    Raises:
        ArgumentError: the text is no address of a database.
    """
    url = make_url(text)
    is_postgresql = url.drivername == "postgres" or url.get_backend_name() == "postgresql"
    return url.set(drivername="postgresql+psycopg") if is_postgresql else url


def engine_at(address: str | URL, *, lock_seconds: int | None = None, **options: Any) -> Engine:
    """Return an engine for a database; it does not connect yet, and its errors hold no values.

    A connection that is kept is closed when nobody can use it any more, or the program ends. A forked process makes
    connections of its own.

    Args:
        address: address of the database.
        lock_seconds: seconds for which a writer of a SQLite file waits for others; the file is then made with mode
            0600. None leaves a file as it is: MLflow's is upgraded as a copy, which has no write-ahead log beside it.
        options: as for `sqlalchemy.create_engine`. The pool is the caller's: the ledger's entries are few, but every
            request needs the accounts.

    Raises:
        ArgumentError: the text is no address of a database, or names an unknown kind of database.
        ImportError: the driver is not installed.
    """
    engine = create_engine(parse_address(address), hide_parameters=True, **options)
    _engines.add(engine)

    @event.listens_for(engine, "connect")
    def close_at_end(connection: Any, record: Any) -> None:
        # the driver warns of what it finds open
        weakref.finalize(record, _close, connection, os.getpid())

    file = engine.url.database
    if engine.dialect.name == "sqlite" and lock_seconds is not None:

        @event.listens_for(engine, "do_connect")
        def make_private(*_: object) -> None:
            # never an open file, since closing it would end SQLite's locks; what goes wrong here the driver reports
            with suppress(OSError):
                if file and file != ":memory:":
                    os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))

        @event.listens_for(engine, "connect")
        def tune(connection: Any, _record: object) -> None:
            connection.execute(f"PRAGMA busy_timeout = {1000 * lock_seconds}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")

    return engine


def _close(connection: Any, process_id: int) -> None:
    if os.getpid() == process_id:
        connection.close()


def _leave_connections_to_parent() -> None:
    for engine in list(_engines):
        # referenced for good, so that nothing here closes them
        _pools_of_parent.append(engine.pool)
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_leave_connections_to_parent)
