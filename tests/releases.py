"""Databases as released Sirenas left them, put back from the SQL that `assets/release_*/make.py` wrote."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

from tests.postgresql import Cluster

RELEASE_0_1_0 = Path(__file__).parent / "assets" / "release_0_1_0"
PASSWORD = "cuatro palabras sin sentido"
"""Of `marta`, who is scientist and viewer."""
MADE = 1_795_000_000.0
"""When accounts and tokens were made, in seconds since 1970."""
SQLITE_TOKEN, POSTGRESQL_TOKEN = (RELEASE_0_1_0 / "tokens.txt").read_text(encoding="utf-8").split()
"""Tokens of `robot`, who is clinician."""


def sqlite_home(home: Path) -> None:
    """Make the SQLite files of an embedded 0.1.0 below a `SIRENA_HOME`."""
    for name, file in {"accounts": home / "sirena.db", "ledger": home / "ledger" / "ledger.db"}.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript((RELEASE_0_1_0 / f"{name}.sql").read_text(encoding="utf-8"))


def make_roles(cluster: Cluster) -> None:
    """Make the roles of the production stack."""
    cluster.execute("CREATE ROLE sirena LOGIN PASSWORD 'works'", "CREATE ROLE sirena_owner LOGIN PASSWORD 'owns'")


def postgresql_database(cluster: Cluster, name: str, *, filled: bool) -> None:
    """Make a database of 0.1.0, or an empty one such as `sirena up` makes."""
    cluster.execute(f"CREATE DATABASE {name} OWNER sirena_owner")
    cluster.execute(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "GRANT ALL ON SCHEMA public TO sirena_owner", database=name
    )
    if filled:
        with psycopg.connect(cluster.url(name)) as connection:
            connection.execute((RELEASE_0_1_0 / "postgresql.sql").read_bytes())
