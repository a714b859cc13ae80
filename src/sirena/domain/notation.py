"""What laboratories write around an MIC, and texts that have a meaning in the column of one antimicrobial only.

Rules, each with a test of like name:

- of a combination's two numbers the first agent's counts, as the guidelines print it: ``<=0.5/9.5``, ``8/4``;
  two numbers that are no combination's (neither a usual ratio nor a usual fixed inhibitor) are not read;
- a category next to the number (``<=0.25 S``, ``0.25 (S)``, ``>32 R``) is the laboratory's label and never an answer;
- a flag (``>8*``) or a unit (``4 µg/mL``) after the number changes nothing;
- ``1,024`` and ``1.024`` are a number with a thousands sign and not 1.02 mg/L, so they are not read;
- in a column of an agent that is no combination, two numbers are not read;
- trimethoprim/sulfamethoxazole as 20, 40, 80 … is the sum of both agents (1/19, 2/38, 4/76), which are no dilutions of
  the first agent, so such a number is not read; a whole column of them is, see `sirena.whonet.scales`;
- ``SYN-S`` and ``SYN-R`` stand for the screen of high-level gentamicin (500 mg/L) or streptomycin (1000 mg/L).

Source: CLSI M100 (ratios, fixed inhibitors, high-level screens); EUCAST breakpoint tables, notes on inhibitors.
"""

import re
from typing import Final

from .antimicrobials import ANTIMICROBIALS
from .category import Category, read_label

NOT_READ: Final = "?"
"""Stands for a text that is not an MIC of the column's antimicrobial."""
SULFAMETHOXAZOLE_SUMS: Final = {"1.25": "0.06", "2.5": "0.12", "5": "0.25"} | {
    str(10 * 2**k): f"{2.0 ** (k - 1):g}" for k in range(8)
}
"""Sum of both agents in the ratio 1:19, as laboratories print it → concentration of trimethoprim alone, mg/L."""
_SUMS: Final = frozenset(float(text) for text in SULFAMETHOXAZOLE_SUMS)

_CATEGORY: Final = "SDD|NS|ND|NI|S|I|R"
_TAIL: Final = re.compile(
    rf"(?P<number>.*?[\d.,])\s*+(?:mg/l|[uµμ]g/ml|mcg/ml)?\s*+/?\s*+"
    rf"(?P<label>\((?:{_CATEGORY})\)|(?:{_CATEGORY}))?\s*+\*{{0,2}}",
    re.IGNORECASE | re.DOTALL,
)
_RATIO: Final = re.compile(r"(?P<first>[<>=≤≥\s]*\d[\d.,]*)\s*/\s*(?P<second>[<>=≤≥\s]*\d[\d.,]*)")
_THOUSANDS: Final = re.compile(r"[<>=≤≥⩽⩾\s]*(?P<number>(?:1[.,]024|2[.,]048|4[.,]096|8[.,]192|16[.,]384))")
_SCREENS: Final = {"GEH": "500", "STH": "1000"}
_LONGEST: Final = 40


def strip_notation(text: str) -> str:
    """Return the comparator and number of a text, without unit, flag, label or second agent; `NOT_READ` if no MIC.

    Args:
        text: text of a cell; if it has none of these, it is returned unchanged.

    >>> strip_notation("<=0.25 S"), strip_notation("8/4"), strip_notation("4 µg/mL")
    ('<=0.25', '8', '4')
    """
    if len(text) > _LONGEST:
        return text
    if _THOUSANDS.fullmatch(text.strip()):
        return NOT_READ
    match = _TAIL.fullmatch(text.strip())
    number = match["number"] if match is not None else text
    ratio = _RATIO.fullmatch(number)
    if ratio is None:
        return NOT_READ if _THOUSANDS.fullmatch(number) else number
    return ratio["first"] if _is_combination(_value(ratio["first"]), _value(ratio["second"])) else NOT_READ


def read_for(drug: str, text: str) -> str:
    """Return a text from an antimicrobial's column as a text that `parse_mic` reads, or `NOT_READ`.

    >>> read_for("GEH", "SYN-R")
    '>500'
    >>> read_for("SXT", "40")
    '?'
    """
    plain_text = text.strip().upper().replace(" ", "")
    if drug in _SCREENS and plain_text in ("SYN-S", "SYN-R"):
        return ("<=" if plain_text.endswith("S") else ">") + _SCREENS[drug]
    if "/" not in text and drug != "SXT":
        return text
    match = _TAIL.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    number = match["number"] if match is not None else text
    if _RATIO.fullmatch(number):
        return text if is_combination(drug) else NOT_READ
    return NOT_READ if drug == "SXT" and _value(number) in _SUMS else text


def is_combination(drug: str) -> bool:
    """Tell whether an antimicrobial is a combination of two agents; True for an unknown code.

    >>> is_combination("AMC"), is_combination("AMP")
    (True, False)
    """
    antimicrobial = ANTIMICROBIALS.get(drug)
    return antimicrobial is None or "/" in antimicrobial.english


def label_beside(text: str) -> Category | None:
    """Return the category that a laboratory wrote next to the MIC in the same cell; None if there is none.

    >>> label_beside("<=0.25 (S)")
    <Category.S: 'S'>
    """
    match = _TAIL.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None or match["label"] is None:
        return None
    return read_label(match["label"].strip("()"))


def _value(number: str) -> float:
    try:
        return float(number.strip("<>=≤≥⩽⩾ \t\u00a0").replace(",", "."))
    except ValueError:
        return float("nan")


def _is_combination(first: float, second: float) -> bool:
    """Tell whether two numbers are a combination as guidelines print it: 2:1, 1:1, 1:19, or a fixed inhibitor.

    Fixed inhibitors have 2, 4 or 8 mg/L. ``1/2`` may mean one half as well as 1 mg/L with 2 mg/L fixed, so the answer
    is False.
    """
    if not first > 0 or not second > 0:
        return False
    ratio = second / first
    return 0.4 <= ratio <= 0.6 or ratio == 1 or 18 <= ratio <= 21 or second in (4, 8) or (second == 2 and first != 1)
