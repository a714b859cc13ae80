"""Counts of the training evidence of the models that answer, if the registry has them.

They are read once for each release, since they never change.
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
"""Function that returns the counts of a panel's training evidence for some model columns; may block or raise
`SirenaError`."""
_RELEASES: Final = 4
_LOG = logging.getLogger(__name__)


class TrainingSide:
    """Counts of the training evidence, kept for the few releases used last."""

    def __init__(self, evidence_of: EvidenceOf | None = None) -> None:
        """Create the store; nothing is read yet.

        Args:
            evidence_of: reads the counts; None without a registry.
        """
        self._evidence_of = evidence_of
        self._known: dict[str, TrainingCounts] = {}
        self._one_at_a_time = Lock()

    def of(self, answers: NamedPanel) -> TrainingCounts | None:
        """Return the counts for the panel that answers; None if no model answers, or the registry lacks the counts."""
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
