"""Make the databases that Sirena 0.1.0 left behind, with its own code.

Run in a checkout, with the package of the tag and the tests of today:

    git archive v0.1.0 src | tar -x -C /tmp/release
    PYTHONPATH=/tmp/release/src:. .venv/bin/python tests/assets/release_0_1_0/make.py

It writes `accounts.sql` and `ledger.sql` (SQLite), `postgresql.sql` and `tokens.txt` (one token of each) beside itself.
All names are invented.
"""

import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from tests.postgresql import Cluster, private_cluster

import sirena
from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.store import open_store
from sirena.access.tokens import Tokens
from sirena.ledger.catalogue import AccountCreated, Login, TokenCreated
from sirena.ledger.store import open_as_owner, open_ledger
from sirena.settings.catalogue import Settings

HERE = Path(__file__).parent
PASSWORD = "cuatro palabras sin sentido"
MADE = 1_795_000_000.0
"""When, in seconds since 1970: November 2026."""


def fill(accounts_url: str, settings: Settings) -> str:
    """Put accounts, a token and entries in; return the token."""
    engine = open_store(accounts_url)
    accounts = Accounts(engine, clock=lambda: MADE)
    accounts.add("marta", frozenset({Role.SCIENTIST, Role.VIEWER}), PASSWORD)
    accounts.add("robot", frozenset({Role.CLINICIAN}), None)
    token, secret = Tokens(engine, clock=lambda: MADE).create("robot")
    ledger = open_ledger(settings)
    common: dict[str, Any] = {"who": "operadora", "origin": "cli operadora@servidor"}
    ledger.append(
        AccountCreated(**common, account="marta", role="scientist,viewer"),
        AccountCreated(**common, account="robot", role="clinician"),
        TokenCreated(**common, token=token.id, owner="robot"),
        Login(who="marta", origin="127.0.0.1", method="basic"),
    )
    ledger.close()
    engine.dispose()
    return secret


def dump(file: Path) -> str:
    """Return a SQLite file as SQL."""
    with closing(sqlite3.connect(file)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def postgresql(cluster: Cluster, home: Path) -> Iterator[str]:
    """Yield the token and then the PostgreSQL database as SQL, made as `sirena up` of 0.1.0 made it."""
    cluster.execute(
        "CREATE ROLE sirena LOGIN PASSWORD 'works'",
        "CREATE ROLE sirena_owner LOGIN PASSWORD 'owns'",
        "CREATE DATABASE sirena OWNER sirena_owner",
    )
    cluster.execute("GRANT CREATE, USAGE ON SCHEMA public TO sirena, sirena_owner", database="sirena")
    settings = Settings(
        home=home,
        database_url=SecretStr(cluster.url("sirena", "sirena", "works")),
        database_owner_url=SecretStr(cluster.url("sirena", "sirena_owner", "owns")),
    )
    open_as_owner(settings).create("sirena")
    yield fill(settings.database_url.get_secret_value(), settings)
    command = ["pg_dump", "--inserts", f"--dbname={cluster.url('sirena')}"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    yield "".join(f"{line}\n" for line in found.splitlines() if not line.startswith(("--", "\\")) and line)


def main() -> None:
    """Write the files."""
    assert sirena.__version__ == "0.1.0", "run it with the package of the tag v0.1.0"
    tokens = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        tokens.append(fill(f"sqlite:///{home / 'sirena.db'}", Settings(home=home)))
        (HERE / "accounts.sql").write_text(dump(home / "sirena.db"), encoding="utf-8")
        (HERE / "ledger.sql").write_text(dump(home / "ledger" / "ledger.db"), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, private_cluster() as cluster:
        token, text = postgresql(cluster, Path(folder))
        tokens.append(token)
        (HERE / "postgresql.sql").write_text(text, encoding="utf-8")
    (HERE / "tokens.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
