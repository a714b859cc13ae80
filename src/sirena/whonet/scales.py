"""The meaning of a column's figures where a single cell does not show it, but all values of the column together do.

Rules, each with a test of like name:

- trimethoprim/sulfamethoxazole may be the sum of both agents (20, 40, 80, 160, 320) or the first agent's figure: a
  column that holds sums only, one of them 20 or more, is read as sums, 40 as 2/38, and reported;
- sums mixed with figures of the first agent are not read, unless a mapping says what the column holds;
- ``1.000`` and ``2.000`` are one and two if all figures of the column have three decimals; in other columns the point
  may be a thousands sign, so they are not read.
"""

import enum
import re
from collections.abc import Iterable, Mapping
from typing import Final

from sirena.domain.mic import parse_mic
from sirena.domain.notation import NOT_READ, SULFAMETHOXAZOLE_SUMS

_FIGURE: Final = re.compile(
    r"(?P<sign>[<>=≤≥⩽⩾\s]*)(?P<number>\d+(?:[.,]\d+)?)(?P<tail>(?:\s*(?:mg/l|[uµμ]g/ml))?.*)", re.I
)
_THREE_DECIMALS: Final = re.compile(r"\d+[.,]\d{3}")
_THOUSAND: Final = re.compile(r"\d{1,2}[.,]000")
_LEAST_SUM: Final = 20.0
"""Least sum that shows what a column holds; lower ones (2.5, 5, 10) alone do not."""


class Scale(enum.StrEnum):
    """What the figures of trimethoprim/sulfamethoxazole mean. The value is the mapping's word."""

    FIRST = "first"
    """The figures are trimethoprim's alone, as guidelines print them."""
    SUM = "sum"
    """The figures are the sum of both agents, as VITEK prints them."""


def read_scale(drug: str, texts: Iterable[str], scale: Scale | None = None) -> Mapping[str, str]:
    """Return the text that each distinct text is read as, if not as itself; `NOT_READ` for one that is not read.

    Args:
        drug: WHONET code of the column's antimicrobial.
        texts: the column's distinct texts.
        scale: the column's scale, if a mapping states it.

    >>> read_scale("SXT", ["20", "40", "320"])
    {'20': '1', '40': '2', '320': '16'}
    """
    figures = {text: match for text in texts if (match := _FIGURE.fullmatch(text.strip())) is not None}
    readings = _thousands({text: match["number"] for text, match in figures.items()})
    if drug == "SXT":
        readings |= _sums({text: match for text, match in figures.items() if "/" not in match["tail"]}, scale)
    return readings


def _thousands(numbers: Mapping[str, str]) -> dict[str, str]:
    doubtful = [text for text, number in numbers.items() if _THOUSAND.fullmatch(number)]
    if not doubtful or all(_THREE_DECIMALS.fullmatch(number) for number in numbers.values()):
        return {}
    return dict.fromkeys(doubtful, NOT_READ)


def _sums(figures: Mapping[str, re.Match[str]], scale: Scale | None) -> dict[str, str]:
    sums = {text: first for text, match in figures.items() if (first := _first_agent(match["number"])) is not None}
    if scale is Scale.FIRST:
        return {text: str(parse_mic(text)) for text in sums}
    unmistakable = (
        bool(sums)
        and len(sums) == len(figures)
        and any(float(figures[text]["number"].replace(",", ".")) >= _LEAST_SUM for text in sums)
    )
    if scale is Scale.SUM or unmistakable:
        return {text: figures[text]["sign"].strip() + first for text, first in sums.items()}
    return dict.fromkeys(sums, NOT_READ)


def _first_agent(number: str) -> str | None:
    plain = number.replace(",", ".")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return SULFAMETHOXAZOLE_SUMS.get(plain)
