"""The minimum inhibitory concentration (MIC): how its text is read, and the two-fold dilution it stands for.

Rules, each with a test of like name:

- a number is rounded up to the next two-fold dilution (Etest 0.19 is 0.25); below 0.25 mg/L the usual
  shortened spellings are the dilution itself (0.12, 0.13 = 0.125; 0.06, 0.064 = 0.0625; 0.03, 0.032; 0.016, 0.015);
- 500, 1000 and 2000 mg/L, the screens for high-level aminoglycoside resistance, lie between two dilutions: ``>500``
  is 512 or more, and ``<=500`` is 256 or less, since no growth at 500 excludes 512;
- ``<=4`` is 4 or less; ``<4`` is 2 or less, 2 being the next lower dilution;
- ``>=32`` is 32 or more; ``>8`` is 16 or more, 16 being the next higher dilution;
- comparators are part of the value: ``>16``, ``<=16`` and ``16`` are three different MICs;
- ``0,5`` is 0.5; ``≤ ≥ =< => ＜`` and spaces are read; `sirena.domain.notation` says what may stand around a number and
  what a text means in the column of one antimicrobial only.

Source of the scale and of rounding up: ISO 20776-1; CLSI M07; EUCAST reading guide for gradient tests. Screens of
500, 1000 and 2000 mg/L: CLSI M100, tests for high-level aminoglycoside resistance in enterococci.
"""

import enum
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .notation import read_for, strip_notation

MINIMUM_EXPONENT: Final = -14
MAXIMUM_EXPONENT: Final = 13
"""Dilutions are 2**exponent mg/L; no test gives a result outside 2**-14 … 2**13 (0.00006 … 8192)."""
DILUTIONS: Final = MAXIMUM_EXPONENT - MINIMUM_EXPONENT + 1
"""Number of dilutions on the MIC scale: 28."""
CODES: Final = 3 * DILUTIONS
"""Number of distinct MICs: three kinds of interval × 28 dilutions = 84."""

MISSING: Final = -1
"""Code of an empty cell."""
UNREADABLE: Final = -2
"""Code of a cell that is not an MIC."""
IMPOSSIBLE: Final = -3
"""Code of a cell with a number that no dilution test gives."""


class Interval(enum.IntEnum):
    """What the comparator says about the true MIC, once the number has been rounded to a dilution."""

    EXACT = 0
    """The MIC is this dilution."""
    AT_MOST = 1
    """The MIC is this dilution or lower (``<=``, ``<``)."""
    AT_LEAST = 2
    """The MIC is this dilution or higher (``>=``, ``>``)."""


class UnreadableMicError(ValueError):
    """The text is not an MIC. The error does not echo the text, because a misplaced cell may name a patient."""


class ImpossibleMicError(ValueError):
    """No dilution test gives this number: it is zero, negative, not finite or far off the MIC scale."""


@dataclass(frozen=True, slots=True)
class Mic:
    """An MIC on the scale of two-fold dilutions.

    Attributes:
        interval: whether the MIC is exact or censored.
        exponent: the dilution is ``2 ** exponent`` mg/L.
    """

    interval: Interval
    exponent: int

    @property
    def code(self) -> int:
        """Position of the MIC in a truth table's row: ``interval * DILUTIONS + (exponent - MINIMUM_EXPONENT)``."""
        return self.interval * DILUTIONS + self.exponent - MINIMUM_EXPONENT

    @classmethod
    def from_code(cls, code: int) -> "Mic":
        """Create the MIC from its position in a truth table's row (0 … CODES-1)."""
        interval, position = divmod(code, DILUTIONS)
        return cls(Interval(interval), position + MINIMUM_EXPONENT)

    @property
    def concentration(self) -> float:
        """The dilution in mg/L."""
        return 2.0**self.exponent

    def __str__(self) -> str:
        """Return the MIC as laboratories write it: ``0.12``, ``<=0.5``, ``>=32``."""
        return ("", "<=", ">=")[self.interval] + spell_dilution(self.exponent)


def spell_dilution(exponent: int) -> str:
    """Return the usual spelling of ``2 ** exponent`` mg/L (0.12 for 2**-3, 0.06 for 2**-4).

    >>> spell_dilution(-4), spell_dilution(3)
    ('0.06', '8')
    """
    return _SPELLING.get(exponent) or f"{2.0**exponent:.4g}"


_SPELLING = {
    -3: "0.125",
    -4: "0.06",
    -5: "0.03",
    -6: "0.015",
    -7: "0.008",
    -8: "0.004",
    -9: "0.002",
    -10: "0.001",
}

