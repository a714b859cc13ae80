"""`sirena upgrade` from what an earlier Sirena and an earlier MLflow left behind, and the way back."""

import json
import os
import shutil
import sqlite3
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from sirena.access.store import ACCESS_SCHEMA
from sirena.cli.upgrade import NEEDED
from sirena.database.mlflow_database import MlflowDatabase, installed_revision
from sirena.host.accounts import OsAccount
from sirena.server.production_stack import ProductionStack
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings, variable_of
from tests.filled_databases import PASSWORD, copy_revisions, fill
from tests.prepared_interpreter import run_prepared
from tests.prepared_stores import begin_prepared
from tests.production_machine import end_at_once, private_home, production_settings, require_programs

FORMER = "0.0.9"
"""Release that is noted as the one that ran before."""
NEW_TABLE = "access_new"
"""What the next revision of the accounts makes."""
NEXT_SIRENA = """
import dataclasses, pathlib, sys
from sirena.access import store
store.ACCESS_SCHEMA = dataclasses.replace(store.ACCESS_SCHEMA, revisions=pathlib.Path(sys.argv.pop(1)))
from sirena.cli import main
main()
"""
"""The command line of a Sirena whose accounts have one revision more, in the folder that is its first argument."""
DOWN = """
import sys
from alembic import command
from mlflow.store.db.utils import _get_alembic_config
from sqlalchemy import create_engine
config = _get_alembic_config(sys.argv[1].replace("%", "%%"))
command.downgrade(config, "-1")
"""
"""Makes of MLflow's tables those of the MLflow before."""


