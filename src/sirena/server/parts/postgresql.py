"""PostgreSQL: a private cluster on loopback, passwords by SCRAM, accounts of its own for each user of it.

Programs find the password in a libpq password file, so it stands on no command line and in no environment. They let
the server prove that it knows it too (`ONLY_BY_SCRAM`): whoever took its port meanwhile learns nothing.
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
"""Each database with the role that owns it; a role of the database's own name works in it.

The role that works under Sirena does not own the tables, or it could lift the triggers that keep the ledger whole.
"""
WRITER: Final = "sirena"
"""The role that works in our database."""
OLDEST: Final = (12,)
"""The oldest PostgreSQL whose commands and SQL we use."""
READER: Final = "sirena_reader"
"""The role that may read the ledger and nothing else: what answers does so by what is on record."""
ONLY_BY_SCRAM: Final = {"PGREQUIREAUTH": "scram-sha-256"}
"""Environment in which libpq, since 16, tells no server its password."""
SUPERUSER: Final = "postgres"
Connection = psycopg.Connection[TupleRow]
DEBIANS: Final = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of each major version, which do not stand in PATH."""
_ANSWER_SECONDS: Final = 60.0
"""How long one that runs may take to answer: after a power cut it reads its log first."""
_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True)
class PostgreSql:
    """Sirena's own cluster."""

    settings: Settings
    owner: OsAccount
    """Account of the daemon; never root."""
    accounts: PartAccounts
    """Accounts of the programs that log in."""

    @property
    def data(self) -> Path:
        """Data folder."""
        return self.settings.home / "postgresql" / "data"

    @property
    def password_file(self) -> Path:
        """Libpq password file of the role that works in our database, for `PGPASSFILE`."""
        return self.settings.password_file

    @property
    def mlflow_password_file(self) -> Path:
        """Libpq password file of MLflow's role."""
        return self.settings.home / "secrets" / "pgpass_mlflow"

    @property
    def reader_password_file(self) -> Path:
        """Libpq password file of the role that may read the ledger."""
        return self.settings.home / "secrets" / "pgpass_reader"

    @property
    def pages_password_file(self) -> Path:
        """The same for the pages, which log in as that role too."""
        return self.settings.home / "secrets" / "pgpass_pages"

    def uri(self, database: str) -> str:
        """SQLAlchemy URI for MLflow, by the driver it works with, without password; `PGPASSFILE` holds it."""
        return f"postgresql+psycopg2://{database}@127.0.0.1:{self.settings.postgres_port}/{database}"

    @property
    def owner_password_file(self) -> Path:
        """Libpq password file of the tables' owner; no service can read it."""
        return self.settings.home / "secrets" / "pgpass_owner"

    def owner_url(self) -> str:
        """URL of our database as its owner, for `sirena up` and `sirena upgrade` to make and change tables."""
        port = self.settings.postgres_port
        return f"postgresql://sirena_owner@127.0.0.1:{port}/sirena?passfile={quote(str(self.owner_password_file))}"

    def reader_url(self, password_file: Path) -> str:
        """URL of our database as the role that may read the ledger alone, for whoever may read the password's file."""
        port = self.settings.postgres_port
        return f"postgresql://{READER}@127.0.0.1:{port}/sirena?passfile={quote(str(password_file))}"

    def part(self) -> Part:
        """Describe the daemon."""
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

    def prepare(self, see_to_tables: Callable[[str], None]) -> None:
        """Make cluster, roles and databases at the first start; at every start see to the tables.

        The tables come before the programs that use them, which never make nor change any.

        Args:
            see_to_tables: is given the address of our database as its owner; makes tables where there are none, and
                raises where they are another Sirena's.

        Raises:
            PreparationError: PostgreSQL is missing, too old, or refuses.
        """
        require_version("PostgreSQL", version_of([self._program("postgres"), "--version"]), OLDEST)
        if not self._done.exists():
            self._make_cluster()
        self._hand_over()
        with self.answering():
            if not self._done.exists():
                self._make_roles_and_databases()
            see_to_tables(self.owner_url())
            self._see_to_reader()
        self._done.touch()

    def end_interrupted(self) -> None:
        """End what a killed `up` may have left running, so that it keeps no port; only while no part is to run."""
        if self._running_port() is not None:
            self.owner.run([*self._control(), "-m", "fast", "stop"])

    @property
    def moves(self) -> bool:
        """True when the cluster runs on another port than `SIRENA_POSTGRES_PORT` says now."""
        return self._running_port() not in (None, self.settings.postgres_port)

    def _running_port(self) -> int | None:
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            # after a power cut the file is left, and its number may be another program's
            command = Path(f"/proc/{int(lines[0])}/cmdline").read_text(encoding="utf-8")
            return int(lines[3]) if str(self.data) in command else None
        except (OSError, IndexError, ValueError):
            return None

    @property
    def _superuser_password(self) -> Path:
        return self.settings.home / "secrets" / "postgresql_superuser"

    @property
    def _done(self) -> Path:
        return self.settings.home / "postgresql" / "prepared"

    def _program(self, name: str) -> str:
        """Return a program of the version that made the cluster: a newer one beside it cannot open its files."""
        return postgresql_program(name, major_of_cluster(self.settings))

    def _control(self) -> list[str]:
        return [self._program("pg_ctl"), "-D", str(self.data), "-w", "-t", "60"]

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Have the cluster answer: as it does already or is about to, or started for as long as the block runs."""
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
        """Connect as the superuser, whose password only the account of `sirena up` can read.

        Args:
            database: which one.
            autocommit: each statement for itself; making and dropping databases needs it.

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
        """Tell whether it answers; while it runs, wait until it does: one look at a busy machine does not tell."""
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
        """Make the role that reads the ledger, and give it its right where the ledger has its table."""
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
        """Give the data to the account that runs PostgreSQL now, and each program its own role's password alone."""
        generated_secret(self.settings.home / "secrets" / f"postgresql_{READER}", OsAccount.of_this_process())
        own_whole(self.owner, self.data.parent)
        if self._done.exists():
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
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}" if known else "CREATE ROLE {} LOGIN PASSWORD {}")
    connection.execute(verb.format(sql.Identifier(name), sql.Literal(password)))


def _limit_schema(connection: Connection) -> None:
    """Let the owner alone make and change tables."""
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
        name: of the program.
        major: version that made the databases, which no other can open; empty for the newest that is installed.

    Raises:
        PreparationError: it is not installed.
    """
    numbers = sorted((int(path.name) for path in DEBIANS.glob("*") if path.name.isdigit()), reverse=True)
    if not major or not numbers:
        return program(name, "postgresql", *(str(DEBIANS / str(number) / "bin") for number in numbers))
    found = DEBIANS / major / "bin" / name
    if not found.exists():
        raise PreparationError(
            f"the databases were made by PostgreSQL {major}, which is not installed any more",
            hint=f"`apt-get install postgresql-{major}`; or restore a backup into a fresh SIRENA_HOME, where "
            f"PostgreSQL {numbers[0]} makes new ones",
        )
    return str(found)


def major_of_cluster(settings: Settings) -> str:
    """Return the major version of PostgreSQL that made the databases; empty where there are none one may look into."""
    try:
        return (settings.home / "postgresql" / "data" / "PG_VERSION").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
