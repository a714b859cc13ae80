"""The experiment that receives every run, restored on record when somebody deleted it."""

from sirena.acts.recording import recorded
from sirena.ledger.catalogue import Administered
from sirena.registry.connection import Registry, restore_experiment


def mend_experiment(registry: Registry) -> None:
    """Restore an experiment that somebody deleted, on record: new runs could not be made in it."""
    if registry.experiment_is_deleted:
        name = registry.settings.experiment_name
        with recorded(registry.settings, Administered, action="restore", resource=f"experiment {name}"):
            restore_experiment(registry)
