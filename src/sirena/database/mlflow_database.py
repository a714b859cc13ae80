"""MLflow's own database: the revision of its tables, and upgrading them by MLflow's own command.

In PostgreSQL MLflow changes its tables in one transaction. In SQLite it does not, so a copy is upgraded and put in the
file's place: the file has no separate write-ahead log, and no process has it open while the stack is stopped.
"""

import contextlib
import sqlite3
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sqlalchemy import NullPool, text
from sqlalchemy.exc import SQLAlchemyError

from sirena.database.engine import engine_at
from sirena.host.accounts import OsAccount, PreparationError

_TABLE: Final = "alembic_version"
_SECONDS: Final = 6 * 3600.0
"""Longest time for an upgrade: some revisions rewrite every row of every metric."""
_QUIET: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class MlflowDatabase:
    """The database of the MLflow server that Sirena runs."""

    uri: str
    """SQLAlchemy URI, which may name a password file but holds no password."""
    account: OsAccount
    """Operating-system account that runs MLflow."""

    def revision(self) -> str:
        """Return the revision of the tables; empty if there are none yet.

        Raises:
            PreparationError: the database does not answer.
        """
        file = self.file
        if file is not None and not file.exists():
            return ""
        engine = engine_at(self.uri, poolclass=NullPool)
        try:
            with engine.connect() as connection:
                if not connection.dialect.has_table(connection, _TABLE):
                    return ""
                return str(connection.scalar(text(f"SELECT version_num FROM {_TABLE}")) or "")  # noqa: S608
        except SQLAlchemyError as error:
            kind = type(getattr(error, "orig", None) or error).__name__
            raise PreparationError(
                f"MLflow's database does not answer ({kind})", hint="`sirena logs postgresql`"
            ) from error

    def upgrade(self) -> None:
        """Bring the tables to the installed MLflow's revision; repeating it changes nothing.

        Raises:
            PreparationError: MLflow's command failed; the tables are unchanged.
        """
        file = self.file
        if file is None:
            self._run(self.uri)
            return
        copy = file.with_name("mlflow.upgrading.db")
        copy.unlink(missing_ok=True)
        try:
            copy_sqlite(file, copy)
            self._run(f"sqlite:///{copy}")
            copy.chmod(file.stat().st_mode)
            copy.replace(file)
        finally:
            copy.unlink(missing_ok=True)

    @property
    def file(self) -> Path | None:
        """The SQLite file, or None for PostgreSQL."""
        return Path(self.uri.removeprefix("sqlite:///")) if self.uri.startswith("sqlite:///") else None

    def _run(self, uri: str) -> None:
        command = [sys.executable, "-m", "mlflow", "db", "upgrade", uri]
        self.account.run(command, environment=_QUIET, seconds=_SECONDS)


def installed_revision() -> str:
    """Return the revision that the installed MLflow needs, without importing MLflow."""
    from alembic.script import ScriptDirectory

    package = find_spec("mlflow")
    assert package is not None
    assert package.submodule_search_locations is not None
    folder = Path(package.submodule_search_locations[0]) / "store" / "db_migrations"
    return str(ScriptDirectory(str(folder)).get_current_head())


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy one consistent state of a SQLite database, even while others write to it; the target is replaced."""
    with (
        contextlib.closing(sqlite3.connect(source)) as from_file,
        contextlib.closing(sqlite3.connect(target)) as to_file,
    ):
        from_file.backup(to_file)
