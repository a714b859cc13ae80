"""Whether the stored files of the active release are those that were judged, for `sirena status`."""

from collections.abc import Sequence
from contextlib import closing
from typing import Final

from sirena.domain.errors import SirenaError
from sirena.ledger.store import Ledger, open_ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.server.checks.finding import CheckFinding, CheckVerdict, about
from sirena.server.supervision.health_report import PartHealth
from sirena.settings.catalogue import Settings

_finding: Final = about("release")
_REMEDY: Final = "`sirena audit show --event alarm` tells since when; docs/manual, incidents, tells what to do"


def release_condition(settings: Settings, parts: Sequence[PartHealth]) -> CheckFinding:
    """Compare the stored files of the active release with the ledger, and return the condition found.

    Args:
        settings: settings of the installation.
        parts: health of the parts; without MLflow nothing can be compared.
    """
    if any(part.name in ("mlflow", "postgresql") and not part.well for part in parts):
        return _finding(CheckVerdict.WARNING, "cannot be checked: MLflow does not run", "sirena up")
    try:
        with closing(open_ledger(settings)) as ledger:
            return _condition(settings, ledger)
    except SirenaError as error:
        return _finding(CheckVerdict.WARNING, f"cannot be checked: {error.text}", error.hint)


def _condition(settings: Settings, ledger: Ledger) -> CheckFinding:
    from sirena.acts.judged_watch import JudgedWatch
    from sirena.registry.connection import connect
    from sirena.registry.judged_copy import JudgedCopy

    active = TrustedReading(ledger).read().active
    database = settings.home / "mlflow.db"
    if active is None and settings.effective_tracking_uri == f"sqlite:///{database}" and not database.exists():
        return _finding(CheckVerdict.WELL, "none was activated yet")
    observation = JudgedWatch(settings, ledger).look()
    if observation.failures:
        raise observation.failures[0]
    texts = [discrepancy.text for discrepancy in observation.discrepancies]
    if observation.judgement is not None:
        home = settings.answering_home if settings.holds_production_stack else settings.home
        texts += [discrepancy.text for discrepancy in JudgedCopy(home).read(observation.judgement, None)[1]]
    if texts:
        return _finding(CheckVerdict.WRONG, "; ".join(texts), _REMEDY)
    if observation.judgement is None or active is None:
        return _finding(CheckVerdict.WELL, "none was activated yet")
    message = f"{observation.judgement.release} is the release that was approved (entry {active.entry}, {active.who})"
    if connect(settings).experiment_is_deleted:
        message += f"; the MLflow experiment {settings.experiment_name} was deleted, the next training restores it"
    return _finding(CheckVerdict.WELL, message)
