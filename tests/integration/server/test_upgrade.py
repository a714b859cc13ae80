"""`sirena upgrade` from what 0.1.0 left behind, and the way back."""

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

from sirena.cli.upgrade import NEEDED
from sirena.database.mlflow_database import MlflowDatabase, installed_revision
from sirena.host.accounts import OsAccount
from sirena.server.production_stack import ProductionStack
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings, variable_of
from tests.prepared_interpreter import run_prepared
from tests.production_machine import end_at_once, private_home, production_settings, require_programs
from tests.releases import PASSWORD, RELEASE_0_1_0, sqlite_home

IN_THE_WAY = "access_external_identities"
"""What revision 0002 of the accounts makes."""
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
    """A home of the embedded 0.1.0."""
    sqlite_home(tmp_path)
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


def test_embedded_there_and_back(embedded_with_mlflow: dict[str, str], tmp_path: Path) -> None:
    """Checked, upgraded, nothing left to do, taken back: accounts and MLflow's tables are as they were."""
    before = contents(tmp_path)
    asked = sirena(embedded_with_mlflow, "upgrade", "--check")
    assert (asked.returncode, contents(tmp_path)) == (NEEDED, before), asked.stderr
    done = sirena(embedded_with_mlflow, "upgrade")
    assert done.returncode == 0, done.stderr
    assert MlflowDatabase(f"sqlite:///{tmp_path / 'mlflow.db'}", OsAccount.of_this_process()).revision() == (
        installed_revision()
    )
    again = sirena(embedded_with_mlflow, "upgrade", "--check")
    assert (again.returncode, "nothing to upgrade" in again.stdout) == (0, True)
    assert "marta" in sirena(embedded_with_mlflow, "user", "list").stdout
    shown = sirena(
        embedded_with_mlflow, "audit", "show", "--event", "upgraded", "--format", "jsonl"
    ).stdout.splitlines()
    assert [json.loads(line)["outcome"] for line in shown] == ["intended", "done"]
    back = sirena(embedded_with_mlflow, "upgrade", "--back")
    assert back.returncode == 0, back.stderr
    assert "install Sirena 0.1.0" in back.stdout
    after = contents(tmp_path)
    assert {name: after[name] for name in ("mlflow.db", "sirena.db")} == {
        name: before[name] for name in ("mlflow.db", "sirena.db")
    }
    assert sirena(embedded_with_mlflow, "audit", "verify").returncode == 0
    events = sirena(embedded_with_mlflow, "audit", "show", "--format", "jsonl").stdout.splitlines()
    assert json.loads(events[-1])["event"] == "ledger_resumed"
    assert sirena(embedded_with_mlflow, "upgrade", "--check").returncode == NEEDED


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
    embedded_with_mlflow: dict[str, str], tmp_path: Path
) -> None:
    """MLflow's tables are changed, ours are not: no release of Sirena could work with a copy of that."""
    before = contents(tmp_path)
    with closing(sqlite3.connect(tmp_path / "sirena.db")) as connection:
        # what our next revision would make is there already, so it fails
        connection.execute(f"CREATE TABLE {IN_THE_WAY} (x)")
    assert sirena(embedded_with_mlflow, "upgrade").returncode == 1
    database = MlflowDatabase(f"sqlite:///{tmp_path / 'mlflow.db'}", OsAccount.of_this_process())
    assert database.revision() == installed_revision()
    with closing(sqlite3.connect(tmp_path / "sirena.db")) as connection:
        connection.execute(f"DROP TABLE {IN_THE_WAY}")
    repeated = sirena(embedded_with_mlflow, "upgrade")
    assert repeated.returncode == 0, repeated.stderr
    assert sirena(embedded_with_mlflow, "upgrade", "--back").returncode == 0
    with closing(sqlite3.connect(tmp_path / "sirena.db")) as connection:
        connection.execute(f"DROP TABLE {IN_THE_WAY}")
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


def test_without_a_backup_there_is_no_way_back(embedded: dict[str, str], tmp_path: Path) -> None:
    """It must be said, and is remembered."""
    assert sirena(embedded, "upgrade", "--back").returncode == 2
    assert sirena(embedded, "upgrade", "--no-backup").returncode == 0
    assert not (tmp_path / "before-upgrade").exists()
    refused = sirena(embedded, "upgrade", "--back")
    assert (refused.returncode, "without a backup" in refused.stderr) == (2, True)


def test_a_home_without_a_stack_is_told(tmp_path: Path) -> None:
    """Nothing is made there."""
    environment = {**os.environ, "SIRENA_HOME": str(tmp_path / "none"), "SIRENA_PROFILE": "production"}
    refused = sirena(environment, "upgrade")
    assert (refused.returncode, "no stack to upgrade" in refused.stderr) == (2, True)


@pytest.fixture(scope="module")
def production() -> Iterator[tuple[Settings, dict[str, str]]]:
    """A production home whose databases are 0.1.0's, its stack down."""
    require_programs("nginx", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "restic")
    with private_home() as home:
        settings = production_settings(home)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
        for name in Settings.model_fields:
            value = getattr(settings, name)
            if name in settings.model_fields_set and value not in (None, "") and name != "profile":
                environment[variable_of(name)] = str(value)
        stack = ProductionStack(settings)
        (home / "profile").write_text("production\n")
        stack.database().prepare(fill_as_0_1_0(stack))
        yield settings, environment
        end_at_once(stack)


def fill_as_0_1_0(stack: ProductionStack) -> Callable[[str], None]:
    """Return what puts 0.1.0's tables and an older MLflow's into a fresh cluster."""

    def fill(_: str) -> None:
        password = (stack.settings.home / "secrets" / "postgresql_superuser").read_text().strip()
        url = f"postgresql://postgres:{password}@127.0.0.1:{stack.settings.postgres_port}/sirena"
        with psycopg.connect(url) as connection:
            connection.execute((RELEASE_0_1_0 / "postgresql.sql").read_bytes())
        older_mlflow(f"{stack.database().uri('mlflow')}?passfile={stack.database().mlflow_password_file}")

    return fill


@pytest.mark.slow
def test_production_from_0_1_0(production: tuple[Settings, dict[str, str]]) -> None:
    """The whole stack comes up on the former tables, the former password enters, no service owns a table; and back."""
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
    assert "install Sirena 0.1.0" in back.stdout
    with ProductionStack(settings).database().answering(), psycopg.connect(url, autocommit=True) as connection:
        owned = connection.execute("SELECT tablename FROM pg_tables WHERE tableowner = 'sirena' ORDER BY 1").fetchall()
        assert [name for (name,) in owned] == ["access_accounts", "access_schema", "access_sessions", "access_tokens"]
        assert connection.execute("SELECT name FROM access_accounts ORDER BY 1").fetchall() == [("marta",), ("robot",)]
    assert sirena(environment, "upgrade", "--check").returncode == NEEDED
