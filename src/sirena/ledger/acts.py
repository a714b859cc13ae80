"""Recording an act in the ledger: its intention before the act begins, its outcome after it ended.

If the intention cannot be written, the act does not begin. If the process dies before the outcome is written, `sirena
audit verify` names the intention; how the act ended can be read from the registry. If only the outcome cannot be
written, the act has happened, and the error says so.
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
    """An act in progress, with the facts that are known about it so far."""

    def __init__(self, event: E, ledger: Ledger) -> None:
        """Create the act from the event of its intention."""
        self._ledger = ledger
        self.event = event
        """Event that will be recorded as the outcome."""
        self.further: list[Event] = []
        """Further events of the act, recorded together with the outcome."""
        self._outcome = ActOutcome.DONE

    def learn(self, **facts: Any) -> None:
        """Add facts that became known during the act; these are recorded with the outcome."""
        self.event = replace(self.event, **facts)

    def announce(self, **facts: Any) -> None:
        """Record the intention again before it is carried out, with facts that were judged since it was first recorded.

        Raises:
            LedgerError: the intention cannot be recorded; then the act must not be carried out.
        """
        self.learn(**facts)
        self._ledger.append(self.event.concluded(ActOutcome.INTENDED))

    def nothing_to_do(self) -> None:
        """Set the outcome to `ActOutcome.UNCHANGED`: nothing had to be done."""
        self._outcome = ActOutcome.UNCHANGED

    @property
    def outcome(self) -> Event:
        """The event that records how the act ended."""
        return self.event.concluded(self._outcome)


@contextmanager
def acting(ledger: Ledger, intention: E) -> Iterator[Act[E]]:
    """Record the intention of an act, run the ``with`` block, and record the outcome.

    The outcome is `REFUSED` after a `GateError` in the block, `FAILED` after any other exception; both are raised
    again.

    Raises:
        LedgerError: the intention cannot be recorded, and the block is not run; or the outcome cannot be recorded, and
            the text says how the act ended.
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


def _conclude(ledger: Ledger, entries: list[Event], act_state: str) -> None:
    try:
        ledger.append(*entries)
    except LedgerError as error:
        name = entries[-1].event
        raise type(error)(
            f"{error.text}\nthe intention ({name}) is on record, its outcome is not: {act_state}", hint=error.hint
        ) from error
