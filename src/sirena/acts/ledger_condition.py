"""The condition of the audit ledger, for `sirena status` and `sirena doctor`."""

from collections.abc import Sequence
from contextlib import closing

from sirena.domain.errors import SirenaError
from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.server.checks.conditions import Condition, Urgency
from sirena.server.supervision.health_report import PartHealth
from sirena.settings.catalogue import Settings


def ledger_condition(settings: Settings, parts: Sequence[PartHealth]) -> Condition:
    """Verify the ledger from its first entry to its last, and return its condition.

    Args:
        settings: settings that name the ledger.
        parts: health of the stack's parts; if the database is down, the ledger cannot be read.
    """
    if any(part.name == "postgresql" and not part.well for part in parts):
        return Condition("ledger", Urgency.WARNING, "cannot be read: postgresql does not run", "sirena up")
    try:
        with closing(open_ledger(settings)) as ledger:
            verification = verify(ledger)
    except SirenaError as error:
        return Condition("ledger", Urgency.CRITICAL, error.text, error.hint)
    if verification.finding is not None:
        message = f"not intact: {verification.finding.text}"
        return Condition("ledger", Urgency.CRITICAL, message, "change nothing, and see `sirena audit verify`")
    return Condition("ledger", Urgency.OK, f"{verification.entries} entries, intact")
