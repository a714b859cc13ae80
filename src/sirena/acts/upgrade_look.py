"""What an upgrade would change: the revision of each database, and the revision that this program needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sirena import __version__
from sirena.access.store import ACCESS_SCHEMA, store_standing
from sirena.acts.stack_choice import noted_release
from sirena.acts.tables import accounts_url, as_owner
from sirena.database.mlflow_database import MlflowDatabase, installed_revision
from sirena.database.schema import Schema, SchemaStanding, SchemaState, require_usable
from sirena.domain.errors import UsageError
from sirena.host.accounts import OsAccount
from sirena.ledger.schema import LEDGER_SCHEMA
from sirena.ledger.store import open_as_owner
from sirena.server.production_stack import ProductionStack
from sirena.server.stack import Stack
from sirena.settings.catalogue import Settings


@dataclass(frozen=True)
class UpgradeFinding:
    """One database, or Sirena itself, with the revision found and the revision that this program needs."""

    subject: str
    revision: str
    """Current revision; empty if the database has no tables yet."""
    needed_revision: str

    @property
    def is_due(self) -> bool:
        """True when an upgrade would change the database."""
        return self.revision not in ("", self.needed_revision)

    def __str__(self) -> str:
        return f"{self.subject} {self.revision} to {self.needed_revision}"


@contextmanager
def entered(stack: Stack) -> Iterator[Settings]:
    """Keep the databases running during a ``with`` block; yield settings that connect as owner of Sirena's tables.

    Raises:
        UsageError: no stack was ever started here.
    """
    settings = stack.settings
    if not isinstance(stack, ProductionStack):
        yield settings
        return
    if not settings.holds_production_stack:
        raise UsageError(f"{settings.home} holds no stack to upgrade", hint="`sirena up` makes one of this release")
    database = stack.database()
    with database.answering():
        yield as_owner(settings, database.owner_url())


def look(stack: Stack) -> list[UpgradeFinding]:
    """Return the revision of each database, and the revision that this program needs.

    Raises:
        SchemaUnknownError: tables are of a later release of Sirena.
        SirenaError: a database does not answer.
    """
    with entered(stack) as settings:
        findings = [
            UpgradeFinding(schema.name, tables.revision, schema.head) for schema, tables in _standings(settings).items()
        ]
        mlflow = mlflow_database(stack)
        if mlflow is not None:
            findings.append(UpgradeFinding("MLflow", mlflow.revision(), installed_revision()))
    return [UpgradeFinding("Sirena", noted_release(stack) or __version__, __version__), *findings]


def mlflow_database(stack: Stack) -> MlflowDatabase | None:
    """Return MLflow's database on this machine; None if MLflow runs on another server."""
    settings = stack.settings
    if isinstance(stack, ProductionStack):
        database = stack.database()
        uri = f"{database.uri('mlflow')}?passfile={quote(str(database.mlflow_password_file))}"
        return MlflowDatabase(uri, database.accounts.mlflow)
    if settings.tracking_uri:
        return None
    return MlflowDatabase(f"sqlite:///{settings.home / 'mlflow.db'}", OsAccount.of_this_process())


def own_files(settings: Settings) -> list[Path]:
    """Return the existing SQLite files of the embedded profile."""
    files = [settings.home / "mlflow.db"]
    if not settings.database_url.get_secret_value():
        files += [settings.home / "sirena.db", settings.home / "ledger" / "ledger.db"]
    return [file for file in files if file.is_file()]


def _standings(settings: Settings) -> dict[Schema, SchemaStanding]:
    ledger = open_as_owner(settings)
    files = set(own_files(settings))
    outside = accounts_url(settings) != f"sqlite:///{settings.home / 'sirena.db'}"
    standings: dict[Schema, SchemaStanding] = {}
    if outside or settings.home / "sirena.db" in files:
        standings[ACCESS_SCHEMA] = store_standing(accounts_url(settings))
    if outside or settings.home / "ledger" / "ledger.db" in files:
        standings[LEDGER_SCHEMA] = ledger.standing()
    ledger.close()
    for schema in (ACCESS_SCHEMA, LEDGER_SCHEMA):
        if schema in standings and standings[schema].state is SchemaState.UNKNOWN:
            require_usable(standings[schema], schema, ledger.store)
    return standings
