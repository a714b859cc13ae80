"""Whatever somebody with every right on the database does to one entry is found and named."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sirena.ledger.catalogue import Login, Promoted
from sirena.ledger.entry import GENESIS, LedgerEntry
from sirena.ledger.errors import LedgerTamperedError
from sirena.ledger.head import Head
from sirena.ledger.store import open_ledger
from sirena.ledger.verification import Damage, verify
from tests.integration.ledger.conftest import Bench

TEXT_COLUMNS = ("at", "event", "outcome", "who", "origin", "request_id", "act", "details", "previous", "hash")
SIZE = 6


def fill(bench: Bench) -> list[LedgerEntry]:
    """Add six entries."""
    return [
        *bench.ledger.append(Login(who="ana", origin="127.0.0.1", method="basic")),
        *bench.ledger.append(
            *(Promoted(who="eva", origin="cli", model="m", version=n, stage="Production") for n in range(SIZE - 1))
        ),
    ]


def found(bench: Bench) -> tuple[Damage, int] | None:
    """Return what checking finds and where."""
    finding = verify(bench.ledger).finding
    return (finding.damage, finding.seq) if finding else None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    seq=st.integers(1, SIZE),
    column=st.sampled_from(TEXT_COLUMNS),
    value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
)
def test_any_single_field_altered_is_found_and_named(bench: Bench, seq: int, column: str, value: str) -> None:
    """Every text column of every entry, on both databases; put back, the ledger is intact again."""
    if bench.ledger.count() == 0:
        fill(bench)
    before = getattr(list(bench.ledger.read())[seq - 1], column)
    bench.intruder.alter(seq, column, value)
    assert found(bench) == (None if value == before else (Damage.ALTERED, seq))
    bench.intruder.alter(seq, column, before)
    assert found(bench) is None


@pytest.mark.parametrize("seq", range(1, SIZE + 1))
@pytest.mark.parametrize("place", [-4, 0, 100])
def test_an_entry_given_another_place_is_found(bench: Bench, seq: int, place: int) -> None:
    """The first place that does not hold what it held is named."""
    fill(bench)
    bench.intruder.alter(seq, "seq", place)
    finding = verify(bench.ledger).finding
    assert finding is not None
    assert finding.seq == (1 if place < 1 else seq)


@pytest.mark.parametrize("seq", range(1, SIZE))
def test_a_missing_entry_is_named(bench: Bench, seq: int) -> None:
    """A gap in the places."""
    fill(bench)
    bench.intruder.tamper(f"DELETE FROM ledger_entries WHERE seq = {seq}")
    assert found(bench) == (Damage.MISSING, seq)


def test_a_gap_that_was_closed_is_named(bench: Bench) -> None:
    """Removing an entry and renumbering those after it shows in the chain."""
    fill(bench)
    bench.intruder.tamper(
        "DELETE FROM ledger_entries WHERE seq = 3",
        *(f"UPDATE ledger_entries SET seq = {n - 1} WHERE seq = {n}" for n in (4, 5, 6)),
    )
    finding = verify(bench.ledger).finding
    assert finding is not None
    assert finding.seq == 3


def test_entries_that_changed_places_are_named(bench: Bench) -> None:
    """Two exchanged rows are told from altered ones."""
    fill(bench)
    bench.intruder.tamper(
        "UPDATE ledger_entries SET seq = 99 WHERE seq = 3",
        "UPDATE ledger_entries SET seq = 3 WHERE seq = 4",
        "UPDATE ledger_entries SET seq = 4 WHERE seq = 99",
    )
    assert found(bench) == (Damage.REORDERED, 3)


def test_an_end_cut_off_is_named(bench: Bench) -> None:
    """The chain alone would not show it; the head file does."""
    fill(bench)
    bench.intruder.tamper("DELETE FROM ledger_entries WHERE seq >= 5")
    assert found(bench) == (Damage.CUT_OFF, 5)


def test_a_ledger_emptied_is_named(bench: Bench) -> None:
    """Nothing left is not nothing ever."""
    fill(bench)
    bench.intruder.tamper("DELETE FROM ledger_entries")
    assert found(bench) == (Damage.CUT_OFF, 1)


@pytest.mark.parametrize("seq", range(1, SIZE + 1))
def test_an_entry_altered_with_its_hash_computed_anew_is_named(bench: Bench, seq: int) -> None:
    """The next entry, or for the last one the head file, gives it away."""
    entries = fill(bench)
    forged = rewritten(entries[seq - 1], who="nobody")
    bench.intruder.tamper(f"UPDATE ledger_entries SET who = 'nobody', hash = '{forged.hash}' WHERE seq = {seq}")
    assert found(bench) == (Damage.ALTERED if seq < SIZE else Damage.REWRITTEN, seq)


def test_a_chain_written_anew_from_an_entry_on_is_found(bench: Bench) -> None:
    """Every hash fits, and yet the end is not the one that was noted; nor the one a person wrote down."""
    entries = fill(bench)
    previous, statements = entries[2].previous, []
    for entry in entries[2:]:
        forged = rewritten(entry, who="nobody", previous=previous)
        statements.append(
            f"UPDATE ledger_entries SET who = 'nobody', previous = '{previous}', hash = '{forged.hash}' "
            f"WHERE seq = {entry.seq}"
        )
        previous = forged.hash
    bench.intruder.tamper(*statements)
    assert found(bench) == (Damage.REWRITTEN, SIZE)
    bench.ledger.head.path.unlink()
    assert found(bench) is None
    written_down = Head(4, entries[3].hash)
    finding = verify(bench.ledger, expected_head=written_down).finding
    assert finding is not None
    assert (finding.damage, finding.seq) == (Damage.REWRITTEN, 4)


def test_lifted_triggers_are_told(bench: Bench) -> None:
    """A database that would let entries be changed is no intact ledger, even if none was."""
    fill(bench)
    bench.intruder.lift_guards()
    finding = verify(bench.ledger).finding
    assert finding is not None
    assert finding.damage is Damage.UNGUARDED


def rewritten(entry: LedgerEntry, **facts: Any) -> LedgerEntry:
    """Return an entry with other content and the hash that fits it."""
    changed = LedgerEntry(**{**vars(entry), **facts})
    return LedgerEntry(**{**vars(changed), "hash": changed.computed_hash})


def test_the_first_entry_continues_nothing(bench: Bench) -> None:
    """The chain begins with a fixed value."""
    assert fill(bench)[0].previous == GENESIS


def test_the_end_that_any_writer_noted_must_be_there(postgresql_bench: Bench) -> None:
    """What the services noted in their own file is held against the ledger by the commands, and nothing is added."""
    bench = postgresql_bench
    fill(bench)
    services = open_ledger(bench.settings.model_copy(update={"home": bench.settings.service_home}))
    services.append(Login(who="dora", origin="192.0.2.7", method="basic"))
    assert services.head.path != bench.ledger.head.path
    assert [head.entries for head in bench.ledger.noted_heads()] == [SIZE, SIZE + 1]
    assert found(bench) is None
    bench.intruder.tamper(f"DELETE FROM ledger_entries WHERE seq > {SIZE}")
    assert found(bench) == (Damage.CUT_OFF, SIZE + 1)
    with pytest.raises(LedgerTamperedError):
        bench.ledger.append(Login(who="eva", origin="cli", method="basic"))
    bench.ledger.resume(who="eva", origin="cli", reason="backup put back")
    services.append(Login(who="dora", origin="192.0.2.7", method="basic"))
    assert found(bench) is None
    services.close()


def test_two_ends_noted_at_one_place_must_both_be_true(bench: Bench) -> None:
    """A true end beside a false one hides nothing."""
    entries = fill(bench)
    finding = verify(bench.ledger, expected_head=Head(SIZE, "0" * 64)).finding
    assert finding is not None
    assert (finding.damage, finding.seq) == (Damage.REWRITTEN, SIZE)
    assert verify(bench.ledger, expected_head=Head(SIZE, entries[-1].hash)).intact
