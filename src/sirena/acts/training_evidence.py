"""Counts from the training reports of a release's models, with which a file is compared."""

from collections.abc import Collection

from sirena.panel.compiled import Panel
from sirena.settings.catalogue import load_settings
from sirena.stewardship.drift_populations import TrainingCounts


def evidence_of(panel: Panel, columns: Collection[str]) -> TrainingCounts:
    """Return the counts that MLflow keeps of the training evidence of a panel's models.

    Args:
        panel: panel of a release.
        columns: model columns to read.

    Raises:
        RegistryUnavailableError: MLflow does not answer.
        RegistryError: a version was deleted, or its report was changed since it was logged.
    """
    # MLflow's client takes seconds to import, and few look at this
    from sirena.registry.connection import connect
    from sirena.registry.training_counts import training_counts

    return training_counts(connect(load_settings()), panel, columns)
