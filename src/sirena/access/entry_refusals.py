"""Recording in the ledger what NGINX refused by itself, read from NGINX's log of refusals.

NGINX refuses ambiguous paths, malformed requests, other hosts and floods without asking the access service, and writes
each refusal into a log, which is followed here. So that a restart neither loses nor repeats a ledger entry:

- the state file holds the position in the log, the counts of unfinished floods, and the refusals to be recorded;
- that file is replaced before refusals are recorded and after. A refusal found in it at a start may be on record
  already, so the ledger is searched for the refusal's act before it is recorded again.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sirena.access.events import Notify
from sirena.access.log_follower import LogFollower, LogPosition
from sirena.access.refusal_counting import RefusalCounter, RefusalEvent, plain_refusal, read_refusal
from sirena.ledger.catalogue import AccessRefused

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class EntryLog:
    """NGINX's log of the requests that it refused, and how far these refusals are recorded in the ledger."""

    log: Path
    state: Path
    """File that stores how far the log was read."""
    is_recorded: Callable[[str], bool]
    """Takes the name of an act; tells whether the ledger holds an entry of it."""


class EntryRefusals:
    """Recorder of the refusals in NGINX's log; one thread calls `step` again and again."""

    def __init__(self, source: EntryLog, notify: Notify, clock: Callable[[], float] = time.time) -> None:
        """Begin at the place in the log that the state file holds; the log is read by `step`."""
        self._source = source
        self._notify = notify
        self._refusal_counter = RefusalCounter(1, clock)
        self._waiting_events: list[RefusalEvent] = []
        self._unsure: set[str] = set()
        self._follower = LogFollower(source.log)
        self._restore()

    def step(self) -> bool:
        """Read new lines of the log and record what is due. Return True if more lines may be waiting.

        Raises:
            SirenaError: the ledger cannot be written; the next step tries again.
        """
        self._record()
        lines = self._follower.read()
        for line in lines:
            self._take(line)
        self._waiting_events += [count.event for count in self._refusal_counter.due()]
        if lines or self._waiting_events:
            self._keep()
        self._record()
        return bool(lines)

    def _take(self, line: bytes) -> None:
        refusal = read_line(line)
        if refusal is None:
            _LOG.warning("a line of the entry's refusals cannot be read")
            return
        if self._refusal_counter.admits(refusal):
            self._waiting_events.append(refusal)

    def _record(self) -> None:
        if not self._waiting_events:
            return
        while self._waiting_events:
            refusal = self._waiting_events[0]
            if refusal.act not in self._unsure or not self._source.is_recorded(refusal.act):
                self._unsure.add(refusal.act)
                self._notify(refusal)
            self._unsure.discard(refusal.act)
            del self._waiting_events[0]
        self._keep()

    def _restore(self) -> None:
        try:
            state = json.loads(self._source.state.read_text(encoding="utf-8"))
            self._follower = LogFollower(self._source.log, LogPosition(**state["place"]))
            self._refusal_counter.put_back(state["floods"])
            self._waiting_events = [read_refusal(AccessRefused.event, facts) for facts in state["waiting"]]
            self._unsure = {refusal.act for refusal in self._waiting_events}
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError):
            # better some refusals twice on record than none
            _LOG.warning("the place in the entry's refusals cannot be read; they are read from the start")

    def _keep(self) -> None:
        state = {
            "place": asdict(self._follower.place),
            "floods": self._refusal_counter.open_windows(),
            "waiting": [plain_refusal(refusal) for refusal in self._waiting_events],
        }
        beside = self._source.state.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._source.state)


def read_line(line: bytes) -> AccessRefused | None:
    """Return the refusal in a line of NGINX's log; None if the line cannot be read.

    Bytes that are not UTF-8 are replaced: the refused client chose what is in the path.
    """
    try:
        facts = json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        return None
    if not isinstance(facts, Mapping) or not isinstance(facts.get("cause"), str):
        return None
    return AccessRefused(
        who="",
        origin=str(facts.get("from", "")),
        request_id=str(facts.get("request_id", "")),
        action=str(facts.get("method", "")),
        resource=str(facts.get("path", "")),
        cause=facts["cause"],
        since=_moment(facts.get("at")),
    )


def _moment(seconds: object) -> str:
    if not isinstance(seconds, int | float):
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