_ALIAS_LIMIT: Final = 0.25
_ALIAS_TOLERANCE: Final = 0.07  # of one dilution; 0.12 is 0.059 from 0.125, the Etest's 0.094 is 0.4 from it
_SCREENS: Final = (500.0, 1000.0, 2000.0)
"""Concentrations of the screens for high-level aminoglycoside resistance, mg/L."""

_PATTERN = re.compile(
    # possessive blanks (\s*+): a cell of a million blanks is refused in linear time
    r"\s*+(?P<comparator><=|=<|>=|=>|<|>|=)?\s*+"
    r"(?P<number>[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*+",
)
_SPELLINGS = str.maketrans({"≤": "<=", "≥": ">=", "⩽": "<=", "⩾": ">=", "＜": "<", "＞": ">", "＝": "=", "\u00a0": " "})


_SHORTEST_THOUSAND: Final = len("1.024")
"""A shorter number cannot hold a thousands sign."""


def nearest_dilutions(value: float) -> tuple[int, int]:
    """Return the exponents of the nearest dilution at or below a concentration, and of the nearest at or above it.

    The two are equal if the value is a dilution, or its usual shortened spelling (0.12).

    Args:
        value: mg/L, above zero.

    >>> nearest_dilutions(0.12), nearest_dilutions(3.0)
    ((-3, -3), (1, 2))
    """
    logarithm = math.log2(value)
    nearest = round(logarithm)
    tolerance = _ALIAS_TOLERANCE if value < _ALIAS_LIMIT else 1e-9
    if abs(logarithm - nearest) <= tolerance:
        return nearest, nearest
    return math.floor(logarithm), math.ceil(logarithm)


def parse_mic(text: str) -> Mic:
    """Read one MIC as laboratories write it.

    Raises:
        UnreadableMicError: the text is not a number with or without a comparator.
        ImpossibleMicError: no dilution test gives this number.

    >>> parse_mic("<=0.5")
    Mic(interval=<Interval.AT_MOST: 1>, exponent=-1)
    >>> parse_mic(">32").code
    76
    """
    spelled = text.translate(_SPELLINGS)
    match = _PATTERN.fullmatch(spelled)
    if match is None or len(match["number"]) >= _SHORTEST_THOUSAND:
        match = _PATTERN.fullmatch(strip_notation(spelled))
    if match is None:
        raise UnreadableMicError("not an MIC")
    value = float(match["number"].replace(",", "."))
    if not 0 < value < 2.0 ** (MAXIMUM_EXPONENT + 1):
        raise ImpossibleMicError("no dilution test gives this value")
    floor, ceiling = nearest_dilutions(value)
    comparator = match["comparator"] or "="
    if comparator == "=":
        mic = Mic(Interval.EXACT, ceiling)
    elif comparator in ("<=", "=<"):
        mic = Mic(Interval.AT_MOST, floor if value in _SCREENS else ceiling)
    elif comparator == "<":
        mic = Mic(Interval.AT_MOST, floor - 1 if floor == ceiling else floor)
    elif comparator in (">=", "=>"):
        mic = Mic(Interval.AT_LEAST, ceiling)
    else:
        mic = Mic(Interval.AT_LEAST, ceiling + 1 if floor == ceiling else ceiling)
    if not MINIMUM_EXPONENT <= mic.exponent <= MAXIMUM_EXPONENT:
        raise ImpossibleMicError("no dilution test gives this value")
    return mic


def encode_mics(texts: Iterable[str | None], drug: str | None = None) -> NDArray[np.int16]:
    """Return the code of each cell's MIC, which is its position in a truth table's row.

    Callers pass each distinct text of a column once, so that the cost depends on the variety of a file's texts and not
    on its length.

    Args:
        texts: texts of cells; None and blank texts count as missing.
        drug: WHONET code of the column's antimicrobial; some texts have a meaning in one column only.

    Returns:
        int16 array, one per text: 0 … CODES-1, or `MISSING`, `UNREADABLE`, `IMPOSSIBLE`.

    >>> encode_mics(["<=2", "4", "", "sensible"]).tolist()
    [43, 16, -1, -2]
    """
    return np.fromiter((_encode(text, drug) for text in texts), dtype=np.int16)


def _encode(text: str | None, drug: str | None) -> int:
    if text is None or not text.strip():
        return MISSING
    try:
        return parse_mic(text if drug is None else read_for(drug, text)).code
    except UnreadableMicError:
        return UNREADABLE
    except ImpossibleMicError:
        return IMPOSSIBLE
