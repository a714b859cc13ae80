"""The ledger on SQLite and on a real PostgreSQL: what can be added, and what cannot be changed."""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from sirena.domain.errors import UsageError
from sirena.ledger.catalogue import Login, Promoted, TokenCreated
from sirena.ledger.errors import LedgerError, LedgerTamperedError, LedgerUnavailableError
from sirena.ledger.event import ActOutcome
from sirena.ledger.store import open_as_owner, open_ledger
from sirena.ledger.verification import Damage, verify
from sirena.settings.catalogue import Settings
from tests.integration.ledger.conftest import Bench
from tests.integration.ledger.tampering import PostgresqlIntruder
from tests.postgresql import Cluster
from tests.prepared_interpreter import PreparedPopen

_REST = "at, event, outcome, who, origin, request_id, act, details, previous, hash"
_WRITER = """
import sys
from sirena.ledger.catalogue import Login
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import load_settings
ledger = open_ledger(load_settings())
for number in range(int(sys.argv[2])):
    ledger.append(Login(who=sys.argv[1], origin="test", method="basic", request_id=str(number)))
"""


def login(who: str = "ana", **facts: object) -> Login:
    """Return an event."""
    return Login(**{"who": who, "origin": "127.0.0.1", "method": "basic", **facts})  # type: ignore[arg-type]


def test_what_was_added_is_read_again_in_order(bench: Bench) -> None:
    """Common facts in columns, the rest as details, times in UTC, places from 1."""
    now = datetime(2026, 3, 1, 10, tzinfo=UTC)
    promoted = Promoted(who="eva", origin="cli", model="modelo_AMK_NM", version=3, stage="Production", at=now)
    bench.ledger.append(login(), promoted)
    bench.ledger.append(TokenCreated(who="eva", origin="cli", token="t1", owner="ana", scopes=("read", "write")))
    first, second, third = bench.ledger.read()
    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert second.at == "2026-03-01T10:00:00.000000+00:00"
    assert second.facts() == {"model": "modelo_AMK_NM", "version": 3, "stage": "Production"}
    assert third.facts()["scopes"] == ["read", "write"]
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert bench.ledger.count() == 3


def test_entries_are_found_by_what_when_and_who(bench: Bench) -> None:
    """Filters narrow, and ``last`` keeps the newest in order."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    bench.ledger.append(*(login(f"user{day % 2}", at=start + timedelta(days=day)) for day in range(10)))
    assert [entry.seq for entry in bench.ledger.read(last=2)] == [9, 10]
    assert [entry.seq for entry in bench.ledger.read(who="user1", since=start + timedelta(days=5))] == [6, 8, 10]
    assert [entry.seq for entry in bench.ledger.read(until=start + timedelta(days=1))] == [1]
    assert list(bench.ledger.read(events=("logout",))) == []


def test_an_empty_ledger_is_intact_and_empty(bench: Bench) -> None:
    """Nothing was ever recorded: nothing to read, nothing wrong."""
    assert list(bench.ledger.read()) == []
    assert bench.ledger.count() == 0
    assert verify(bench.ledger).intact


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET who = 'nobody' WHERE seq = 2",
        "DELETE FROM ledger_entries WHERE seq = 3",
        "DELETE FROM ledger_entries",
        f"INSERT INTO ledger_entries SELECT seq + 10, {_REST} FROM ledger_entries WHERE seq = 3",
        f"INSERT INTO ledger_entries SELECT seq + 1, {_REST} FROM ledger_entries WHERE seq = 3",
    ],
)
def test_the_database_refuses_to_change_remove_or_squeeze_in(bench: Bench, statement: str) -> None:
    """Even with every right, as long as the triggers stand."""
    bench.ledger.append(login(), login(), login())
    with pytest.raises(bench.intruder.refusal):
        bench.intruder.ask(statement)
    assert verify(bench.ledger).entries == 3


def test_postgresql_refuses_truncate_and_sqlite_refuses_replace(sqlite_bench: Bench, postgresql_bench: Bench) -> None:
    """Each database's own way around row triggers is closed."""
    for bench, statement in (
        (postgresql_bench, "TRUNCATE ledger_entries"),
        (
            sqlite_bench,
            f"INSERT OR REPLACE INTO ledger_entries SELECT seq, {_REST} FROM ledger_entries WHERE seq = 1",
        ),
    ):
        bench.ledger.append(login(), login())
        with pytest.raises(bench.intruder.refusal):
            bench.intruder.ask(statement)
        assert verify(bench.ledger).entries == 2


