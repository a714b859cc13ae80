"""An act and its record: the intention is on disk before the act begins, the outcome after it ended.

When the intention cannot be written, the act does not begin. When the process dies in between, the intention stays
alone and `sirena audit verify` names it; what came of it can be read from the registry. When only the outcome cannot
be written, the act has happened and the error says so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Generic, TypeVar

from sirena.domain.errors import GateError, SirenaError
from sirena.ledger.errors import LedgerError
from sirena.ledger.event import ActOutcome, Event
from sirena.ledger.store import Ledger

E = TypeVar("E", bound=Event)


class Act(Generic[E]):
    """An act that is going on, and what is known of it so far."""

    def __init__(self, event: E, ledger: Ledger) -> None:
        """Begin with the intention."""
        self._ledger = ledger
        self.event = event
        """What will be recorded as the outcome."""
        self.further: list[Event] = []
        """Events that belong to the act and are recorded with its outcome."""
        self._outcome = ActOutcome.DONE

    def learn(self, **facts: Any) -> None:
        """Add facts that became known during the act; they are recorded with the outcome."""
        self.event = replace(self.event, **facts)

    def announce(self, **facts: Any) -> None:
        """Record the intention again, with what was judged meanwhile, before it is carried out.

        Raises:
            LedgerError: it cannot be recorded, and nothing must be done.
        """
        self.learn(**facts)
        self._ledger.append(self.event.concluded(ActOutcome.INTENDED))

    def nothing_to_do(self) -> None:
        """Note that nothing had to be done; the outcome is then `ActOutcome.UNCHANGED`."""
        self._outcome = ActOutcome.UNCHANGED

    @property
    def outcome(self) -> Event:
        """The entry that ends it."""
        return self.event.concluded(self._outcome)


@contextmanager
def acting(ledger: Ledger, intention: E) -> Iterator[Act[E]]:
    """Record an intention, let the act happen, and record its outcome.

    A `GateError` inside makes it refused, any other exception failed; both go on to the caller.

    Raises:
        LedgerError: the intention cannot be recorded, and nothing happens; or the outcome cannot, and the text
            says what happened.
    """
    ledger.append(replace(intention, outcome=ActOutcome.INTENDED))
    act = Act(intention, ledger)
    try:
        yield act
    except GateError as refusal:
        _conclude(ledger, [act.event.refused()], refusal.text)
        raise
    except BaseException as failure:
        kind = failure.code if isinstance(failure, SirenaError) else type(failure).__name__
        _conclude(ledger, [act.event.concluded(ActOutcome.FAILED, kind)], f"it failed ({kind})")
        raise
    _conclude(ledger, [*act.further, act.outcome], "it was done")


def _conclude(ledger: Ledger, entries: list[Event], what: str) -> None:
    try:
        ledger.append(*entries)
    except LedgerError as error:
        name = entries[-1].event
        raise type(error)(
            f"{error.text}\nthe intention ({name}) is on record, its outcome is not: {what}", hint=error.hint
        ) from error
