"""Sirena's own PostgreSQL cluster, on loopback, with a role and a SCRAM password for each program that uses it.

Programs read their password from a libpq password file, so that no command line or environment holds it. They also
require that the server proves to know the password (`ONLY_BY_SCRAM`), so that another program on the port learns
nothing.
"""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from sirena.host.accounts import OsAccount, PreparationError
from sirena.host.handing_over import own_whole
from sirena.host.secret_files import generated_secret, write_private
from sirena.server.parts.part import CommandHealth, Part, program, require_version, version_of
from sirena.server.parts.part_accounts import PartAccounts
from sirena.settings.catalogue import Settings

DATABASES: Final = {"mlflow": "mlflow", "sirena": "sirena_owner"}
"""The owner role of each database; services use a role named like the database.

The services' role does not own the tables, or it could remove the triggers that protect the ledger.
"""
WRITER: Final = "sirena"
"""Role of the services in Sirena's own database."""
OLDEST: Final = (12,)
"""Oldest version of PostgreSQL that has the commands and SQL in use here."""
READER: Final = "sirena_reader"
"""Role of the service and the pages, which may read the ledger and nothing else."""
ONLY_BY_SCRAM: Final = {"PGREQUIREAUTH": "scram-sha-256"}
"""Environment in which libpq (since 16) sends no server its password."""
SUPERUSER: Final = "postgres"
Connection = psycopg.Connection[TupleRow]
DEBIANS: Final = Path("/usr/lib/postgresql")
"""Folder in which Debian keeps the programs of each major version, outside of PATH."""
_ANSWER_SECONDS: Final = 60.0
"""Longest time for a running PostgreSQL to answer; after a power cut it reads its log first."""
_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True)
class PostgreSql:
    """Sirena's own PostgreSQL cluster."""

    settings: Settings
    owner: OsAccount
    """Operating-system account of the daemon; never root."""
    accounts: PartAccounts
    """Operating-system accounts of the programs that log in."""

    @property
    def data(self) -> Path:
        """Data folder of the cluster."""
        return self.settings.home / "postgresql" / "data"

    @property
    def password_file(self) -> Path:
        """Libpq password file of the services' role in Sirena's own database, for `PGPASSFILE`."""
        return self.settings.password_file

    @property
    def mlflow_password_file(self) -> Path:
        """Libpq password file of MLflow's role."""
        return self.settings.home / "secrets" / "pgpass_mlflow"

    @property
    def reader_password_file(self) -> Path:
        """Libpq password file of the role that may read the ledger, for the service."""
        return self.settings.home / "secrets" / "pgpass_reader"

    @property
    def pages_password_file(self) -> Path:
        """Libpq password file of the same role, for the pages."""
        return self.settings.home / "secrets" / "pgpass_pages"

    def uri(self, database: str) -> str:
        """Return a database's SQLAlchemy URI for MLflow: with its database driver, without password (`PGPASSFILE`)."""
        return f"postgresql+psycopg2://{database}@127.0.0.1:{self.settings.postgres_port}/{database}"

    @property
    def owner_password_file(self) -> Path:
        """Libpq password file of the tables' owner; no service can read it."""
        return self.settings.home / "secrets" / "pgpass_owner"

    def owner_url(self) -> str:
        """Return the URL of Sirena's own database as its owner, for `sirena up` and `sirena upgrade`."""
        port = self.settings.postgres_port
        return f"postgresql://sirena_owner@127.0.0.1:{port}/sirena?passfile={quote(str(self.owner_password_file))}"

    def reader_url(self, password_file: Path) -> str:
        """Return the URL of Sirena's own database as the role that reads the ledger, with a password file."""
        port = self.settings.postgres_port
        return f"postgresql://{READER}@127.0.0.1:{port}/sirena?passfile={quote(str(password_file))}"

    def part(self) -> Part:
        """Return the daemon as a part."""
        port = self.settings.postgres_port
        return Part(
            "postgresql",
            (self._program("postgres"), *self._options()),
            self.owner,
            CommandHealth((self._program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port))),
            version_of([self._program("postgres"), "--version"]),
            port=port,
            # the fast shutdown: roll back what is under way, write a checkpoint, end
            stop_signal=signal.SIGINT,
        )

    def prepare(self, prepare_tables: Callable[[str], None]) -> None:
        """Make cluster, roles and databases at the first start, and have the tables made or checked at every start.

        Call it before the other programs start; they neither make nor change tables.

        Args:
            prepare_tables: called with the URL of Sirena's own database as its owner; makes tables if there are none,
                and raises an error if they are of another release of Sirena.

        Raises:
            PreparationError: PostgreSQL is missing, too old, or refuses.
        """
        require_version("PostgreSQL", version_of([self._program("postgres"), "--version"]), OLDEST)
        if not self._preparation_mark.exists():
            self._make_cluster()
        self._hand_over()
        with self.answering():
            if not self._preparation_mark.exists():
                self._make_roles_and_databases()
            prepare_tables(self.owner_url())
            self._see_to_reader()
        self._preparation_mark.touch()

    def end_interrupted(self) -> None:
        """Stop a PostgreSQL server that a killed `up` left running; call it only while no part is to run."""
        if self._running_port() is not None:
            self.owner.run([*self._control(), "-m", "fast", "stop"])

    @property
    def moves(self) -> bool:
        """True if the cluster runs on another port than `SIRENA_POSTGRES_PORT` now names."""
        return self._running_port() not in (None, self.settings.postgres_port)

    def _running_port(self) -> int | None:
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            # after a power cut the file is left, and its number may be another program's
            command = " ".join(psutil.Process(int(lines[0])).cmdline())
            return int(lines[3]) if str(self.data) in command else None
        except (OSError, IndexError, ValueError, psutil.Error):
            return None

    @property
    def _superuser_password(self) -> Path:
        return self.settings.home / "secrets" / "postgresql_superuser"

    @property
    def _preparation_mark(self) -> Path:
        return self.settings.home / "postgresql" / "prepared"

    def _program(self, name: str) -> str:
        """Return a program of the version that made the cluster; a newer version cannot open its files."""
        return postgresql_program(name, major_of_cluster(self.settings))

    def _control(self) -> list[str]:
        return [self._program("pg_ctl"), "-D", str(self.data), "-w", "-t", "60"]

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Keep the cluster running for a ``with`` block: wait if it is starting, or start it and stop it afterwards."""
        if self._answers_soon():
            yield
            return
        control = self._control()
        log = self.data.parent / "first_start.log"
        options = " ".join(f"'{word}'" if word.endswith("=") else word for word in self._options()[2:])
        self.owner.run([*control, "-l", str(log), "-o", options, "start"])
        try:
            yield
        finally:
            self.owner.run([*control, "-m", "fast", "stop"])

    def connect(self, database: str = "postgres", *, autocommit: bool = False) -> Connection:
        """Return a connection as the superuser, whose password only the account of `sirena up` can read.

        Args:
            database: name of the database to connect to.
            autocommit: True to commit each statement separately, as making and dropping databases requires.

        Raises:
            psycopg.Error: the cluster does not answer, or refuses.
            OSError: this account cannot read the password.
        """
        return psycopg.connect(
            host="127.0.0.1",
            port=self.settings.postgres_port,
            user=SUPERUSER,
            password=self._superuser_password.read_text(encoding="utf-8").strip(),
            dbname=database,
            connect_timeout=10,
            require_auth="scram-sha-256",
            autocommit=autocommit,
        )

    def _answers_soon(self) -> bool:
        """Tell whether the cluster answers; while its process runs, wait for that up to a minute."""
        health = self.part().health
        deadline = time.monotonic() + _ANSWER_SECONDS
        while not health.is_well():
            if self._running_port() is None or time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _make_cluster(self) -> None:
        generated_secret(self._superuser_password, self.owner)
        self.owner.own_folder(self.data.parent)
        if not self.data.exists():
            # made beside and renamed: what an interrupted initdb leaves looks like a cluster and is none
            beside = self.data.with_name("data.new")
            shutil.rmtree(beside, ignore_errors=True)
            self.owner.run(
                [postgresql_program("initdb"), "-D", str(beside), "-A", "scram-sha-256", "-U", SUPERUSER, "-E", "UTF8",
                 "--locale=C.UTF-8", "--data-checksums", f"--pwfile={self._superuser_password}"]
            )  # fmt: skip
            beside.rename(self.data)

    def _make_roles_and_databases(self) -> None:
        secrets_folder, own = self.settings.home / "secrets", OsAccount.of_this_process()
        roles = {name: generated_secret(secrets_folder / f"postgresql_{name}", own) for name in DATABASES}
        owner = generated_secret(secrets_folder / "postgresql_sirena_owner", own)
        # databases are made in no transaction
        with self.connect(autocommit=True) as connection:
            for name, password in {**roles, "sirena_owner": owner}.items():
                _make_role(connection, name, password)
            for name, owner_name in DATABASES.items():
                _make_database(connection, name, owner_name)
        with self.connect("sirena") as connection:
            _limit_schema(connection)
        self._write_password_files()
        line = f"127.0.0.1:*:sirena:sirena_owner:{owner}\n"
        write_private(self.owner_password_file, line, own)

    def _see_to_reader(self) -> None:
        """Make the role that reads the ledger, and let it read the ledger's table if there is one."""
        password = generated_secret(
            self.settings.home / "secrets" / f"postgresql_{READER}", OsAccount.of_this_process()
        )
        with self.connect("sirena") as connection:
            _make_role(connection, READER, password)
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE sirena TO {}").format(sql.Identifier(READER)))
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(READER)))
            for table in ("ledger_entries", "ledger_revision"):
                if connection.execute("SELECT to_regclass(%s)", [table]).fetchone() != (None,):
                    names = sql.Identifier(table), sql.Identifier(READER)
                    connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(*names))

    def _hand_over(self) -> None:
        """Give the data to the account that runs PostgreSQL now, and each program the password of its own role."""
        generated_secret(self.settings.home / "secrets" / f"postgresql_{READER}", OsAccount.of_this_process())
        own_whole(self.owner, self.data.parent)
        if self._preparation_mark.exists():
            self._write_password_files()

    def _write_password_files(self) -> None:
        secrets_folder, own = self.settings.home / "secrets", OsAccount.of_this_process()
        for role, database, file, reader in (
            ("mlflow", "mlflow", self.mlflow_password_file, self.accounts.mlflow),
            (WRITER, "sirena", self.password_file, self.accounts.access),
            (READER, "sirena", self.reader_password_file, self.accounts.service),
            (READER, "sirena", self.pages_password_file, self.accounts.pages),
        ):
            secret = secrets_folder / f"postgresql_{role}"
            os.chown(secret, own.uid, own.gid)
            line = f"127.0.0.1:*:{database}:{role}:{secret.read_text(encoding='utf-8')}\n"
            write_private(file, line, reader)

    def _options(self) -> tuple[str, ...]:
        # no Unix socket: its path may be too long below a deep SIRENA_HOME, and one way in is enough
        return (
            "-D", str(self.data), "-p", str(self.settings.postgres_port),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "password_encryption=scram-sha-256", "-c", "logging_collector=off",
        )  # fmt: skip


