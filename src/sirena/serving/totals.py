"""Counts of a service: of one process, or of all its workers together, including those that ended."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sirena.serving.metrics import Tallies
from sirena.serving.shadow_counts import AnswerPair, ShadowState


@dataclass(frozen=True)
class Totals:
    """The counts of one process or of several."""

    tallies: Tallies = field(default_factory=Tallies)
    shadow: ShadowState = field(default_factory=ShadowState)


class Counting(Protocol):
    """How a process gets the counts of the whole service."""

    def start(self, own: Callable[[], Totals]) -> None:
        """Start counting, in the event loop; `own` returns the counts of this process."""
        ...

    async def totals(self) -> Totals:
        """Return the counts of the whole service."""
        ...

    def loads(self, own: int, /) -> int:
        """Return how often the whole service loaded a release.

        Args:
            own: how often this process did.
        """
        ...

    def stop(self) -> None:
        """Stop counting, in the event loop, after the last answer."""
        return


class Alone(Counting):
    """Counting for a service that is one process."""

    def start(self, own: Callable[[], Totals]) -> None:
        """Set `own`, which returns the counts of this process."""
        self._own = own

    async def totals(self) -> Totals:
        """Return the counts of this process."""
        return self._own()

    def loads(self, own: int, /) -> int:
        """Return how often this process loaded a release."""
        return own


def add_up(parts: Iterable[Totals]) -> Totals:
    """Return the counts of several processes, added.

    Of the shadows' counts only those of the latest pair of releases are used, as in one process.
    """
    totals = list(parts)
    tallies = Tallies()
    for part in totals:
        tallies.add(part.tallies)
    return Totals(tallies, _add_up_shadows([part.shadow for part in totals]))


def _add_up_shadows(states: list[ShadowState]) -> ShadowState:
    started_states = [state for state in states if state.since is not None]
    if not started_states:
        return next((state for state in states if state.shadow is not None), states[0])
    latest_state = max(started_states, key=lambda state: state.since or 0.0)
    states_of_pair = [
        state for state in started_states if (state.shadow, state.active) == (latest_state.shadow, latest_state.active)
    ]
    answers: Counter[AnswerPair] = Counter()
    for state in states_of_pair:
        answers.update(dict(state.answers))
    return ShadowState(
        latest_state.shadow,
        latest_state.active,
        since=min(state.since or 0.0 for state in states_of_pair),
        compared_requests=sum(state.compared_requests for state in states_of_pair),
        dropped_requests=sum(state.dropped_requests for state in states_of_pair),
        unanswered_requests=sum(state.unanswered_requests for state in states_of_pair),
        answers=tuple(answers.items()),
    )
