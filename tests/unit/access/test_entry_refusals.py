"""Following NGINX's log of refusals: nothing is lost and nothing repeated, whatever happens to log and process."""

import json
import os
from pathlib import Path

import pytest

from sirena.access.entry_refusals import EntryLog, EntryRefusals, read_line
from sirena.access.log_follower import SETTLE, LogFollower, LogPosition
from sirena.access.refusal_counting import WINDOW
from sirena.ledger.catalogue import AccessRefused
from sirena.ledger.errors import LedgerError
from sirena.ledger.event import Event


class Killed(BaseException):
    """The process ends here."""


class House:
    """A log that NGINX would write, and a ledger that can fail."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "refusals.jsonl"
        self.log.touch()
        self.recorded: list[AccessRefused] = []
        self.fail: BaseException | None = None
        self.fail_after_commit = False
        self._number = 0
        self.source = EntryLog(self.log, folder / "state.json", lambda act: act in {one.act for one in self.recorded})

    def refuse(self, times: int = 1, *, address: str = "") -> None:
        """Write refusals as NGINX does, each from another address unless one is named."""
        with self.log.open("a") as file:
            for _ in range(times):
                self._number += 1
                line = {"at": 1.5, "from": address or f"10.0.0.{self._number}", "cause": "other_host", "method": "GET"}
                file.write(json.dumps({**line, "path": "/", "request_id": str(self._number)}) + "\n")

    def notify(self, event: Event) -> None:
        """Record, or fail before or after it."""
        if self.fail and not self.fail_after_commit:
            raise self.fail
        assert isinstance(event, AccessRefused)
        self.recorded.append(event)
        if self.fail:
            raise self.fail

    def follow(self) -> EntryRefusals:
        """Begin as a new process does."""
        return EntryRefusals(self.source, self.notify)

    @property
    def numbers(self) -> list[int]:
        """Which refusals are on record."""
        return [int(event.request_id) for event in self.recorded]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A log and a ledger."""
    return House(tmp_path)


def test_each_refusal_is_recorded_once_across_restarts(house: House) -> None:
    """The place in the log is kept beside the ledger."""
    house.refuse(3)
    house.follow().step()
    house.refuse(2)
    follower = house.follow()
    follower.step()
    assert not follower.step()
    house.follow().step()
    assert house.numbers == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("after_commit", [False, True])
@pytest.mark.parametrize("error", [LedgerError("away"), Killed()])
def test_a_failure_in_the_midst_of_recording_neither_loses_nor_repeats(
    house: House, error: BaseException, after_commit: bool
) -> None:
    """Whether the process dies or goes on, and whether the entry was written or not."""
    house.refuse(4)
    follower = house.follow()
    house.fail, house.fail_after_commit = error, after_commit
    with pytest.raises(type(error)):
        follower.step()
    house.fail = None
    if isinstance(error, Killed):
        follower = house.follow()
    follower.step()
    assert house.numbers == [1, 2, 3, 4]


def test_a_flood_is_two_entries_and_its_count_survives_a_restart(house: House) -> None:
    """The first at once, the rest with their number when the minute has ended."""
    now = [1_000_000.0]
    house.refuse(500, address="192.0.2.9")
    EntryRefusals(house.source, house.notify, lambda: now[0]).step()
    assert [refusal.times for refusal in house.recorded] == [1]
    house.refuse(500, address="192.0.2.9")
    now[0] += WINDOW
    EntryRefusals(house.source, house.notify, lambda: now[0]).step()
    assert [refusal.times for refusal in house.recorded] == [1, 999]
    assert house.recorded[1].origin == "192.0.2.9"
    assert house.recorded[1].since == "1970-01-01T00:00:01+00:00"


def test_a_half_written_line_waits_for_its_end(house: House) -> None:
    """And is then one record."""
    follower = house.follow()
    with house.log.open("a") as file:
        file.write('{"from":"10.0.0.1","cause":"too_')
        file.flush()
        follower.step()
        file.write('slow","request_id":"1"}\n')
    follower.step()
    assert [refusal.cause for refusal in house.recorded] == ["too_slow"]


def test_rotation_loses_nothing_even_what_is_written_to_the_old_file_after_it(house: House) -> None:
    """NGINX's processes open their log anew a moment later."""
    now = [0.0]
    follower = LogFollower(house.log, clock=lambda: now[0])
    house.refuse(2)
    lines = follower.read()
    old = house.log.open("a")
    house.log.rename(house.log.with_name("refusals.jsonl.1"))
    house.log.touch()
    house.refuse(1)
    lines += follower.read()
    old.write('{"late":1}\n')
    old.close()
    lines += follower.read()
    assert len(lines) == 3
    follower.read()
    now[0] += SETTLE
    lines += follower.read()
    assert len(lines) == 4
    assert follower.read() == []


def test_several_rotations_while_nobody_read_lose_nothing(house: House) -> None:
    """As while the access service was away."""
    house.refuse(1)
    place = LogFollower(house.log)
    assert len(place.read()) == 1
    for number in range(3):
        house.refuse(2)
        for older in range(number, 0, -1):
            Path(f"{house.log}.{older}").replace(f"{house.log}.{older + 1}")
        house.log.replace(f"{house.log}.1")
        house.log.touch()
    house.refuse(2)
    now = [0.0]
    again = LogFollower(house.log, place.place, clock=lambda: now[0])
    found = []
    for _ in range(20):
        found += again.read()
        now[0] += SETTLE
    assert [json.loads(line)["request_id"] for line in found] == [str(number) for number in range(2, 10)]


def test_a_log_cut_to_nothing_is_read_from_its_start(house: House) -> None:
    """Also when it has grown beyond the old place meanwhile."""
    house.refuse(2)
    follower = LogFollower(house.log)
    assert len(follower.read()) == 2
    os.truncate(house.log, 0)
    house.refuse(5)
    assert len(follower.read()) == 5


def test_an_inode_that_is_used_again_is_another_file(house: House) -> None:
    """Its beginning tells."""
    house.refuse(2)
    follower = LogFollower(house.log)
    follower.read()
    place = follower.place
    other = LogPosition(place.inode, place.offset, "0" * 64, place.changed - 1)
    assert len(LogFollower(house.log, other).read()) == 2


def test_lines_that_are_no_records_are_passed_over(house: House) -> None:
    """Bytes that are no UTF-8 do not make a line unreadable: whoever is refused chooses them."""
    assert read_line(b"nonsense") is None
    assert read_line(b'["cause"]') is None
    refusal = read_line(b'{"cause":"ambiguous_path","from":"::1","path":"/\xff\xfe"}')
    assert refusal is not None
    assert refusal.resource == "/��"


def test_a_state_that_cannot_be_read_costs_repetition_and_no_loss(house: House) -> None:
    """Somebody may have edited it."""
    house.refuse(2)
    house.source.state.write_text('{"place": 7}')
    house.follow().step()
    assert house.numbers == [1, 2]
