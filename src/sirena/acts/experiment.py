"""Restoring the experiment of all runs when somebody deleted it."""

from sirena.acts.recording import recorded
from sirena.ledger.catalogue import Administered
from sirena.registry.connection import Registry, restore_experiment


def mend_experiment(registry: Registry) -> None:
    """Restore the experiment if somebody deleted it, and record that: no run can be made in a deleted experiment."""
    if registry.experiment_is_deleted:
        name = registry.settings.experiment_name
        with recorded(registry.settings, Administered, action="restore", resource=f"experiment {name}"):
            restore_experiment(registry)
