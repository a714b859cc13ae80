"""Reading what `sirena doctor` found."""

from typing import Final

from sirena.server.checks.finding import CheckFinding, CheckReport
from sirena.server.checks.standing import StackStanding, StackState

FRESH: Final = StackStanding(StackState.NONE)
"""Of a server before its first start."""


def named(check_report: CheckReport, name: str) -> list[CheckFinding]:
    """Return the findings about one thing."""
    return [one for one in check_report.findings if one.name.startswith(name)]
