"""Tables of accounts and ledger: made, recognised, changed, refused, on both databases."""

import subprocess
import sys
from collections.abc import Callable, Iterator
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
from sirena.database.schema import Schema, SchemaOutdatedError, SchemaState, SchemaUnknownError
from sirena.domain.errors import UsageError
from sirena.ledger.catalogue import Login
from sirena.ledger.schema import LEDGER_SCHEMA
from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.settings.catalogue import Settings
from tests.filled_databases import PASSWORD, copy_revisions, empty_database, fill, make_roles
from tests.postgresql import Cluster, private_cluster

LOGIN = Login(who="marta", origin="127.0.0.1", method="basic")
SCHEMAS = pytest.mark.parametrize("schema", [ACCESS_SCHEMA, LEDGER_SCHEMA], ids=lambda schema: schema.landmark)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL cluster with the roles of production."""
    with private_cluster() as running:
        make_roles(running)
        yield running


Place = Callable[[], Settings]
"""Gives settings of an empty database."""


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Both kinds of database in turn."""
    if request.param == "sqlite":
        return lambda: Settings(home=tmp_path)
    cluster: Cluster = request.getfixturevalue("cluster")

    def production() -> Settings:
        name = f"d{uuid4().hex[:8]}"
        empty_database(cluster, name)
        return Settings(
            home=tmp_path,
            database_url=SecretStr(cluster.url(name, "sirena", "works")),
            database_owner_url=SecretStr(cluster.url(name, "sirena_owner", "owns")),
        )

    return production


def owner_url(settings: Settings) -> str:
    """Address under which tables are changed."""
    return settings.database_owner_url.get_secret_value() or settings.effective_database_url


ADD_COLUMN = """with op.batch_alter_table("access_accounts") as table:
        table.add_column(sa.Column("subject", sa.String(64)))"""


@SCHEMAS
def test_revisions_are_one_line_of_numbers(schema: Schema) -> None:
    """Each file is named after its revision and continues the one before; no Alembic is needed to know the last."""
    before = None
    for number in schema.known_revisions:
        text = (schema.revisions / f"revision_{number}.py").read_text(encoding="utf-8")
        assert f'revision = "{number}"' in text
        assert ("down_revision = None" if before is None else f'down_revision = "{before}"') in text
        before = number


def test_after_the_last_revision_a_database_has_the_tables_of_the_program(place: Place) -> None:
    """No drift between revisions and program, by Alembic's own comparison."""
    settings = place()
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


