"""Which of a hospital's own rules are meant."""

import enum
from typing import Final

MOST_RULES: Final = 300
"""Rules of one kind that a hospital may have."""


class RuleKind(enum.StrEnum):
    """Which rules they are."""

    OVERLAY = "overlay"
    """Breakpoints and expected resistance, laid over guideline editions."""
    EXPERT = "expert"
    """Expert rules, on top of Sirena's."""
