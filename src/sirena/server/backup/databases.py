"""Dumping the two databases, restoring dumps next to the databases in use, and exchanging them in one transaction."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from sirena.host.accounts import OsAccount
from sirena.host.secret_files import write_private
from sirena.server.backup.errors import BackupError, DamagedBackupError
from sirena.server.backup.manifest import LedgerEnd
from sirena.server.backup.tools import run_tool
from sirena.server.parts.postgresql import DATABASES, SUPERUSER, Connection, PostgreSql

_LEDGER: Final = "ledger_entries"


@dataclass(frozen=True)
class DatabaseDump:
    """Facts about a dump of a database."""

    tables: Mapping[str, int]
    """Number of rows by table."""
    ledger_end: LedgerEnd | None


@dataclass(frozen=True)
class Databases:
    """The databases of the PostgreSQL cluster, reached as its superuser and as the roles that work in them."""

    cluster: PostgreSql
    passwords: Path
    """Libpq password file with the passwords of all these roles."""

    def dump(self, database: str, target: Path) -> DatabaseDump:
        """Dump a database and count its rows, both in one snapshot.

        Raises:
            BackupError: PostgreSQL does not answer, or pg_dump fails.
        """
        with self._connection_to(database) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            snapshot = _single_value(connection, "SELECT pg_export_snapshot()")
            dump = DatabaseDump(_counts(connection), _ledger_end(connection))
            # restic compresses, and finds unchanged parts only in what is not compressed yet
            self._run_program("pg_dump", "-Fc", "-Z0", f"--snapshot={snapshot}", "-f", str(target), "-d", database)
        return dump

    def put_back(self, dump: Path, database: str, name: str, expected_counts: Mapping[str, int]) -> None:
        """Restore a dump as a new database; an existing database of that name is dropped first.

        Args:
            dump: file made by `dump`.
            database: the database that was dumped, `mlflow` or `sirena`.
            name: name of the new database.
            expected_counts: number of rows by table.

        Raises:
            BackupError: PostgreSQL refuses.
            DamagedBackupError: a table has another number of rows than was dumped.
        """
        self.drop(name)
        self._execute("CREATE DATABASE {} OWNER {}", name, DATABASES[database])
        self._execute("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", name)
        for role in {database, DATABASES[database]}:
            self._execute("GRANT CONNECT ON DATABASE {} TO {}", name, role)
        self._run_program("pg_restore", "--exit-on-error", "-d", name, str(dump))
        with self._connection_to(name) as connection:
            counts = _counts(connection)
        if counts != dict(expected_counts):
            tables = sorted(
                table for table in {*counts, *expected_counts} if counts.get(table) != expected_counts.get(table)
            )
            raise DamagedBackupError(
                f"the database {database} came back otherwise than it was dumped: {', '.join(tables)}",
                hint="take an older backup with --at",
            )

    def exchange(self, fresh: Mapping[str, str], aside: str) -> None:
        """Replace the databases in use by new ones, all at once or not at all.

        Args:
            fresh: present names of the new databases, by the names that they get.
            aside: suffix that is added to the names of the replaced databases.
        """
        for database in fresh:
            self.drop(database + aside)
        with self._connection_to("postgres") as connection:
            for database, new in fresh.items():
                for name in (database, new):
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
                    )
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                connection.execute(rename.format(sql.Identifier(database), sql.Identifier(database + aside)))
                connection.execute(rename.format(sql.Identifier(new), sql.Identifier(database)))

    def drop(self, name: str) -> None:
        """Drop a database if it exists, and end the connections to it."""
        if not self.ask("postgres", "SELECT FROM pg_database WHERE datname = %s", name):
            return
        # what WITH (FORCE) does since PostgreSQL 13; DROP waits some seconds for those who are leaving
        self._execute("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
        self.ask("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", name)
        self._execute("DROP DATABASE {}", name)

    def rows(self, database: str) -> dict[str, int]:
        """Return the number of rows of every table of a database."""
        with self._connection_to(database) as connection:
            return _counts(connection)

    def url(self, role: str, database: str) -> str:
        """Return the SQLAlchemy URL of a database for a role, without a password in it."""
        port = self.cluster.settings.postgres_port
        return f"postgresql://{role}@127.0.0.1:{port}/{database}?passfile={quote(str(self.passwords))}"

    def server_version(self) -> str:
        """Return PostgreSQL's version."""
        with self._connection_to("postgres") as connection:
            return str(_single_value(connection, "SHOW server_version")).split()[0]

    def ask(self, database: str, query: str, *values: object) -> list[tuple[object, ...]]:
        """Return the rows that an SQL query finds in a database."""
        with self._connection_to(database) as connection:
            return list(connection.execute(query.encode(), values))

    def _execute(self, statement: str, *names: str) -> None:
        with self._connection_to("postgres") as connection:
            connection.autocommit = True
            text = sql.SQL(statement).format(*map(sql.Identifier, names))
            connection.execute(text)

    @contextmanager
    def _connection_to(self, database: str) -> Iterator[Connection]:
        try:
            with self.cluster.connect(database) as connection:
                yield connection
        except psycopg.Error as error:
            kind = type(error).__name__
            raise BackupError(
                f"PostgreSQL refused or does not answer at database {database} ({kind})",
                hint="see `sirena status` and `sirena logs postgresql`; repeating the command is safe",
            ) from error

    def _run_program(self, name: str, *words: str) -> None:
        programs = Path(self.cluster.part().command[0]).parent
        where = ("-h", "127.0.0.1", "-p", str(self.cluster.settings.postgres_port), "-U", SUPERUSER, "--no-password")
        run = run_tool(
            [programs / name, *where, *words], {"PGPASSFILE": str(self.passwords)}, folder=self.passwords.parent
        )
        if run.code:
            raise BackupError(
                f"{name} failed: {run.last_lines}", hint="see to the disk's room and `sirena logs postgresql`"
            )


@contextmanager
def entered(cluster: PostgreSql, folder: Path) -> Iterator[Databases]:
    """Yield the databases, with a password file that is removed after the ``with`` block.

    Raises:
        BackupError: this account cannot read the passwords of the stack.
    """
    secrets = cluster.settings.home / "secrets"
    names = [SUPERUSER, *DATABASES]
    files = [secrets / "postgresql_superuser", *(secrets / f"postgresql_{name}" for name in DATABASES)]
    try:
        words = [file.read_text(encoding="utf-8") for file in files]
    except OSError as error:
        raise BackupError(
            f"{error.filename} cannot be read", hint="run it as the account that ran `sirena up`, on its server"
        ) from error
    lines = [f"127.0.0.1:*:*:{name}:{word}\n" for name, word in zip(names, words, strict=True)]
    file = folder / "pgpass"
    write_private(file, "".join(lines), OsAccount.of_this_process())
    try:
        yield Databases(cluster, file)
    finally:
        file.unlink(missing_ok=True)


def _single_value(connection: Connection, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def _counts(connection: Connection) -> dict[str, int]:
    names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    counts = {}
    for (name,) in names:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone()
        assert row is not None
        counts[str(name)] = int(row[0])
    return counts


def _ledger_end(connection: Connection) -> LedgerEnd | None:
    if _single_value(connection, f"SELECT to_regclass('{_LEDGER}')") is None:
        return None
    row = connection.execute("SELECT seq, hash FROM ledger_entries ORDER BY seq DESC LIMIT 1").fetchone()
    return LedgerEnd(int(row[0]), str(row[1])) if row else None
