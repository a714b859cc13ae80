"""The table and the triggers that keep it append-only, for PostgreSQL and SQLite.

In both, the database itself refuses to change or remove an entry and to add one that does not continue the last.
In PostgreSQL a second role can own the table, so that the role that writes has no right to lift the triggers.
"""

import re
from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text, text

from sirena.domain.errors import UsageError

TABLE: Final = "ledger_entries"
ADVISORY_LOCK: Final = 0x51_4E_41_4C
"""Number of the PostgreSQL lock under which entries are added."""

entries: Final = Table(
    TABLE,
    MetaData(),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    *(
        Column(name, Text, nullable=False)
        for name in ("at", "event", "outcome", "who", "origin", "request_id", "act", "details", "previous", "hash")
    ),
)
"""The ledger's one table; columns as in `entry.Entry`."""

_GUARDS: Final = {
    "postgresql": {
        "ledger_keeps": """
            CREATE FUNCTION ledger_keep() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
            CREATE TRIGGER ledger_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep();
            ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_keeps""",
        "ledger_continues": """
            CREATE FUNCTION ledger_continue() RETURNS trigger LANGUAGE plpgsql AS
            $$ DECLARE final record;
            BEGIN
                SELECT seq, hash INTO final FROM ledger_entries ORDER BY seq DESC LIMIT 1;
                IF NEW.seq IS DISTINCT FROM coalesce(final.seq, 0) + 1
                   OR NEW.previous IS DISTINCT FROM coalesce(final.hash, repeat('0', 64)) THEN
                    RAISE EXCEPTION 'an entry continues the last one';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER ledger_continues BEFORE INSERT ON ledger_entries
            FOR EACH ROW EXECUTE FUNCTION ledger_continue();
            ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_continues""",
    },
    "sqlite": {
        "ledger_keeps_update": """
            CREATE TRIGGER ledger_keeps_update BEFORE UPDATE ON ledger_entries
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        "ledger_keeps_delete": """
            CREATE TRIGGER ledger_keeps_delete BEFORE DELETE ON ledger_entries
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        "ledger_continues": """
            CREATE TRIGGER ledger_continues BEFORE INSERT ON ledger_entries
            WHEN NEW.seq IS NOT coalesce((SELECT max(seq) FROM ledger_entries), 0) + 1
              OR NEW.previous IS NOT
                 coalesce((SELECT hash FROM ledger_entries ORDER BY seq DESC LIMIT 1), printf('%064d', 0))
            BEGIN SELECT RAISE(ABORT, 'an entry continues the last one'); END""",
    },
}
"""By database: the statements that make each trigger."""

_PRESENT: Final = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('ledger_entries') AND tgenabled = 'A'",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_entries'",
}
"""By database: the triggers that are in force."""


def exists(connection: Connection) -> bool:
    """Tell whether the table is there."""
    return connection.dialect.has_table(connection, TABLE)


def create(connection: Connection) -> None:
    """Make the table and its triggers, unless they are there; call it inside a transaction that holds the lock."""
    if exists(connection):
        return
    entries.create(connection)
    for statements in _GUARDS[connection.dialect.name].values():
        connection.exec_driver_sql(statements)


def missing_guards(connection: Connection) -> list[str]:
    """Return the triggers that somebody removed or disabled."""
    present = set(connection.scalars(text(_PRESENT[connection.dialect.name])))
    return sorted(set(_GUARDS[connection.dialect.name]) - present)


def let_only_append(connection: Connection, writer: str) -> None:
    """Give a PostgreSQL role the right to read and add entries, and no other.

    Raises:
        UsageError: the role's name is none, it does not exist, or it owns the table and so may do anything.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", writer):
        raise UsageError("the role's name is no PostgreSQL identifier", hint="letters, digits and underscores")
    found = connection.execute(
        text(
            "SELECT rolsuper OR pg_has_role(rolname, (SELECT relowner FROM pg_class WHERE oid = to_regclass(:name)), "
            "'MEMBER') FROM pg_roles WHERE rolname = :writer"
        ),
        {"name": TABLE, "writer": writer},
    ).scalar()
    if found is None:
        raise UsageError(f"there is no role {writer}", hint=f"CREATE ROLE {writer} LOGIN")
    if found:
        raise UsageError(
            f"the role {writer} owns the ledger or is a superuser, so no right can be kept from it",
            hint="let another role own the ledger (SIRENA_DATABASE_OWNER_URL)",
        )
    connection.exec_driver_sql("REVOKE ALL ON ledger_entries FROM PUBLIC")
    connection.exec_driver_sql(f'REVOKE ALL ON ledger_entries FROM "{writer}"')
    connection.exec_driver_sql(f'GRANT SELECT, INSERT ON ledger_entries TO "{writer}"')
