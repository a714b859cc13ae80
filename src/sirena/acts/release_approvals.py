"""Who let a release answer, and since when: for whoever looks at one of its answers."""

import threading

from sirena.acts.judged import ACTIONS, AnsweringPeriod, is_behind_an_entry
from sirena.ledger.store import open_ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.settings.catalogue import Settings


class ReleaseApprovals:
    """Reads on in the ledger from where it read before; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        """Read nothing yet.

        Args:
            settings: whose ledger.
        """
        self._settings = settings
        self._reading: TrustedReading | None = None
        self._one_at_a_time = threading.Lock()

    def of(self, release: str) -> AnsweringPeriod | None:
        """Return the time in which a release answered last; None without one, or where the ledger is not here.

        Args:
            release: ``panel_SIR/3``.

        Raises:
            LedgerError: the ledger is not as it was written, or does not answer.
        """
        if is_behind_an_entry(self._settings):
            return None
        with self._one_at_a_time:
            if self._reading is None:
                self._reading = TrustedReading(open_ledger(self._settings))
            reading = self._reading
        for period in reversed(reading.read().periods):
            judged = period.judgement
            if judged.release == release:
                action = ACTIONS[judged.action]
                return AnsweringPeriod(release, judged.at, period.until, action, judged.who, entry=judged.entry)
        return None
