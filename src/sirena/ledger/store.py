"""The ledger in its database: adding entries, one writer at a time, and reading them in order.

A ledger entry is committed before the head file notes it. Nothing is added to a ledger that lacks a noted entry, so
that nobody can cut entries off and let new ones take their place.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from sirena.database.schema import SchemaStanding, SchemaState, require_usable, standing
from sirena.domain.errors import UsageError
from sirena.ledger.database import LOCK_SECONDS, address, engine_for, lasting_name, ledger_error
from sirena.ledger.entry import LedgerEntry
from sirena.ledger.errors import LedgerError, LedgerTamperedError
from sirena.ledger.event import Event
from sirena.ledger.head import Head, HeadFile
from sirena.ledger.resumption import LedgerResumed
from sirena.ledger.schema import ADVISORY_LOCK, LEDGER_SCHEMA, entries, exists
from sirena.settings.catalogue import Settings

_BATCH: Final = 1000
_opening_lock: Final = threading.Lock()


class Ledger:
    """The audit ledger of an installation; safe to share between threads."""

    def __init__(
        self, engine: Engine, head: HeadFile, others: Sequence[HeadFile] = (), readers: Sequence[HeadFile] = ()
    ) -> None:
        """Use `open_ledger` instead, which finds the database and the head files."""
        self._engine = engine
        self.head = head
        """Head file in which this writer notes the end."""
        self.others = tuple(others)
        """Head files of other accounts that write to the same ledger."""
        self.readers = tuple(readers)
        """Head files for accounts that only read the ledger; `resume` writes them."""
        self._is_prepared = False
        self._preparation_lock = threading.Lock()

    @property
    def store(self) -> str:
        """Address of the database, without credentials."""
        return address(self._engine.url)

    def append(self, *events: Event) -> list[LedgerEntry]:
        """Add an entry for each event, all or none, and return the entries once they are on disk.

        Raises:
            LedgerUnavailableError: the database does not answer, or other writers held its lock for half a minute.
            LedgerTamperedError: an entry that a head file notes is missing or was altered.
            SchemaError: the table has the revision of another release of Sirena.
            LedgerError: the database refused.
        """
        self._prepare()
        with self._writing() as connection:
            last = _last(connection)
            self._require_continuity(connection)
            new_entries = []
            for event in events:
                last = LedgerEntry.after(last, event)
                connection.execute(insert(entries).values(asdict(last)))
                new_entries.append(last)
        if new_entries:
            self.note(Head.at(new_entries[-1]))
        return new_entries

    def noted_heads(self) -> list[Head]:
        """Return the heads in all head files, those of this writer and of other accounts.

        Raises:
            LedgerTamperedError: a head file is damaged.
            LedgerError: this account may not read a head file.
        """
        return [head for file in (self.head, *self.others) if (head := file.read()) is not None]

    def note(self, end: Head) -> None:
        """Write a head to this writer's head file, unless a later head is noted there.

        Raises:
            LedgerError: the head file cannot be written.
        """
        try:
            self.head.note(end)
        except OSError as error:
            raise LedgerError(
                f"the ledger's head file {self.head.path} cannot be written",
                hint="see to the folder's rights and space",
            ) from error

    def resume(self, *, who: str, origin: str, reason: str) -> LedgerEntry:
        """Continue the ledger after its last entries were lost; add an entry that says what was lost and why.

        The new head is noted for every account that reads or writes the ledger, so that running services continue.

        Raises:
            UsageError: no entry was lost, or no reason is given.
        """
        if not reason.strip():
            raise UsageError("going on without the lost entries needs a reason", hint="--reason")
        self._prepare()
        try:
            heads = self.noted_heads()
        except LedgerTamperedError:
            heads = [Head(0, "")]
        with self._writing() as connection:
            lost_heads = [head for head in heads if not (head.entries and self._is_there(connection, head))]
            if not lost_heads:
                raise UsageError("the ledger's end is where it was noted: nothing was lost")
            lost_head = max(lost_heads, key=lambda head: head.entries)
            last = _last(connection)
            event = LedgerResumed(
                who=who,
                origin=origin,
                noted_entries=lost_head.entries,
                noted_hash=lost_head.hash,
                found_entries=last.seq if last else 0,
                reason=reason,
            )
            entry = LedgerEntry.after(last, event)
            connection.execute(insert(entries).values(asdict(entry)))
        self.head.replace(Head.at(entry))
        for other in (*self.others, *self.readers):
            if other.path.parent.is_dir():
                other.replace(Head.at(entry))
        return entry

    def read(
        self,
        *,
        events: Sequence[str] = (),
        who: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        act: str = "",
        last: int | None = None,
    ) -> Iterator[LedgerEntry]:
        """Yield the entries of the ledger in the order of their numbers.

        Args:
            events: names of kinds of event in the catalogue; empty for all.
            who: account; empty for all.
            since: first moment, with time zone; None for no limit.
            until: end (excluded), with time zone; None for no limit.
            act: name of an act, for its entries only; empty for all.
            last: number of entries, to yield only the newest; None for all.

        Raises:
            LedgerUnavailableError: the database does not answer.
        """
        query = select(entries).order_by(entries.c.seq)
        if events:
            query = query.where(entries.c.event.in_(events))
        if who:
            query = query.where(entries.c.who == who)
        if act:
            query = query.where(entries.c.act == act)
        if since is not None:
            query = query.where(entries.c.at >= moment(since))
        if until is not None:
            query = query.where(entries.c.at < moment(until))
        if last is not None:
            newest = query.order_by(None).order_by(entries.c.seq.desc()).limit(last).subquery()
            query = select(newest).order_by(newest.c.seq)
        with self.reading() as connection:
            if not exists(connection):
                return
            with connection.execution_options(yield_per=_BATCH).execute(query) as rows:
                for row in rows:
                    yield LedgerEntry(**row._mapping)

    def count(self) -> int:
        """Return the number of entries in the ledger."""
        with self.reading() as connection:
            if not exists(connection):
                return 0
            return int(connection.scalar(select(func.count()).select_from(entries)) or 0)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that does not see entries added after its first query."""
        with self._errors_translated(), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            yield connection

    def create(self, writer: str = "") -> tuple[SchemaStanding, SchemaStanding]:
        """Make the table and its triggers, or bring them to this program's revision; repeating this changes nothing.

        Args:
            writer: PostgreSQL role that is given the right to read and add entries, and no other; empty changes no
                rights.

        Returns:
            The revision of the table before, and now.

        Raises:
            UsageError: the role does not exist, owns the table or is a superuser; or the database is SQLite, without
                roles.
            SchemaUnknownError: the table is of a later release of Sirena.
        """
        from sirena.database.migration import limit_rights, migrate

        with self._writing() as connection:
            revisions = migrate(connection, LEDGER_SCHEMA, self.store)
            if writer:
                limit_rights(connection, LEDGER_SCHEMA, writer)
        self._is_prepared = True
        return revisions

    def standing(self) -> SchemaStanding:
        """Return the revision of the ledger's table in the database."""
        with self.reading() as connection:
            return standing(connection, LEDGER_SCHEMA)

    def close(self) -> None:
        """Close the database connections; using the ledger again opens new ones."""
        self._engine.dispose()

    def _prepare(self) -> None:
        with self._preparation_lock:
            if not self._is_prepared:
                table = self.standing()
                require_usable(table, LEDGER_SCHEMA, self.store)
                if table.state is SchemaState.EMPTY:
                    self.create()
                self._is_prepared = True

    def _require_continuity(self, connection: Connection) -> None:
        for head in self.noted_heads():
            if not self._is_there(connection, head):
                raise LedgerTamperedError(
                    f"the ledger's entry {head.entries} is missing or was altered, so nothing may be added",
                    hint="see `sirena audit verify`; after putting back a backup: `sirena audit resume --reason …`",
                )

    @staticmethod
    def _is_there(connection: Connection, head: Head) -> bool:
        return connection.scalar(select(entries.c.hash).where(entries.c.seq == head.entries)) == head.hash

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._errors_translated(), self._engine.connect() as connection:
            options = connection.execution_options(ledger_adds=True)
            with options.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
                yield connection

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise ledger_error(error, self.store) from error


