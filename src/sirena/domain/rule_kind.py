"""The two kinds of rules that a hospital may add to Sirena's."""

import enum
from typing import Final

MOST_RULES: Final = 300
"""Most rules of one kind that a hospital may have."""


class RuleKind(enum.StrEnum):
    """Kind of a hospital's own rules."""

    OVERLAY = "overlay"
    """Breakpoints and expected resistance that replace or add to those of a guideline edition."""
    EXPERT = "expert"
    """Expert rules, in addition to Sirena's."""
