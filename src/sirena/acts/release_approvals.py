"""Who activated a release and when it began to answer, for people who look at one of its answers."""

import threading

from sirena.acts.judged import AnsweringPeriod, answering_period, is_behind_an_entry, override_reasons
from sirena.ledger.store import Ledger, open_ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.settings.catalogue import Settings


class ReleaseApprovals:
    """Periods in which releases answered, from the ledger; each call reads only new ledger entries. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        """Create the object; nothing is read yet.

        Args:
            settings: settings that name the ledger.
        """
        self._settings = settings
        self._reading: tuple[Ledger, TrustedReading] | None = None
        self._one_at_a_time = threading.Lock()

    def of(self, release: str) -> AnsweringPeriod | None:
        """Return the last period in which a release answered; None if it never did, or if the ledger is elsewhere.

        Args:
            release: ``panel_SIR/3``.

        Raises:
            LedgerError: the ledger is not as it was written, or does not answer.
        """
        if is_behind_an_entry(self._settings):
            return None
        with self._one_at_a_time:
            if self._reading is None:
                own_ledger = open_ledger(self._settings)
                self._reading = own_ledger, TrustedReading(own_ledger)
            ledger, reading = self._reading
        periods = reversed(reading.read().periods)
        period = next((candidate for candidate in periods if candidate.judgement.release == release), None)
        return answering_period(period, override_reasons(ledger)) if period is not None else None
