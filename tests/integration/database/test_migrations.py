"""Tables of accounts and ledger: made, recognised, changed, refused, on both databases."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url

from sirena.access import store as access_store
from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.passwords import verify_password
from sirena.access.store import ACCESS_SCHEMA, StoreError, open_store, prepare_store, store_standing
from sirena.access.tokens import Tokens
from sirena.acts.tables import bring_to_head
from sirena.acts.tables import writer_of as writer
from sirena.database.schema import FIRST, Schema, SchemaOutdatedError, SchemaState, SchemaUnknownError
from sirena.ledger.catalogue import Login
from sirena.ledger.schema import LEDGER_SCHEMA
from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.settings.catalogue import Settings
from tests.postgresql import Cluster, private_cluster
from tests.releases import (
    MADE,
    PASSWORD,
    POSTGRESQL_TOKEN,
    SQLITE_TOKEN,
    make_roles,
    postgresql_database,
    sqlite_home,
)

SCHEMAS = pytest.mark.parametrize("schema", [ACCESS_SCHEMA, LEDGER_SCHEMA], ids=lambda schema: schema.landmark)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL cluster with the roles of production."""
    with private_cluster() as running:
        make_roles(running)
        yield running


Place = Callable[[bool], Settings]
"""Gives settings of a database: True for one of 0.1.0, False for an empty one."""


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Both kinds of database in turn."""
    if request.param == "sqlite":

        def embedded(filled: bool) -> Settings:
            if filled:
                sqlite_home(tmp_path)
            return Settings(home=tmp_path)

        return embedded
    cluster: Cluster = request.getfixturevalue("cluster")

    def production(filled: bool) -> Settings:
        name = f"d{uuid4().hex[:8]}"
        postgresql_database(cluster, name, filled=filled)
        if filled:
            cluster.execute("REASSIGN OWNED BY sirena TO sirena_owner", database=name)
        return Settings(
            home=tmp_path,
            database_url=SecretStr(cluster.url(name, "sirena", "works")),
            database_owner_url=SecretStr(cluster.url(name, "sirena_owner", "owns")),
        )

    return production


def owner_url(settings: Settings) -> str:
    """Address under which tables are changed."""
    return settings.database_owner_url.get_secret_value() or settings.effective_database_url


def longer(schema: Schema, folder: Path, change: str) -> Schema:
    """Return a schema with one more revision."""
    number = f"{int(schema.head) + 1:04}"
    for path in schema.revisions.glob("revision_*.py"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / f"revision_{number}.py").write_text(
        "import os\nimport sqlalchemy as sa\nfrom alembic import op\n"
        f'revision = "{number}"\ndown_revision = "{schema.head}"\n\n\ndef upgrade() -> None:\n    {change}\n'
    )
    return replace(schema, revisions=folder)


ADD_COLUMN = """with op.batch_alter_table("access_accounts") as table:
        table.add_column(sa.Column("subject", sa.String(64)))"""


@SCHEMAS
def test_revisions_are_one_line_of_numbers(schema: Schema) -> None:
    """Each file is named after its revision and continues the one before; no Alembic is needed to know the last."""
    before = None
    for number in schema.known:
        text = (schema.revisions / f"revision_{number}.py").read_text(encoding="utf-8")
        assert f'revision = "{number}"' in text
        assert ("down_revision = None" if before is None else f'down_revision = "{before}"') in text
        before = number
    assert schema.known[0] == FIRST


@pytest.mark.parametrize("filled", [False, True], ids=["fresh", "from 0.1.0"])
def test_after_the_last_revision_a_database_has_the_tables_of_the_program(place: Place, filled: bool) -> None:
    """No drift between revisions and program, by Alembic's own comparison, however the database began."""
    settings = place(filled)
    bring_to_head(settings, writer(settings))
    databases = {ACCESS_SCHEMA: owner_url(settings), LEDGER_SCHEMA: owner_url(settings)}
    if not settings.database_url.get_secret_value():
        databases[LEDGER_SCHEMA] = f"sqlite:///{settings.home / 'ledger' / 'ledger.db'}"
    for schema, url in databases.items():
        names = set(schema.metadata.tables)
        engine = create_engine(make_url(url.replace("postgresql:", "postgresql+psycopg:")))
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    "include_name": lambda name, kind, _, names=names: kind != "table" or name in names,
                },
            )
            assert compare_metadata(context, schema.metadata) == []
        engine.dispose()


