"""What the entry refused by itself, put on record: NGINX's log of refusals becomes entries of the ledger.

NGINX refuses ambiguous paths, malformed requests, other hosts and floods without asking anybody. It writes each of
these into a log of its own, which is followed here. What promises that a restart neither loses nor repeats an entry:

- the state file holds the place in the log, the counts of the floods under way, and the entries to be written;
- it is replaced before entries are written and after; an entry found in it at a start may have been written already, so
  the ledger is asked for its act before it is written again.
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
from sirena.access.floods import Floods, RefusalEvent, plain_refusal, read_refusal
from sirena.access.log_follower import LogFollower, LogPosition
from sirena.ledger.catalogue import AccessRefused

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class EntryLog:
    """Where NGINX's refusals are read, and how they are recorded."""

    log: Path
    state: Path
    """File in which the place in the log is kept."""
    is_recorded: Callable[[str], bool]
    """Tells whether the ledger holds an entry of an act."""


class EntryRefusals:
    """Follows the log; `step` is called again and again by one thread."""

    def __init__(self, source: EntryLog, notify: Notify, clock: Callable[[], float] = time.time) -> None:
        """Begin at the place that the state file holds; the first `step` reads."""
        self._source = source
        self._notify = notify
        self._floods = Floods(1, clock)
        self._waiting: list[RefusalEvent] = []
        self._unsure: set[str] = set()
        self._follower = LogFollower(source.log)
        self._restore()

    def step(self) -> bool:
        """Read new lines and record what is due. Return True when more lines may be waiting.

        Raises:
            SirenaError: the ledger cannot be written; the next step tries again.
        """
        self._record()
        lines = self._follower.read()
        for line in lines:
            self._take(line)
        self._waiting += [count.event for count in self._floods.due()]
        if lines or self._waiting:
            self._keep()
        self._record()
        return bool(lines)

    def _take(self, line: bytes) -> None:
        refusal = read_line(line)
        if refusal is None:
            _LOG.warning("a line of the entry's refusals cannot be read")
            return
        if self._floods.admits(refusal):
            self._waiting.append(refusal)

    def _record(self) -> None:
        if not self._waiting:
            return
        while self._waiting:
            refusal = self._waiting[0]
            if refusal.act not in self._unsure or not self._source.is_recorded(refusal.act):
                self._unsure.add(refusal.act)
                self._notify(refusal)
            self._unsure.discard(refusal.act)
            del self._waiting[0]
        self._keep()

    def _restore(self) -> None:
        try:
            kept = json.loads(self._source.state.read_text(encoding="utf-8"))
            self._follower = LogFollower(self._source.log, LogPosition(**kept["place"]))
            self._floods.put_back(kept["floods"])
            self._waiting = [read_refusal(AccessRefused.event, facts) for facts in kept["waiting"]]
            self._unsure = {refusal.act for refusal in self._waiting}
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError):
            # better some refusals twice on record than none
            _LOG.warning("the place in the entry's refusals cannot be read; they are read from the start")

    def _keep(self) -> None:
        state = {
            "place": asdict(self._follower.place),
            "floods": self._floods.kept(),
            "waiting": [plain_refusal(refusal) for refusal in self._waiting],
        }
        beside = self._source.state.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._source.state)


def read_line(line: bytes) -> AccessRefused | None:
    """Return the refusal that a line of the log tells of, or None if it tells of none.

    Bytes that are no UTF-8 are replaced: whoever is refused chooses what stands in the path.
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