def open_ledger(settings: Settings) -> Ledger:
    """Return the ledger of an installation: `SIRENA_DATABASE_URL`, or a SQLite file below `SIRENA_HOME`.

    It does not connect yet; the table is made when the first entry is added.

    Raises:
        UsageError: the URL names neither PostgreSQL nor a SQLite file.
        LedgerError: the folder of the head file cannot be made.
    """
    # two threads that open it first would make two, and a new file does not bear two that prepare it at once
    with _opening_lock:
        return _open_at(settings.database_url.get_secret_value(), settings.home, *_other_homes(settings))


def open_as_owner(settings: Settings) -> Ledger:
    """Return the ledger of an installation, for the role that owns its table (`SIRENA_DATABASE_OWNER_URL`)."""
    owner = settings.database_owner_url.get_secret_value()
    return _open_at(owner or settings.database_url.get_secret_value(), settings.home, *_other_homes(settings))


def _other_homes(settings: Settings) -> tuple[Path, Path]:
    return settings.service_home, settings.answering_home


def moment(when: datetime) -> str:
    """Return a time as text, in the form that ledger entries use: such texts sort like times."""
    return Event(who="", origin="", at=when).at.isoformat(timespec="microseconds")


_SQLITE: Final = "sqlite:///"


@lru_cache(maxsize=8)
def _open_at(database_url: str, home: Path, service_home: Path, answering_home: Path) -> Ledger:
    folder = home / "ledger"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if database_url.startswith(_SQLITE):
            # a part of the stack has a home of its own and is told the stack's ledger, which may have no entry yet
            Path(database_url.removeprefix(_SQLITE)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise LedgerError(
            f"the folder {folder} cannot be made", hint="see to its rights, or set SIRENA_HOME"
        ) from error
    engine = engine_for(database_url or f"sqlite:///{folder / 'ledger.db'}")
    name = lasting_name(engine.url)
    others = [HeadFile.of(other / folder.name, name) for other in (service_home, answering_home)]
    return Ledger(engine, HeadFile.of(folder, name), others[:1], others[1:])


def _last(connection: Connection) -> LedgerEntry | None:
    row = connection.execute(select(entries).order_by(entries.c.seq.desc()).limit(1)).first()
    return LedgerEntry(**row._mapping) if row is not None else None