def test_first_revision_is_0_1_0_in_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Table by table, index by index, trigger by trigger, as text."""
    sqlite_home(tmp_path / "old")
    monkeypatch.setattr(access_store, "ACCESS_SCHEMA", first_only(ACCESS_SCHEMA, tmp_path))
    monkeypatch.setattr("sirena.ledger.store.LEDGER_SCHEMA", first_only(LEDGER_SCHEMA, tmp_path))
    bring_to_head(Settings(home=tmp_path / "new"), "")
    for name in ("sirena.db", "ledger/ledger.db"):
        assert sqlite_objects(tmp_path / "old" / name) == sqlite_objects(tmp_path / "new" / name)


def test_first_revision_is_0_1_0_in_postgresql(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By PostgreSQL's own dump; owner and rights of the accounts' tables apart, which go to the owner role."""
    postgresql_database(cluster, "old", filled=True)
    postgresql_database(cluster, "new", filled=False)
    monkeypatch.setattr(access_store, "ACCESS_SCHEMA", first_only(ACCESS_SCHEMA, tmp_path))
    monkeypatch.setattr("sirena.ledger.store.LEDGER_SCHEMA", first_only(LEDGER_SCHEMA, tmp_path))
    bring_to_head(Settings(home=tmp_path, database_owner_url=SecretStr(cluster.url("new", "sirena_owner", "owns"))), "")
    assert dumped(cluster, "old") == dumped(cluster, "new")
    assert "CREATE TRIGGER ledger_continues" in dumped(cluster, "new")


def first_only(schema: Schema, folder: Path) -> Schema:
    """Return a schema that ends with its first revision."""
    place = folder / schema.landmark
    place.mkdir()
    name = f"revision_{FIRST}.py"
    (place / name).write_bytes((schema.revisions / name).read_bytes())
    return replace(schema, revisions=place)


def sqlite_objects(file: Path) -> set[str]:
    """Return what a SQLite file is made of, white space apart."""
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE '%revision'"
        )
        return {" ".join(row[0].split()).replace(" )", ")").replace("( ", "(") for row in found}


def dumped(cluster: Cluster, database: str) -> str:
    """Return the tables of a database as SQL."""
    command = ["pg_dump", "--schema-only", "--no-owner", "--no-privileges", "-T", "*_revision"]
    text = subprocess.run(
        [*command, f"--dbname={cluster.url(database)}"], check=True, capture_output=True, text=True
    ).stdout
    lines = [line for line in text.splitlines() if line and not line.startswith(("--", "\\"))]
    return " ".join(" ".join(lines).split())


def test_a_database_of_0_1_0_is_recognised_and_marked_and_keeps_what_it_holds(place: Place) -> None:
    """Accounts, password, token and the chained entries are there afterwards, and the ledger goes on."""
    settings = place(True)
    assert (store_standing(owner_url(settings)).revision, store_standing(owner_url(settings)).marked) == (FIRST, False)
    done = bring_to_head(settings, writer(settings))
    assert {(before.revision, after.state, after.marked) for before, after in done.values()} == {
        (FIRST, SchemaState.CURRENT, True)
    }
    engine = open_store(settings.effective_database_url)
    marta = Accounts(engine).find("marta")
    assert marta.roles == {Role.SCIENTIST, Role.VIEWER}

    assert verify_password(marta.password_hash, PASSWORD)
    token = POSTGRESQL_TOKEN if writer(settings) else SQLITE_TOKEN
    found = Tokens(engine, clock=lambda: MADE + 60).resolve(token)
    assert found is not None
    assert found[1].name == "robot"
    engine.dispose()
    ledger = open_ledger(settings)
    ledger.append(Login(who="marta", origin="127.0.0.1", method="basic"))
    assert (verify(ledger).intact, verify(ledger).entries) == (True, 5)
    ledger.close()
    assert {before == after for before, after in bring_to_head(settings, writer(settings)).values()} == {True}


