"""Intention before, outcome after: no act without an entry."""

import signal
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sirena.acts import recording
from sirena.domain.errors import GateError
from sirena.ledger.acts import acting
from sirena.ledger.catalogue import Overridden, Promoted
from sirena.ledger.errors import LedgerError
from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.settings.catalogue import Settings
from tests.integration.ledger.conftest import Bench
from tests.prepared_interpreter import run_prepared

_KILLED = """
import os, signal
from pathlib import Path
from sirena.ledger.acts import acting
from sirena.ledger.catalogue import Promoted
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import load_settings
settings = load_settings()
with acting(open_ledger(settings), Promoted(who="eva", origin="cli", model="m", version=1, stage="Production")):
    (settings.home / "deed").write_text("done")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def promoted() -> Promoted:
    """Return an intention."""
    return Promoted(who="eva", origin="cli", model="modelo_AMK_NM", version=3, stage="Production")


def told(bench: Bench) -> list[tuple[str, str]]:
    """Return event and outcome of every entry."""
    return [(entry.event, entry.outcome) for entry in bench.ledger.read()]


def test_an_act_has_two_entries_of_one_name(bench: Bench) -> None:
    """What was learnt in between stands in the outcome, further events beside it."""
    with acting(bench.ledger, promoted()) as act:
        assert told(bench) == [("promoted", "intended")]
        act.learn(previous=2)
        act.further.append(
            Overridden(who="eva", origin="cli", act=act.event.act, subject="m/3", stage="Production", reason="teaching")
        )
    assert told(bench) == [("promoted", "intended"), ("overridden", "done"), ("promoted", "done")]
    assert len({entry.act for entry in bench.ledger.read()}) == 1
    assert list(bench.ledger.read())[-1].facts()["previous"] == 2
    assert verify(bench.ledger).open_acts == ()


def test_a_refusal_and_a_failure_are_on_record_and_go_on_to_the_caller(sqlite_bench: Bench) -> None:
    """The gate's refusal has its own event; any other error says its kind, not its text."""
    with pytest.raises(GateError), acting(sqlite_bench.ledger, promoted()):
        raise GateError("no")
    with pytest.raises(ZeroDivisionError), acting(sqlite_bench.ledger, promoted()):
        raise ZeroDivisionError("patient 12345678")
    assert told(sqlite_bench) == [
        ("promoted", "intended"), ("promotion_refused", "refused"), ("promoted", "intended"), ("promoted", "failed"),
    ]  # fmt: skip
    assert list(sqlite_bench.ledger.read())[-1].facts()["failure"] == "ZeroDivisionError"
    assert verify(sqlite_bench.ledger).open_acts == ()


def test_without_a_ledger_the_act_does_not_begin(sqlite_bench: Bench) -> None:
    """A ledger that cannot be written stops the act before it starts."""
    sqlite_bench.ledger.append(promoted())
    sqlite_bench.intruder.ask("DROP TABLE ledger_entries")
    begun = False
    with pytest.raises(LedgerError), acting(sqlite_bench.ledger, promoted()):
        begun = True
    assert not begun


def test_an_outcome_that_cannot_be_written_is_told(sqlite_bench: Bench) -> None:
    """The deed is done and cannot be undone; the message says what is on record and what is not."""
    half = r"intention \(promoted\) is on record, its outcome is not: it was done"
    with pytest.raises(LedgerError, match=half), acting(sqlite_bench.ledger, promoted()):
        sqlite_bench.intruder.tamper("UPDATE ledger_entries SET hash = 'x'")


def test_a_killed_process_leaves_its_intention(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL between deed and outcome: the deed has an entry, and checking names it as open."""
    monkeypatch.setenv("SIRENA_HOME", str(bench.settings.home))
    monkeypatch.setenv("SIRENA_DATABASE_URL", bench.settings.database_url.get_secret_value())
    ended = run_prepared([sys.executable, "-c", _KILLED], timeout=120)
    assert ended.returncode == -signal.SIGKILL
    assert (bench.settings.home / "deed").exists()
    found = verify(bench.ledger)
    assert found.intact
    assert [(entry.event, entry.outcome) for entry in found.open_acts] == [("promoted", "intended")]


def test_acts_begun_at_once_are_of_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks for what one command did finds all of it by one request id."""

    def make_slowly() -> uuid.UUID:
        time.sleep(0.05)
        return made()

    made = uuid.uuid4
    recording._request_id.cache_clear()
    monkeypatch.setattr(uuid, "uuid4", make_slowly)
    with ThreadPoolExecutor(4) as pool:
        actors = list(pool.map(recording.actor, [Settings(home=tmp_path)] * 4))
    assert len({actor["request_id"] for actor in actors}) == 1


def test_a_new_ledger_is_prepared_once_however_many_open_it(tmp_path: Path) -> None:
    """Threads that begin acts at once share it; two that prepare one file at once would lock each other out."""
    with ThreadPoolExecutor(8) as pool:
        for name in map(str, range(20)):
            assert len(set(map(id, pool.map(open_ledger, [Settings(home=tmp_path / name)] * 8)))) == 1
