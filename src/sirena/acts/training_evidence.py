"""What the trainings of a release's models kept, for whoever compares a file with it."""

from collections.abc import Collection

from sirena.panel.compiled import Panel
from sirena.registry.connection import connect
from sirena.registry.training_counts import training_counts
from sirena.settings.catalogue import load_settings
from sirena.stewardship.drift_populations import TrainingCounts


def evidence_of(panel: Panel, columns: Collection[str]) -> TrainingCounts:
    """Ask MLflow what the models of a panel were made beside.

    Args:
        panel: of a release.
        columns: model columns to ask for.

    Raises:
        RegistryUnavailableError: MLflow does not answer.
        RegistryError: a version is gone, or its report is not the one that was logged.
    """
    return training_counts(connect(load_settings()), panel, columns)
