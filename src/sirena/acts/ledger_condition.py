"""The condition of the audit ledger, for `sirena status` and `sirena doctor`."""

from collections.abc import Sequence
from contextlib import closing
from typing import Final

from sirena.domain.errors import SirenaError
from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.server.checks.finding import CheckFinding, CheckVerdict, about
from sirena.server.supervision.health_report import PartHealth
from sirena.settings.catalogue import Settings

_finding: Final = about("ledger")


def ledger_condition(settings: Settings, parts: Sequence[PartHealth]) -> CheckFinding:
    """Verify the ledger from its first entry to its last, and return its condition.

    Args:
        settings: settings that name the ledger.
        parts: health of the stack's parts; if the database is down, the ledger cannot be read.
    """
    if any(part.name == "postgresql" and not part.well for part in parts):
        return _finding(CheckVerdict.WARNING, "cannot be read: postgresql does not run", "sirena up")
    try:
        with closing(open_ledger(settings)) as ledger:
            verification = verify(ledger)
    except SirenaError as error:
        return _finding(CheckVerdict.WRONG, error.text, error.hint)
    if verification.finding is not None:
        message = f"not intact: {verification.finding.text}"
        return _finding(CheckVerdict.WRONG, message, "change nothing, and see `sirena audit verify`")
    return _finding(CheckVerdict.WELL, f"{verification.entries} entries, intact")
