"""How grave a change of category is, which decides what a committee and a clinician see first."""

from typing import Final

from ..domain.category import Category

_SUSCEPTIBLE: Final = (Category.S, Category.WT)
_RESISTANT: Final = (Category.R, Category.NS, Category.NWT)
_GRAVEST: Final = (("S", "R"), ("R", "S"), ("S", ""), ("", "S"))


def gravity(before: str, after: str) -> int:
    """Return how grave it is that one category becomes another; the smaller the number, the graver.

    >>> gravity("S", "R") < gravity("R", "S") < gravity("S", "NI") < gravity("S", "I")
    True
    """
    change = _side(before), _side(after)
    return _GRAVEST.index(change) if change in _GRAVEST else len(_GRAVEST)


def _side(category: str) -> str:
    if category in _SUSCEPTIBLE:
        return "S"
    if category in _RESISTANT:
        return "R"
    return "" if category in ("", Category.NI) else "I"
