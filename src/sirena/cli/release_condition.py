"""Whether what MLflow, artifact store and copy hold of the active release is what was judged, for `sirena status`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sirena.operations.conditions import Condition
    from sirena.operations.health_report import PartHealth
    from sirena.operations.settings import Settings
    from sirena.registry.judged_releases import Discrepancy

_REMEDY = "`sirena audit show --event alarm` tells since when; docs/manual, incidents, tells what to do"


def release_condition(settings: "Settings", parts: "Sequence[PartHealth]") -> "Condition":
    """Hold what answers against the ledger.

    Args:
        settings: which installation.
        parts: as they were found; without MLflow there is nothing to look at.
    """
    from sirena.cli.judged import judgements_of
    from sirena.domain.errors import SirenaError
    from sirena.operations.conditions import Condition, Urgency

    if any(part.name in ("mlflow", "postgresql") and not part.well for part in parts):
        return Condition("release", Urgency.WARNING, "cannot be looked at: MLflow does not run", "sirena up")
    try:
        found, told = _look(settings)
        if found:
            # a switch may have been made between the reading of the ledger and the look
            found, told = _look(settings)
        active = judgements_of(settings).active
    except SirenaError as error:
        return Condition("release", Urgency.WARNING, f"cannot be looked at: {error.text}", error.hint)
    if found:
        return Condition("release", Urgency.CRITICAL, "; ".join(one.text for one in found), _REMEDY)
    if active is None:
        return Condition("release", Urgency.OK, "none was activated yet")
    return Condition("release", Urgency.OK, told)


def _look(settings: "Settings") -> "tuple[Sequence[Discrepancy], str]":
    from sirena.cli.judged import judgements_of
    from sirena.registry.connection import connect
    from sirena.registry.judged_copy import JudgedCopy
    from sirena.registry.judged_releases import look_at, look_for_unjudged

    judgements = judgements_of(settings)
    active = judgements.active
    database = settings.home / "mlflow.db"
    if active is None and settings.effective_tracking_uri == f"sqlite:///{database}" and not database.exists():
        return (), ""
    registry = connect(settings)
    if active is None:
        return look_for_unjudged(registry), ""
    look = look_at(registry, active, judgements.under_way)
    judged = look.judged or active
    home = settings.service_home if settings.holds_production_stack else settings.home
    _, changed = JudgedCopy(home).read(judged, None)
    told = f"{judged.release} is what was judged (entry {active.entry}, {active.who})"
    if registry.experiment_is_deleted:
        told += f"; the MLflow experiment {settings.experiment_name} was deleted, the next training restores it"
    return (*look.discrepancies, *changed), told
