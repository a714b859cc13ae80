"""Databases of accounts and of the ledger with some content, made by the program itself."""

from contextlib import closing
from pathlib import Path

from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.store import open_store
from sirena.access.tokens import Tokens
from sirena.acts.tables import bring_to_head, writer_of
from sirena.database.schema import Schema
from sirena.ledger.catalogue import Login
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import Settings
from tests.postgresql import Cluster

PASSWORD = "cuatro palabras sin sentido"
"""Of `marta`, who is scientist and viewer."""


def fill(settings: Settings) -> str:
    """Make the tables, the accounts `marta` and `robot` and two events in the ledger; return a token of `robot`."""
    bring_to_head(settings, writer_of(settings))
    engine = open_store(settings.effective_database_url)
    accounts = Accounts(engine)
    accounts.add("marta", frozenset({Role.SCIENTIST, Role.VIEWER}), PASSWORD)
    accounts.add("robot", frozenset({Role.CLINICIAN}), None)
    secret = Tokens(engine).create("robot")[1]
    engine.dispose()
    with closing(open_ledger(settings)) as ledger:
        ledger.append(*(Login(who=name, origin="127.0.0.1", method="basic") for name in ("marta", "robot")))
    return secret


def copy_revisions(schema: Schema, folder: Path, change: str) -> Path:
    """Copy a schema's revisions into a folder, add one as of a later Sirena, and return the folder."""
    number = f"{int(schema.head) + 1:04}"
    for path in schema.revisions.glob("revision_*.py"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / f"revision_{number}.py").write_text(
        "import os\nimport sqlalchemy as sa\nfrom alembic import op\n"
        f'revision = "{number}"\ndown_revision = "{schema.head}"\n\n\ndef upgrade() -> None:\n    {change}\n'
    )
    return folder


def make_roles(cluster: Cluster) -> None:
    """Make the database roles of the production stack."""
    cluster.execute("CREATE ROLE sirena LOGIN PASSWORD 'works'", "CREATE ROLE sirena_owner LOGIN PASSWORD 'owns'")


def empty_database(cluster: Cluster, name: str) -> None:
    """Make an empty database as `sirena up` makes it."""
    cluster.execute(f"CREATE DATABASE {name} OWNER sirena_owner")
    cluster.execute(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "GRANT ALL ON SCHEMA public TO sirena_owner", database=name
    )
