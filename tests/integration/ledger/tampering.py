"""Somebody with every right on the database, who lifts the triggers, changes entries and sets the triggers again."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg


class SqliteIntruder:
    """Writes to the file directly."""

    refusal = (sqlite3.IntegrityError,)

    def __init__(self, file: Path) -> None:
        self.file = file

    def ask(self, statement: str) -> None:
        """Run one statement with the triggers in force."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.execute(statement)

    def tamper(self, *statements: str) -> None:
        """Run statements without the triggers, which stand again afterwards."""
        with self._unguarded() as connection:
            for statement in statements:
                connection.execute(statement)

    def alter(self, seq: int, column: str, value: object) -> None:
        """Change one field of one entry."""
        with self._unguarded() as connection:
            connection.execute(f"UPDATE ledger_entries SET {column} = ? WHERE seq = ?", (value, seq))

    def lift_guards(self) -> None:
        """Drop one trigger for good."""
        self.ask("DROP TRIGGER ledger_keeps_update")

    @contextmanager
    def _unguarded(self) -> Iterator[Any]:
        with closing(sqlite3.connect(self.file)) as connection, connection:
            made = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in made:
                connection.execute(f"DROP TRIGGER {name}")
            yield connection
            for _, statement in made:
                connection.execute(statement)


class PostgresqlIntruder:
    """Enters as superuser."""

    refusal = (psycopg.errors.RaiseException,)

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def ask(self, statement: str) -> None:
        """Run one statement with the triggers in force."""
        self.connection.execute(statement.encode())

    def tamper(self, *statements: str) -> None:
        """Run statements without the triggers, which stand again afterwards."""
        with self._unguarded():
            for statement in statements:
                self.ask(statement)

    def alter(self, seq: int, column: str, value: object) -> None:
        """Change one field of one entry."""
        with self._unguarded():
            self.connection.execute(f"UPDATE ledger_entries SET {column} = %s WHERE seq = %s".encode(), (value, seq))

    def lift_guards(self) -> None:
        """Disable one trigger for good."""
        self.ask("ALTER TABLE ledger_entries DISABLE TRIGGER ledger_keeps")

    @contextmanager
    def _unguarded(self) -> Iterator[None]:
        self.ask("ALTER TABLE ledger_entries DISABLE TRIGGER ALL")
        yield
        for name in ("ledger_keeps", "ledger_continues"):
            self.ask(f"ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER {name}")
