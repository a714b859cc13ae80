"""What a service counted: by itself, or by all its workers together, those that ended among them."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sirena.serving.metrics import Tallies
from sirena.serving.shadow_counts import AnswerPair, ShadowState


@dataclass(frozen=True)
class Totals:
    """What was counted."""

    tallies: Tallies = field(default_factory=Tallies)
    shadow: ShadowState = field(default_factory=ShadowState)


class Counting(Protocol):
    """How a process comes to know what the whole service counted."""

    def start(self, own: Callable[[], Totals]) -> None:
        """Begin, in the event loop; `own` tells what this process counted."""
        ...

    async def totals(self) -> Totals:
        """Return what the whole service counted."""
        ...

    def loads(self, own: int, /) -> int:
        """Return how many releases the whole service took up.

        Args:
            own: how many this process did.
        """
        ...

    def stop(self) -> None:
        """End, in the event loop, when nothing is answered any more."""
        return


class Alone(Counting):
    """The process is the whole service."""

    def start(self, own: Callable[[], Totals]) -> None:
        """Begin."""
        self._own = own

    async def totals(self) -> Totals:
        """Return what this process counted."""
        return self._own()

    def loads(self, own: int, /) -> int:
        """Return how many this process took up."""
        return own


def add_up(parts: Iterable[Totals]) -> Totals:
    """Return what several processes counted together.

    Of shadows the pair of releases counts that was begun last: another's counts are over, as they are in one process.
    """
    listed = list(parts)
    tallies = Tallies()
    for part in listed:
        tallies.add(part.tallies)
    return Totals(tallies, _add_up_shadows([part.shadow for part in listed]))


def _add_up_shadows(states: list[ShadowState]) -> ShadowState:
    begun = [state for state in states if state.since is not None]
    if not begun:
        return next((state for state in states if state.shadow is not None), states[0])
    last = max(begun, key=lambda state: state.since or 0.0)
    alike = [state for state in begun if (state.shadow, state.active) == (last.shadow, last.active)]
    answers: Counter[AnswerPair] = Counter()
    for state in alike:
        answers.update(dict(state.answers))
    return ShadowState(
        last.shadow,
        last.active,
        since=min(state.since or 0.0 for state in alike),
        compared=sum(state.compared for state in alike),
        dropped=sum(state.dropped for state in alike),
        unanswered=sum(state.unanswered for state in alike),
        answers=tuple(answers.items()),
    )
