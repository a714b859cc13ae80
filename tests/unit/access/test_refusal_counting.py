"""Floods of refusals become few entries, and their number is told."""

import json
from dataclasses import replace

import pytest

from sirena.access.guarded_record import GuardedRecord
from sirena.access.refusal_counting import CROWD, SOURCES, WINDOW, RefusalCounter
from sirena.ledger.catalogue import AccessRefused, Login
from sirena.ledger.errors import LedgerError
from sirena.ledger.event import Event

REFUSAL = AccessRefused(who="", origin="192.0.2.7", action="GET", resource="/x", cause="too_many_requests")


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
    refusal_counter = RefusalCounter(1, clock)
    told = [refusal_counter.admits(replace(REFUSAL, request_id=str(number))) for number in range(1000)]
    assert told == [True] + [False] * 999
    assert refusal_counter.due() == []
    clock.now += WINDOW
    (count,) = refusal_counter.due()
    assert (count.event.times, count.event.request_id, count.event.origin) == (999, "999", "192.0.2.7")
    assert count.event.since == "2023-11-14T22:13:20+00:00"


def test_a_flood_that_goes_on_is_counted_minute_by_minute_and_ends(clock: Clock) -> None:
    """After a minute of silence its next refusal is told at once again."""
    refusal_counter = RefusalCounter(1, clock)
    assert refusal_counter.admits(REFUSAL)
    for _ in range(3):
        assert not refusal_counter.admits(REFUSAL)
        clock.now += WINDOW
        assert [count.times for count in refusal_counter.due()] == [1]
    clock.now += WINDOW
    assert refusal_counter.due() == []
    assert refusal_counter.admits(REFUSAL)


def test_different_refusals_are_told_apart_up_to_a_number(clock: Clock) -> None:
    """The same again is counted at once."""
    refusal_counter = RefusalCounter(3, clock)
    assert [refusal_counter.admits(REFUSAL, subject) for subject in "aabcdb"] == [True, False, True, True, False, False]
    assert [count.times for count in refusal_counter.due(everything=True)] == [3]


def test_many_addresses_cannot_do_what_one_may_not(clock: Clock) -> None:
    """Beyond a number of addresses the rest stands together, counted to the last one."""
    refusal_counter = RefusalCounter(1, clock)
    refusals = [replace(REFUSAL, origin=f"2001:db8::{number:x}") for number in range(SOURCES + 50)]
    assert sum(map(refusal_counter.admits, refusals)) == SOURCES
    clock.now += WINDOW
    assert [(count.event.origin, count.event.times) for count in refusal_counter.due()] == [(CROWD, 50)]


def test_windows_survive_a_restart(clock: Clock) -> None:
    """What was counted before is told after."""
    before, after = RefusalCounter(1, clock), RefusalCounter(1, clock)
    for _ in range(5):
        before.admits(REFUSAL)
    after.put_back(json.loads(json.dumps(before.open_windows())))
    assert not after.admits(REFUSAL)
    clock.now += WINDOW
    assert [count.times for count in after.due()] == [5]


def test_only_refusals_are_counted_and_a_count_that_cannot_be_written_is_kept(clock: Clock) -> None:
    """Logins and promotions go straight; a ledger that is away gets the count later."""
    events: list[Event] = []
    away = False

    def notify(event: Event) -> None:
        if away:
            raise LedgerError("away")
        events.append(event)

    record = GuardedRecord(notify, clock)
    for _ in range(30):
        record(Login(who="ana", origin="::1", method="basic"))
        record(REFUSAL)
    assert [event.event for event in events].count("login") == 30
    assert [event.event for event in events].count("refusal") == 1
    clock.now += WINDOW
    away = True
    with pytest.raises(LedgerError):
        record.tell_counts()
    away = False
    record.tell_counts()
    record.tell_counts()
    assert [event.times for event in events if isinstance(event, AccessRefused)] == [1, 29]