def _make_role(connection: Connection, name: str, password: str) -> None:
    row = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}" if row else "CREATE ROLE {} LOGIN PASSWORD {}")
    connection.execute(verb.format(sql.Identifier(name), sql.Literal(password)))


def _limit_schema(connection: Connection) -> None:
    """Allow only the owner role to make and change tables."""
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC, sirena")
    connection.execute("GRANT USAGE ON SCHEMA public TO sirena")
    connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO sirena_owner")


def _make_database(connection: Connection, name: str, owner: str) -> None:
    database = sql.Identifier(name)
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(owner)))
    connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(name)))


def postgresql_program(name: str, major: str = "") -> str:
    """Return the path of one of PostgreSQL's programs.

    Args:
        name: name of the program.
        major: major version that made the databases, which no other version can open; empty for the newest installed
            version.

    Raises:
        PreparationError: the program is not installed.
    """
    numbers = sorted((int(path.name) for path in DEBIANS.glob("*") if path.name.isdigit()), reverse=True)
    if not major or not numbers:
        return program(name, "postgresql", *(str(DEBIANS / str(number) / "bin") for number in numbers))
    program_path = DEBIANS / major / "bin" / name
    if not program_path.exists():
        raise PreparationError(
            f"the databases were made by PostgreSQL {major}, which is not installed any more",
            hint=f"`apt-get install postgresql-{major}`; or restore a backup into a fresh SIRENA_HOME, where "
            f"PostgreSQL {numbers[0]} makes new ones",
        )
    return str(program_path)


def major_of_cluster(settings: Settings) -> str:
    """Return the major version of PostgreSQL that made the databases; empty if this account finds no databases."""
    try:
        return (settings.home / "postgresql" / "data" / "PG_VERSION").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