def sirena(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of ours as its operator does."""
    return run_prepared([sys.executable, "-m", "sirena.cli", *arguments], env=dict(environment), timeout=400)


@pytest.fixture(scope="module")
def next_revisions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Revisions of the accounts with one more than the program has."""
    change = f'op.create_table("{NEW_TABLE}", sa.Column("x", sa.Integer, primary_key=True))'
    return copy_revisions(ACCESS_SCHEMA, tmp_path_factory.mktemp("revisions"), change)


@pytest.fixture
def next_sirena(next_revisions: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a command of the next Sirena."""

    def run(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", NEXT_SIRENA, str(next_revisions), *arguments]
        return run_prepared(command, env=dict(environment), timeout=400)

    return run


def older_mlflow(uri: str) -> str:
    """Make MLflow's tables as an older MLflow had them; return their revision."""
    database = MlflowDatabase(uri, OsAccount.of_this_process())
    for program in (["-m", "mlflow", "db", "upgrade"], ["-c", DOWN]):
        run_prepared([sys.executable, *program, uri], timeout=400).check_returncode()
    found = database.revision()
    assert found != installed_revision()
    return found


@pytest.fixture(scope="module")
def older_mlflow_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file as the MLflow before left it."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    older_mlflow(f"sqlite:///{file}")
    return file


@pytest.fixture
def embedded(tmp_path: Path) -> dict[str, str]:
    """A home on one's own machine, with accounts and entries."""
    fill(Settings(home=tmp_path))
    (tmp_path / "release").write_text(f"{FORMER}\n")
    return {**os.environ, "SIRENA_HOME": str(tmp_path)}


@pytest.fixture
def embedded_with_mlflow(embedded: dict[str, str], older_mlflow_file: Path, tmp_path: Path) -> dict[str, str]:
    """The same with an older MLflow's database."""
    shutil.copy(older_mlflow_file, tmp_path / "mlflow.db")
    return embedded


def contents(home: Path) -> dict[str, list[str]]:
    """Return everything the SQLite files hold."""
    found = {}
    for name in ("mlflow.db", "sirena.db", "ledger/ledger.db"):
        with closing(sqlite3.connect(home / name)) as connection:
            found[name] = list(connection.iterdump())
    return found


def test_embedded_there_and_back(
    embedded_with_mlflow: dict[str, str], tmp_path: Path, next_sirena: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    """Checked, upgraded, nothing left to do, taken back: accounts and MLflow's tables are as they were."""
    before = contents(tmp_path)
    check = next_sirena(embedded_with_mlflow, "upgrade", "--check")
    assert (check.returncode, contents(tmp_path)) == (NEEDED, before), check.stderr
    done = next_sirena(embedded_with_mlflow, "upgrade")
    assert done.returncode == 0, done.stderr
    assert MlflowDatabase(f"sqlite:///{tmp_path / 'mlflow.db'}", OsAccount.of_this_process()).revision() == (
        installed_revision()
    )
    again = next_sirena(embedded_with_mlflow, "upgrade", "--check")
    assert (again.returncode, "nothing to upgrade" in again.stdout) == (0, True)
    assert "marta" in next_sirena(embedded_with_mlflow, "user", "list").stdout
    shown = next_sirena(
        embedded_with_mlflow, "audit", "show", "--event", "upgraded", "--format", "jsonl"
    ).stdout.splitlines()
    assert [json.loads(line)["outcome"] for line in shown] == ["intended", "done"]
    back = next_sirena(embedded_with_mlflow, "upgrade", "--back")
    assert back.returncode == 0, back.stderr
    assert f"install Sirena {FORMER}" in back.stdout
    after = contents(tmp_path)
    assert {name: after[name] for name in ("mlflow.db", "sirena.db")} == {
        name: before[name] for name in ("mlflow.db", "sirena.db")
    }
    assert next_sirena(embedded_with_mlflow, "audit", "verify").returncode == 0
    events = next_sirena(embedded_with_mlflow, "audit", "show", "--format", "jsonl").stdout.splitlines()
    assert json.loads(events[-1])["event"] == "ledger_resumed"
    assert next_sirena(embedded_with_mlflow, "upgrade", "--check").returncode == NEEDED


def test_an_upgrade_that_fails_changes_nothing_and_names_the_ways_on(
    embedded_with_mlflow: dict[str, str], tmp_path: Path
) -> None:
    """MLflow's own migration fails: its file is as it was, ours are not touched, and the failure is on record."""
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        # what the next revision of MLflow would make is there already, so it fails
        connection.execute("CREATE TABLE scheduler_leases (x)")
    before = contents(tmp_path)
    failed = sirena(embedded_with_mlflow, "upgrade")
    assert failed.returncode == 1
    assert "repeat `sirena upgrade`" in failed.stderr
    assert "sirena upgrade --back" in failed.stderr
    after = contents(tmp_path)
    assert {name: after[name] for name in ("mlflow.db", "sirena.db")} == {
        name: before[name] for name in ("mlflow.db", "sirena.db")
    }
    assert not (tmp_path / "mlflow.upgrading.db").exists()
    shown = sirena(
        embedded_with_mlflow, "audit", "show", "--event", "upgraded", "--format", "jsonl"
    ).stdout.splitlines()
    assert [json.loads(line)["outcome"] for line in shown] == ["intended", "failed"]
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        connection.execute("DROP TABLE scheduler_leases")
    assert sirena(embedded_with_mlflow, "upgrade").returncode == 0


def test_an_upgrade_that_stops_halfway_and_is_repeated_goes_back_to_the_state_before_both(
    embedded_with_mlflow: dict[str, str], tmp_path: Path, next_sirena: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    """MLflow's tables are changed, ours are not: no release of Sirena could work with a copy of that."""
    before = contents(tmp_path)
    with closing(sqlite3.connect(tmp_path / "sirena.db")) as connection:
        # what our next revision would make is there already, so it fails
        connection.execute(f"CREATE TABLE {NEW_TABLE} (x)")
    assert next_sirena(embedded_with_mlflow, "upgrade").returncode == 1
    database = MlflowDatabase(f"sqlite:///{tmp_path / 'mlflow.db'}", OsAccount.of_this_process())
    assert database.revision() == installed_revision()
    with closing(sqlite3.connect(tmp_path / "sirena.db")) as connection:
        connection.execute(f"DROP TABLE {NEW_TABLE}")
    repeated = next_sirena(embedded_with_mlflow, "upgrade")
    assert repeated.returncode == 0, repeated.stderr
    assert next_sirena(embedded_with_mlflow, "upgrade", "--back").returncode == 0
    with closing(sqlite3.connect(tmp_path / "sirena.db")) as connection:
        connection.execute(f"DROP TABLE {NEW_TABLE}")
    after = contents(tmp_path)
    assert {name: after[name] for name in ("mlflow.db", "sirena.db")} == {
        name: before[name] for name in ("mlflow.db", "sirena.db")
    }
    assert len(list((tmp_path / "before-upgrade").iterdir())) == 1


def test_an_upgrade_the_disk_refuses_names_the_ways_on(embedded_with_mlflow: dict[str, str], tmp_path: Path) -> None:
    """Whatever the system refuses in the middle: one message, everything down, and it can be repeated."""
    in_the_way = tmp_path / "mlflow.upgrading.db"
    in_the_way.mkdir()
    failed = sirena(embedded_with_mlflow, "upgrade")
    assert failed.returncode == 1
    assert "everything is down" in failed.stderr
    assert "repeat `sirena upgrade`" in failed.stderr
    assert "Traceback" not in failed.stderr
    in_the_way.rmdir()
    assert sirena(embedded_with_mlflow, "upgrade").returncode == 0


def test_without_a_backup_there_is_no_way_back(
    embedded: dict[str, str], tmp_path: Path, next_sirena: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    """It must be said, and is remembered."""
    assert next_sirena(embedded, "upgrade", "--back").returncode == 2
    assert next_sirena(embedded, "upgrade", "--no-backup").returncode == 0
    assert not (tmp_path / "before-upgrade").exists()
    refused = next_sirena(embedded, "upgrade", "--back")
    assert (refused.returncode, "without a backup" in refused.stderr) == (2, True)


def test_a_home_without_a_stack_is_told(tmp_path: Path) -> None:
    """Nothing is made there."""
    environment = {**os.environ, "SIRENA_HOME": str(tmp_path / "none"), "SIRENA_PROFILE": "production"}
    refused = sirena(environment, "upgrade")
    assert (refused.returncode, "no stack to upgrade" in refused.stderr) == (2, True)


@pytest.fixture(scope="module")
def production() -> Iterator[tuple[Settings, dict[str, str]]]:
    """A production home with accounts, entries and an older MLflow's tables, its stack down."""
    require_programs("nginx", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "restic")
    with private_home() as home:
        settings = production_settings(home)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
        for name in Settings.model_fields:
            value = getattr(settings, name)
            if name in settings.model_fields_set and value not in (None, "") and name != "profile":
                environment[variable_of(name)] = str(value)
        stack = ProductionStack(settings)
        begin_prepared(settings)
        (home / "profile").write_text("production\n")
        (home / "release").write_text(f"{FORMER}\n")
        stack.database().prepare(fill_cluster(stack))
        yield settings, environment
        end_at_once(stack)


def fill_cluster(stack: ProductionStack) -> Callable[[str], None]:
    """Return what puts accounts, entries and an older MLflow's tables into a fresh cluster."""

    def prepare_tables(owner_url: str) -> None:
        works = owner_url.replace("sirena_owner@", "sirena@").replace("pgpass_owner", "pgpass")
        fill(
            stack.settings.model_copy(
                update={"database_owner_url": SecretStr(owner_url), "database_url": SecretStr(works)}
            )
        )
        older_mlflow(f"{stack.database().uri('mlflow')}?passfile={stack.database().mlflow_password_file}")

    return prepare_tables


@pytest.mark.slow
def test_production_there_and_back(production: tuple[Settings, dict[str, str]]) -> None:
    """The stack comes up on MLflow's changed tables, the password still enters, no service owns a table; and back."""
    settings, environment = production
    refused = sirena(environment, "upgrade", "--check")
    assert refused.returncode == NEEDED, refused.stderr
    done = sirena(environment, "upgrade")
    assert done.returncode == 0, done.stderr
    assert sirena(environment, "status").returncode == 0
    manager = urllib.request.HTTPPasswordMgrWithPriorAuth()
    entry = f"https://localhost:{settings.https_port}/"
    manager.add_password(None, entry, "marta", PASSWORD, is_authenticated=True)
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(authority_file(settings)))),
        urllib.request.HTTPBasicAuthHandler(manager),
    )
    with opener.open(entry + "version", timeout=120) as answer:
        assert answer.status == 200
    assert "intact" in sirena(environment, "audit", "verify").stdout
    url = (
        ProductionStack(settings)
        .database()
        .owner_url()
        .replace("sirena_owner@", "sirena@")
        .replace("pgpass_owner", "pgpass")
    )
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE tableowner = 'sirena'").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (x text)")
    assert sirena(environment, "upgrade", "--check").returncode == 0
    back = sirena(environment, "upgrade", "--back")
    assert back.returncode == 0, back.stderr
    assert f"install Sirena {FORMER}" in back.stdout
    with ProductionStack(settings).database().answering(), psycopg.connect(url, autocommit=True) as connection:
        owners = connection.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE tablename LIKE 'access_%'")
        assert owners.fetchall() == [("sirena_owner",)]
        assert connection.execute("SELECT name FROM access_accounts ORDER BY 1").fetchall() == [("marta",), ("robot",)]
    assert sirena(environment, "upgrade", "--check").returncode == NEEDED
