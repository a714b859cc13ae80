"""What the models that answer were made beside, as far as it is at hand.

It is asked for once for each release, since the answer never changes.
"""

import logging
from collections.abc import Callable, Collection
from threading import Lock
from typing import Final

from sirena.domain.errors import SirenaError
from sirena.panel.compiled import Panel
from sirena.stewardship.drift_populations import TrainingCounts
from sirena.web.answers import NamedPanel

EvidenceOf = Callable[[Panel, Collection[str]], TrainingCounts]
"""Returns what the trainings of a panel's models kept for some model columns; raises `SirenaError`. May block."""
_RELEASES: Final = 4
_LOG = logging.getLogger(__name__)


class TrainingSide:
    """Remembers what was kept for the releases asked for last."""

    def __init__(self, evidence_of: EvidenceOf | None = None) -> None:
        """Ask for nothing yet.

        Args:
            evidence_of: asks the registry; None where there is none.
        """
        self._evidence_of = evidence_of
        self._known: dict[str, TrainingCounts] = {}
        self._one_at_a_time = Lock()

    def of(self, answers: NamedPanel) -> TrainingCounts | None:
        """Return what was kept; None where no model answers, or the registry does not say."""
        if self._evidence_of is None or not answers.by_models:
            return None
        panel = answers.panel
        with self._one_at_a_time:
            if panel.release not in self._known:
                try:
                    counts = self._evidence_of(panel, panel.tables)
                except SirenaError as error:
                    _LOG.warning("what %s was trained beside is not at hand: %s", panel.release, error.code)
                    return None
                while len(self._known) >= _RELEASES:
                    del self._known[next(iter(self._known))]
                self._known[panel.release] = counts
            return self._known[panel.release]