def test_tables_of_an_earlier_sirena_are_refused_until_upgraded_and_keep_what_they_hold(
    place: Place, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening never changes them; the remedy is named; afterwards accounts, passwords, tokens and entries are there."""
    settings = place()
    secret = fill(settings)
    later = replace(ACCESS_SCHEMA, revisions=copy_revisions(ACCESS_SCHEMA, tmp_path_factory.mktemp("r"), ADD_COLUMN))
    monkeypatch.setattr(access_store, "ACCESS_SCHEMA", later)
    with pytest.raises(SchemaOutdatedError, match=f"revision {ACCESS_SCHEMA.head}") as refusal:
        open_store(settings.effective_database_url)
    assert refusal.value.hint == "sirena upgrade"
    before, after = bring_to_head(settings, writer(settings))["accounts"]
    assert (before.state, before.revision, after.state, after.revision) == (
        *(SchemaState.OUTDATED, ACCESS_SCHEMA.head),
        *(SchemaState.CURRENT, later.head),
    )
    engine = open_store(settings.effective_database_url)
    marta = Accounts(engine).find("marta")
    assert marta.roles == {Role.SCIENTIST, Role.VIEWER}
    assert verify_password(marta.password_hash, PASSWORD)
    token = Tokens(engine).resolve(secret)
    assert token is not None
    assert token[1].name == "robot"
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(subject) FROM access_accounts").scalar() == 0
    engine.dispose()
    ledger = open_ledger(settings)
    ledger.append(LOGIN)
    assert (verify(ledger).intact, verify(ledger).entries) == (True, 3)
    ledger.close()
    assert {before == after for before, after in bring_to_head(settings, writer(settings)).values()} == {True}


def test_tables_of_a_later_sirena_are_refused(
    place: Place, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By opening and by upgrading alike: a program put back without its backup writes nothing."""
    settings = place()
    revisions = copy_revisions(ACCESS_SCHEMA, tmp_path_factory.mktemp("r"), ADD_COLUMN)
    with monkeypatch.context() as later:
        later.setattr(access_store, "ACCESS_SCHEMA", replace(ACCESS_SCHEMA, revisions=revisions))
        bring_to_head(settings, writer(settings))
    for act in (open_store, prepare_store):
        with pytest.raises(SchemaUnknownError, match="knows up to") as refusal:
            act(owner_url(settings))
        assert "restore" in refusal.value.hint


def open_anew(schema: Schema, url: str, home: Path) -> None:
    """Do what a program does that has not opened the tables before."""
    if schema is ACCESS_SCHEMA:
        open_store(url)
    else:
        open_ledger(Settings(home=home / "another", database_url=SecretStr(url))).append(LOGIN)


@SCHEMAS
def test_tables_that_note_no_revision_are_refused_and_left_alone(place: Place, schema: Schema) -> None:
    """They are another program's, or of before the first release: nothing is made beside them, nothing is changed."""
    settings = place()
    bring_to_head(settings, writer(settings))
    in_file = not settings.database_url.get_secret_value()
    url = owner_url(settings)
    if in_file and schema is LEDGER_SCHEMA:
        url = f"sqlite:///{settings.home / 'ledger' / 'ledger.db'}"
    engine = create_engine(make_url(url.replace("postgresql:", "postgresql+psycopg:")))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {schema.version_table}")
    with pytest.raises(SchemaUnknownError, match="note no revision"):
        bring_to_head(settings, writer(settings))
    with pytest.raises(SchemaUnknownError, match="note no revision"):
        open_anew(schema, url, settings.home)
    with engine.connect() as connection:
        assert not connection.dialect.has_table(connection, schema.version_table)
    engine.dispose()


@pytest.mark.parametrize("end", ["raise RuntimeError", "os._exit(9)"], ids=["fails", "is killed"])
def test_a_change_that_ends_halfway_leaves_the_tables_as_they_were(
    place: Place, tmp_path_factory: pytest.TempPathFactory, end: str
) -> None:
    """Both databases undo changes of tables; a repetition begins from the same revision."""
    settings = place()
    fill(settings)
    folder = tmp_path_factory.mktemp("r")
    change = f'op.create_table("half", sa.Column("x", sa.Integer))\n    {ADD_COLUMN}\n    {end}'
    copy_revisions(ACCESS_SCHEMA, folder, change)
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
    settings = place()
    script = "import sys; from sirena.access.store import open_store; open_store(sys.argv[1])"
    command = [sys.executable, "-c", script, owner_url(settings)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    assert [(program.wait(60), program.communicate()[1]) for program in started] == [(0, b"")] * 4


def test_the_role_of_the_services_works_in_the_tables_and_changes_none(cluster: Cluster, tmp_path: Path) -> None:
    """It reads and writes accounts, and can neither alter, drop nor make a table, nor say which revision there is."""
    empty_database(cluster, "rights")
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(cluster.url("rights", "sirena", "works")),
        database_owner_url=SecretStr(cluster.url("rights", "sirena_owner", "owns")),
    )
    with pytest.raises(StoreError, match="InsufficientPrivilege") as refusal:
        open_store(settings.effective_database_url)
    assert "SIRENA_DATABASE_OWNER_URL" in refusal.value.hint
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


def test_tables_that_the_services_would_own_are_refused(cluster: Cluster, tmp_path: Path) -> None:
    """In a database that a hospital keeps itself: whoever owns them may do anything, and the remedy is a statement."""
    cluster.execute("CREATE DATABASE foreign_keeper OWNER sirena")
    url = cluster.url("foreign_keeper", "sirena", "works")
    with pytest.raises(UsageError, match="owns the tables") as refusal:
        bring_to_head(Settings(home=tmp_path, database_owner_url=SecretStr(url)), "sirena")
    assert "REASSIGN OWNED BY sirena" in refusal.value.hint
    assert store_standing(url).state is SchemaState.EMPTY
