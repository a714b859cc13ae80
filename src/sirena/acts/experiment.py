"""Restoring the MLflow experiment that holds all runs, if somebody deleted it."""

from sirena.acts.recording import recorded
from sirena.ledger.catalogue import Administered
from sirena.registry.connection import Registry, restore_experiment


def mend_experiment(registry: Registry) -> None:
    """Restore the MLflow experiment of all runs if somebody deleted it, and record that: else no run can be made."""
    if registry.experiment_is_deleted:
        name = registry.settings.experiment_name
        with recorded(registry.settings, Administered, action="restore", resource=f"experiment {name}"):
            restore_experiment(registry)
