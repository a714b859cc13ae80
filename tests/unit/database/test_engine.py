"""One way to a database, whoever connects."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirena.database.engine import engine_at


@pytest.fixture(autouse=True)
def generous_umask() -> Iterator[None]:
    """Files that nobody makes private are open to all."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("kind", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_is_reached_by_the_driver_that_comes_with_sirena(kind: str) -> None:
    """Whatever the address names; the rest of the address stays."""
    engine = engine_at(f"{kind}://sirena@127.0.0.1:5432/sirena?passfile=x")
    assert str(engine.url) == "postgresql+psycopg://sirena@127.0.0.1:5432/sirena?passfile=x"


def test_a_file_of_ours_is_its_owners_and_waits_for_other_writers(tmp_path: Path) -> None:
    """With a write-ahead log, and what others refer to stays; a file that is there keeps its mode."""
    file = tmp_path / "sirena.db"
    engine = engine_at(f"sqlite:///{file}", lock_seconds=7)
    assert not file.exists()
    with engine.connect() as connection:
        pragmas = ("busy_timeout", "journal_mode", "foreign_keys")
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert (settings, modes) == ([7000, "wal", 1], {0o600})
    engine.dispose()
    file.chmod(0o640)
    with engine.connect():
        assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_file_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    """MLflow's file has no log beside it, so a copy of it can take its place."""
    file = tmp_path / "mlflow.db"
    file.touch(0o644)
    with engine_at(f"sqlite:///{file}").connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_a_forked_process_uses_no_connection_of_its_parent(tmp_path: Path) -> None:
    """SQLite's locks belong to a process, and on a shared connection two would read each other's answers."""
    engine = engine_at(f"sqlite:///{tmp_path / 'sirena.db'}", lock_seconds=7)

    def driver_connection() -> object:
        with engine.connect() as connection:
            return connection.connection.dbapi_connection

    kept = driver_connection()
    child = os.fork()
    if not child:
        status = 1
        try:
            status = int(driver_connection() is kept)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert driver_connection() is kept