def test_the_writing_role_has_no_right_to_change_or_to_lift_the_triggers(cluster: Cluster, tmp_path: Path) -> None:
    """Owner and writer are two roles: the writer adds and reads, the database refuses it everything else."""
    cluster.execute(
        "CREATE ROLE ledger_owner LOGIN PASSWORD 'own'",
        "CREATE ROLE writer LOGIN PASSWORD 'write'",
        "CREATE DATABASE hospital OWNER ledger_owner",
    )
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(cluster.url("hospital", "writer", "write")),
        database_owner_url=SecretStr(cluster.url("hospital", "ledger_owner", "own")),
    )
    owner = open_as_owner(settings)
    with pytest.raises(UsageError, match="owns the tables of the audit ledger"):
        owner.create("ledger_owner")
    with pytest.raises(UsageError, match="no role"):
        owner.create("stranger")
    owner.create("writer")
    owner.create("writer")
    ledger = open_ledger(settings)
    ledger.append(login(), login())
    assert verify(ledger).entries == 2
    with psycopg.connect(cluster.url("hospital", "writer", "write"), autocommit=True) as connection:
        for statement in (
            "UPDATE ledger_entries SET who = 'x'",
            "DELETE FROM ledger_entries",
            "TRUNCATE ledger_entries",
            "ALTER TABLE ledger_entries DISABLE TRIGGER ledger_keeps",
            "DROP TABLE ledger_entries",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    for opened in (ledger, owner):
        opened.close()


def test_four_processes_of_two_hundred_entries_keep_one_chain(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """No entry is lost, doubled or out of order, and the head file ends where the ledger does."""
    monkeypatch.setenv("SIRENA_HOME", str(bench.settings.home))
    monkeypatch.setenv("SIRENA_DATABASE_URL", bench.settings.database_url.get_secret_value())
    writers = [PreparedPopen([sys.executable, "-c", _WRITER, f"writer{number}", "200"]) for number in range(4)]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0, 0]
    found = verify(bench.ledger)
    assert (found.finding, found.entries) == (None, 800)
    assert bench.ledger.head.read() == found.head
    for number in range(4):
        own = [entry.request_id for entry in bench.ledger.read(who=f"writer{number}")]
        assert own == [str(each) for each in range(200)]


def test_many_entries_at_once_are_all_added_or_none(bench: Bench) -> None:
    """A batch that fails halfway leaves nothing."""
    bench.ledger.append(login())
    broken = login()
    object.__setattr__(broken, "who", object())
    with pytest.raises(Exception, match=r"refused|object"):
        bench.ledger.append(login(), broken)
    assert verify(bench.ledger).entries == 1


def test_nothing_is_added_to_a_ledger_whose_end_is_gone(bench: Bench) -> None:
    """Cut off entries are not covered by new ones; a person goes on, and what was lost is on record."""
    bench.ledger.append(*(login() for _ in range(5)))
    with pytest.raises(UsageError, match="nothing was lost"):
        bench.ledger.resume(who="eva", origin="cli", reason="because")
    bench.intruder.tamper("DELETE FROM ledger_entries WHERE seq > 3")
    with pytest.raises(LedgerTamperedError, match="entry 5"):
        bench.ledger.append(login())
    with pytest.raises(UsageError, match="reason"):
        bench.ledger.resume(who="eva", origin="cli", reason=" ")
    resumed = bench.ledger.resume(who="eva", origin="cli", reason="backup of Monday put back")
    assert (resumed.seq, resumed.facts()["noted_entries"], resumed.facts()["found_entries"]) == (4, 5, 3)
    bench.ledger.append(login())
    assert verify(bench.ledger).intact


def test_a_damaged_head_file_is_told_and_can_be_replaced(sqlite_bench: Bench) -> None:
    """It is neither ignored nor overwritten in silence."""
    ledger = sqlite_bench.ledger
    ledger.append(login(), login())
    ledger.head.path.write_text("{}")
    found = verify(ledger)
    assert found.finding is not None
    assert found.finding.damage is Damage.HEAD_DAMAGED
    with pytest.raises(LedgerTamperedError):
        ledger.append(login())
    ledger.resume(who="eva", origin="cli", reason="disk was full")
    assert verify(ledger).entries == 3


def test_a_process_that_dies_before_noting_the_head_does_no_harm(sqlite_bench: Bench) -> None:
    """The head lags behind, which is no damage, and the next entry brings it up."""
    ledger = sqlite_bench.ledger
    ledger.append(login())
    behind = ledger.head.path.read_text()
    ledger.append(login(), login())
    ledger.head.path.write_text(behind)
    assert verify(ledger).intact
    ledger.append(login())
    assert json.loads(ledger.head.path.read_text())["entries"] == 4


def test_files_are_for_their_owner_alone(sqlite_bench: Bench) -> None:
    """Database and head file have mode 0600."""
    sqlite_bench.ledger.append(login())
    folder = sqlite_bench.settings.home / "ledger"
    assert {path.stat().st_mode & 0o077 for path in (folder / "ledger.db", sqlite_bench.ledger.head.path)} == {0}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for others")
def test_what_root_writes_stays_the_owners(sqlite_bench: Bench) -> None:
    """An operator who runs a command as root, or puts a file back, does not lock the service out of its ledger."""
    folder = sqlite_bench.settings.home / "ledger"
    os.chown(folder, 65534, 65534)
    sqlite_bench.ledger.append(login())
    assert {path.stat().st_uid for path in folder.iterdir()} == {65534}
    sqlite_bench.ledger.close()
    os.chown(folder / "ledger.db", 0, 0)
    sqlite_bench.ledger.append(login())
    assert {path.stat().st_uid for path in folder.iterdir()} == {65534}


def test_a_head_file_that_cannot_be_read_is_told(sqlite_bench: Bench) -> None:
    """Not a stack trace, and nothing is added."""
    sqlite_bench.ledger.append(login())
    sqlite_bench.ledger.head.path.unlink()
    sqlite_bench.ledger.head.path.mkdir()
    with pytest.raises(LedgerError, match="cannot be read"):
        sqlite_bench.ledger.append(login())
    assert sqlite_bench.ledger.count() == 1


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    """The message says where, never who enters with what."""
    url = "postgresql://sirena:secret-word@127.0.0.1:1/hospital"
    settings = Settings(home=tmp_path, database_url=SecretStr(url))
    with pytest.raises(LedgerUnavailableError) as told:
        open_ledger(settings).append(login())
    assert "127.0.0.1:1/hospital" in told.value.text
    assert "secret-word" not in told.value.text + told.value.hint + repr(settings)


def test_one_connection_is_kept_and_another_made_when_the_database_ended_it(postgresql_bench: Bench) -> None:
    """Services read the ledger every second, and a connection costs a process of PostgreSQL."""
    ledger = postgresql_bench.ledger
    ledger.append(login())
    (kept,) = _connections_to(postgresql_bench)
    assert [ledger.count() for _ in range(3)] == [1, 1, 1]
    ledger.append(login())
    assert _connections_to(postgresql_bench) == [kept]
    _as_superuser(postgresql_bench).execute("SELECT pg_terminate_backend(%s)", [kept])
    assert ledger.count() == 2
    assert kept not in _connections_to(postgresql_bench)


def test_a_forked_process_has_a_connection_of_its_own(postgresql_bench: Bench) -> None:
    """On a shared one two processes would read each other's answers."""
    ledger = postgresql_bench.ledger
    ledger.append(login("parent"))
    kept = _connections_to(postgresql_bench)
    child = os.fork()
    if not child:
        status = 1
        try:
            ledger.append(login("child"))
            status = int(kept == _connections_to(postgresql_bench))
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    ledger.append(login("parent"))
    assert [entry.who for entry in ledger.read()] == ["parent", "child", "parent"]
    assert kept[0] in _connections_to(postgresql_bench)


def _as_superuser(bench: Bench) -> psycopg.Connection[Any]:
    assert isinstance(bench.intruder, PostgresqlIntruder)
    return bench.intruder.connection


def _connections_to(bench: Bench) -> list[int]:
    """Return the process numbers of PostgreSQL's ends of the ledger's connections."""
    with psycopg.connect(bench.settings.database_url.get_secret_value()) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sirena-ledger'"
        )
        return [pid for (pid,) in rows]


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite://"])
def test_another_address_is_refused(tmp_path: Path, url: str) -> None:
    """Only PostgreSQL and a SQLite file keep a ledger."""
    with pytest.raises(UsageError, match="SIRENA_DATABASE_URL"):
        open_ledger(Settings(home=tmp_path, database_url=SecretStr(url)))


def test_an_open_intention_is_named_until_its_outcome_is_written(bench: Bench) -> None:
    """What died halfway stands out."""
    begun = login(outcome=ActOutcome.INTENDED)
    bench.ledger.append(begun)
    assert [entry.seq for entry in verify(bench.ledger).open_acts] == [1]
    bench.ledger.append(begun.concluded(ActOutcome.DONE))
    assert verify(bench.ledger).open_acts == ()
