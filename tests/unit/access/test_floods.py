"""Floods of refusals become few entries, and their number is told."""

from collections.abc import Mapping
from typing import Any

import pytest

from sirena.access.floods import CROWD, SOURCES, WINDOW, Floods, RefusedSource
from sirena.access.guarded_record import GuardedRecord
from sirena.ledger.errors import LedgerError

SOMEBODY = RefusedSource("refusal", "192.0.2.7", "", "too_many_requests")


class Clock:
    """Time that a test moves."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()


def test_the_first_is_told_at_once_and_the_rest_as_one_with_their_number(clock: Clock) -> None:
    """One address and cause make one entry a minute."""
    floods = Floods(1, clock)
    told = [floods.admits(SOMEBODY, "", {"request_id": str(number)}) for number in range(1000)]
    assert told == [True] + [False] * 999
    assert floods.due() == []
    clock.now += WINDOW
    (held,) = floods.due()
    assert (held.times, held.facts["request_id"], held.facts["origin"]) == (999, "999", "192.0.2.7")
    assert held.since == "2023-11-14T22:13:20+00:00"


def test_a_flood_that_goes_on_is_counted_minute_by_minute_and_ends(clock: Clock) -> None:
    """After a minute of silence its next refusal is told at once again."""
    floods = Floods(1, clock)
    assert floods.admits(SOMEBODY, "", {})
    for _ in range(3):
        assert not floods.admits(SOMEBODY, "", {})
        clock.now += WINDOW
        assert [held.times for held in floods.due()] == [1]
    clock.now += WINDOW
    assert floods.due() == []
    assert floods.admits(SOMEBODY, "", {})


def test_different_refusals_are_told_apart_up_to_a_number(clock: Clock) -> None:
    """The same again is counted at once."""
    floods = Floods(3, clock)
    assert [floods.admits(SOMEBODY, what, {}) for what in "aabcdb"] == [True, False, True, True, False, False]
    assert [held.times for held in floods.due(everything=True)] == [3]


def test_many_addresses_cannot_do_what_one_may_not(clock: Clock) -> None:
    """Beyond a number of addresses the rest stands together, counted to the last one."""
    floods = Floods(1, clock)
    sources = [RefusedSource("refusal", f"2001:db8::{number:x}", "", "other_host") for number in range(SOURCES + 50)]
    assert sum(floods.admits(source, "", {}) for source in sources) == SOURCES
    clock.now += WINDOW
    assert [(held.source.address, held.times) for held in floods.due()] == [(CROWD, 50)]


def test_windows_survive_a_restart(clock: Clock) -> None:
    """What was counted before is told after."""
    before, after = Floods(1, clock), Floods(1, clock)
    for _ in range(5):
        before.admits(SOMEBODY, "", {"cause": "too_many_requests"})
    after.put_back(before.kept())
    assert not after.admits(SOMEBODY, "", {})
    clock.now += WINDOW
    assert [held.times for held in after.due()] == [5]


def test_only_refusals_are_counted_and_a_count_that_cannot_be_written_is_kept(clock: Clock) -> None:
    """Logins and promotions go straight; a ledger that is away gets the count later."""
    told: list[tuple[str, Mapping[str, Any]]] = []
    away = False

    def notify(event: str, facts: Mapping[str, Any]) -> None:
        if away:
            raise LedgerError("away")
        told.append((event, facts))

    record = GuardedRecord(notify, clock)
    refusal = {"who": "", "origin": "::1", "cause": "forbidden", "action": "GET", "resource": "/x"}
    for _ in range(30):
        record("login", {"who": "ana", "origin": "::1"})
        record("refusal", refusal)
    assert [event for event, _ in told].count("login") == 30
    assert [event for event, _ in told].count("refusal") == 1
    clock.now += WINDOW
    away = True
    with pytest.raises(LedgerError):
        record.tell_counts()
    away = False
    record.tell_counts()
    record.tell_counts()
    assert [facts["times"] for _, facts in told if "times" in facts] == [29]