def test_tables_of_an_earlier_sirena_are_refused_until_upgraded(
    place: Place, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening never changes them; the remedy is named; afterwards everything is there, the foreign keys too."""
    settings = place(True)
    bring_to_head(settings, writer(settings))
    monkeypatch.setattr(access_store, "ACCESS_SCHEMA", longer(ACCESS_SCHEMA, tmp_path_factory.mktemp("r"), ADD_COLUMN))
    with pytest.raises(SchemaOutdatedError, match=f"revision {ACCESS_SCHEMA.head}") as told:
        open_store(settings.effective_database_url)
    assert told.value.hint == "sirena upgrade"
    prepare_store(owner_url(settings), writer(settings))
    engine = open_store(settings.effective_database_url)
    assert [account.name for account in Accounts(engine).everybody()] == ["marta", "robot"]
    assert len(Tokens(engine).of("robot")) == 1
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(subject) FROM access_accounts").scalar() == 0
    engine.dispose()


def test_tables_of_a_later_sirena_are_refused(
    place: Place, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By opening and by upgrading alike: a program put back without its backup writes nothing."""
    settings = place(False)
    with monkeypatch.context() as later:
        later.setattr(access_store, "ACCESS_SCHEMA", longer(ACCESS_SCHEMA, tmp_path_factory.mktemp("r"), ADD_COLUMN))
        bring_to_head(settings, writer(settings))
    for act in (open_store, prepare_store):
        with pytest.raises(SchemaUnknownError, match="knows up to") as told:
            act(owner_url(settings))
        assert "restore" in told.value.hint


def test_0_1_0_refuses_what_it_cannot_work_with(place: Place) -> None:
    """It looks at `access_schema` alone, so every later revision of the accounts raises that number."""
    settings = place(True)
    bring_to_head(settings, writer(settings))
    engine = create_engine(make_url(owner_url(settings).replace("postgresql:", "postgresql+psycopg:")))
    with engine.connect() as connection:
        number = connection.exec_driver_sql("SELECT version FROM access_schema").scalar()
    engine.dispose()
    assert number == int(ACCESS_SCHEMA.head)


@pytest.mark.parametrize("end", ["raise RuntimeError", "os._exit(9)"], ids=["fails", "is killed"])
def test_a_change_that_ends_halfway_leaves_the_tables_as_they_were(
    place: Place, tmp_path_factory: pytest.TempPathFactory, end: str
) -> None:
    """Both databases undo changes of tables; a repetition begins from the same revision."""
    settings = place(True)
    bring_to_head(settings, writer(settings))
    folder = tmp_path_factory.mktemp("r")
    change = f'op.create_table("half", sa.Column("x", sa.Integer))\n    {ADD_COLUMN}\n    {end}'
    longer(ACCESS_SCHEMA, folder, change)
    script = (
        "import sys, dataclasses, pathlib; from sirena.access import store\n"
        "store.ACCESS_SCHEMA = dataclasses.replace(store.ACCESS_SCHEMA, revisions=pathlib.Path(sys.argv[2]))\n"
        "store.prepare_store(sys.argv[1])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, owner_url(settings), str(folder)], capture_output=True, timeout=240, check=False
    )
    assert ended.returncode == (9 if "exit" in end else 1), ended.stderr
    engine = open_store(settings.effective_database_url)
    assert len(Accounts(engine).everybody()) == 2
    with engine.connect() as connection:
        assert not connection.dialect.has_table(connection, "half")
    engine.dispose()
    bring_to_head(settings, writer(settings))


def test_many_that_open_an_empty_database_make_its_tables_once(place: Place) -> None:
    """Programs that start together do not collide."""
    settings = place(False)
    script = "import sys; from sirena.access.store import open_store; open_store(sys.argv[1])"
    command = [sys.executable, "-c", script, owner_url(settings)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    assert [(one.wait(60), one.communicate()[1]) for one in started] == [(0, b"")] * 4


def test_the_role_of_the_services_works_in_the_tables_and_changes_none(cluster: Cluster, tmp_path: Path) -> None:
    """It reads and writes accounts, and can neither alter, drop nor make a table, nor say which revision there is."""
    postgresql_database(cluster, "rights", filled=False)
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(cluster.url("rights", "sirena", "works")),
        database_owner_url=SecretStr(cluster.url("rights", "sirena_owner", "owns")),
    )
    with pytest.raises(StoreError, match="InsufficientPrivilege") as told:
        open_store(settings.effective_database_url)
    assert "SIRENA_DATABASE_OWNER_URL" in told.value.hint
    bring_to_head(settings, "sirena")
    engine = open_store(settings.effective_database_url)
    Accounts(engine).add("ana", frozenset({Role.VIEWER}), None)
    engine.dispose()
    with psycopg.connect(cluster.url("rights", "sirena", "works"), autocommit=True) as connection:
        for statement in (
            "ALTER TABLE access_accounts ADD COLUMN x text",
            "DROP TABLE access_tokens",
            "CREATE TABLE mine (x text)",
            "UPDATE access_revision SET version_num = '9'",
            "UPDATE ledger_revision SET version_num = '9'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_tables_that_the_services_own_are_named_before_rights_are_given(cluster: Cluster, tmp_path: Path) -> None:
    """A database of 0.1.0 that a hospital keeps itself: nothing is changed, and the remedy is a statement."""
    postgresql_database(cluster, "foreign_keeper", filled=True)
    url = cluster.url("foreign_keeper", "sirena_owner", "owns")
    settings = Settings(home=tmp_path, database_owner_url=SecretStr(url))
    with pytest.raises(Exception, match=r"owns the tables|InsufficientPrivilege") as told:
        bring_to_head(settings, "sirena")
    assert re.search("REASSIGN OWNED BY sirena|SIRENA_DATABASE_OWNER_URL", told.value.hint)  # type: ignore[attr-defined]
    assert not store_standing(url).marked
