"""The ledger's table and the triggers that keep it append-only, for PostgreSQL and SQLite.

The revisions in `migrations` make table and triggers. In PostgreSQL another role can own the table, so that the role
that writes entries may not remove the triggers.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text, text

from sirena.database.schema import Schema

TABLE: Final = "ledger_entries"
ADVISORY_LOCK: Final = 0x51_4E_41_4C
"""Number of the PostgreSQL lock under which entries are added and the table is changed."""

entries: Final = Table(
    TABLE,
    MetaData(),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    *(
        Column(name, Text, nullable=False)
        for name in ("at", "event", "outcome", "who", "origin", "request_id", "act", "details", "previous", "hash")
    ),
)
"""The ledger's one table; its columns are the fields of `entry.LedgerEntry`."""

LEDGER_SCHEMA: Final = Schema(
    name="audit ledger",
    landmark=TABLE,
    version_table="ledger_revision",
    revisions=Path(__file__).parent / "migrations",
    metadata=entries.metadata,
    rights="SELECT, INSERT",
)
"""The ledger's table with its revisions."""

_GUARDS: Final = {
    "postgresql": frozenset({"ledger_keeps", "ledger_continues"}),
    "sqlite": frozenset({"ledger_keeps_update", "ledger_keeps_delete", "ledger_continues"}),
}
"""Triggers that must be in force, by database."""

_PRESENT: Final = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('ledger_entries') AND tgenabled = 'A'",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_entries'",
}
"""Query for the triggers that are in force, by database."""


def exists(connection: Connection) -> bool:
    """Tell whether the database has the ledger's table."""
    return connection.dialect.has_table(connection, TABLE)


def missing_guards(connection: Connection) -> list[str]:
    """Return the names of the triggers that are missing or disabled."""
    names = set(connection.scalars(text(_PRESENT[connection.dialect.name])))
    return sorted(_GUARDS[connection.dialect.name] - names)
