"""What a cell of an MIC column holds if it holds no readable MIC.

Only the distinct texts of a column are examined, so ten million cells cost little more than ten. The result names
classes and positions and never echoes a text, since a misplaced cell may hold a patient's name.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.mic import IMPOSSIBLE, UNREADABLE, encode_mics
from sirena.domain.notation import NOT_READ
from sirena.whonet.problems import ProblemClass

_NUMBER: Final = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?"
_SIGN: Final = "[<>=≤≥⩽⩾＜＞＝]"
_MONTHS: Final = (
    "jan|feb|mar|apr|may|jun|jul|aug|sept|sep|oct|nov|dec|ene|abr|ago|dic|"
    "january|february|march|april|june|july|august|september|october|november|december|"
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
)
_CLOCK: Final = r"(?:[ t]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_DATES: Final = "|".join(
    (
        rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}{_CLOCK}",
        rf"\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d{{2}}){_CLOCK}",
        rf"\d{{1,2}}[-/. ](?:{_MONTHS})\.?(?:[-/. ]\d{{2,4}})?",
        rf"(?:{_MONTHS})\.?[-/. ]\d{{1,4}}",
        r"\d{1,2}:\d{2}(?::\d{2})?",
    )
)
_BETWEEN: Final = r"(?:\s*[-/;:|+&,]\s*|\s+|\s*(?:to|a|y|and)\s*)"
_SEVERAL: Final = (
    rf"{_SIGN}*\s*{_NUMBER}(?:{_BETWEEN}{_SIGN}*\s*{_NUMBER})+|{_SIGN}+\s*\d[\d.,]*\s*{_SIGN}+\s*\d[\d.,]*"
)
_NO_RESULT: Final = r"trm|n/?[rap]|\(\s*-\s*\)|no\s+(?:probado|ensayado|tested)|not\s+(?:tested|done)"
_THOUSANDS: Final = rf"{_SIGN}*\s*\d{{1,2}}[.,](?:024|048|096|192|384|000)(?!\d).*"
_CATEGORIES: Final = "s|i|r|sdd|ns|ni|nwt|wt|u|s[?]|r[?]|susceptible|sensible|resistant|resistente|intermedi(?:ate|a|o)"
_PATTERNS: Final[tuple[tuple[ProblemClass, re.Pattern[str]], ...]] = tuple(
    (problem_class, re.compile(pattern, re.IGNORECASE))
    for problem_class, pattern in (
        (ProblemClass.COMPARATOR, rf"(?:{_SIGN}\s*)+"),
        (ProblemClass.CATEGORY, _CATEGORIES),
        (ProblemClass.NO_RESULT, _NO_RESULT),
        (ProblemClass.THOUSANDS, _THOUSANDS),
        (ProblemClass.NOT_FINITE, rf"{_SIGN}*\s*[+-]?(?:nan|inf|infinity)"),
        (ProblemClass.SIGN, r"[+-]+|pos(?:\.|itive|itivo)?|neg(?:\.|ative|ativo)?"),
        (ProblemClass.ZONE, rf"{_NUMBER}\s*mm\.?"),
        (ProblemClass.SPREADSHEET_ERROR, r"#(?:div/0!|n/a|name\?|null!|num!|ref!|value!|¡?valor!)|#+|\*+"),
        (ProblemClass.DATE, _DATES),
        (ProblemClass.SEVERAL, _SEVERAL),
    )
)

_SUM: Final = re.compile(rf"{_SIGN}*\s*\d+(?:[.,]\d)?")
_LONGEST: Final = 40
"""Longer texts are classified as free text without the patterns, which would take long on them."""
_WHOLE: Final = re.compile(r"[0-9]{1,2}")
_DILUTION_LIKE: Final = frozenset({6, 8, 12, 16, 24, 32, 48}) | {10, 20, 40}
"""Whole numbers between 6 and 50 that are dilutions, the half dilutions of gradient strips, or the sums of
trimethoprim/sulfamethoxazole (20 = 1/19) and of older panels: they are no sign of a zone diameter."""
_ZONES: Final = frozenset(range(6, 51)) - _DILUTION_LIKE
"""Diameters of inhibition zones in mm: a disk is 6 mm wide, so a zone has 6 to about 50 mm."""


def classify_text(text: str, code: int, reading: str | None = None) -> ProblemClass | None:
    """Return the class of a cell's problem; None if the cell holds an MIC or is empty.

    Args:
        text: the cell.
        code: the text's code from `encode_mics`.
        reading: the text that the cell is read as because of its column's scale (`scales`); None if as it is.

    >>> classify_text("0", IMPOSSIBLE), classify_text("<=0.5", encode_mics(["<=0.5"])[0])
    (<ProblemClass.ZERO: 'zero'>, None)
    """
    content = text.strip()
    if reading is not None and code >= 0:
        return ProblemClass.SUM_READ
    if code == UNREADABLE and _SUM.fullmatch(content) and reading == NOT_READ:
        return ProblemClass.SUM_REFUSED
    if code == IMPOSSIBLE:
        return _classify_number(content)
    if code == UNREADABLE and len(content) <= _LONGEST:
        for problem_class, pattern in _PATTERNS:
            if pattern.fullmatch(content):
                return problem_class
    if code == UNREADABLE:
        return ProblemClass.TEXT
    return ProblemClass.ZONE_LIKE if looks_like_a_zone(content) else None


def looks_like_a_zone(text: str) -> bool:
    """Tell whether a text is a whole number of a zone's size that is not a dilution.

    >>> looks_like_a_zone("23"), looks_like_a_zone("<=0.5")
    (True, False)
    """
    return _WHOLE.fullmatch(text) is not None and int(text) in _ZONES


def _classify_number(text: str) -> ProblemClass:
    match = re.search(_NUMBER, text)
    value = float(match.group().replace(",", ".")) if match else float("nan")
    if not np.isfinite(value):
        return ProblemClass.NOT_FINITE
    if value == 0:
        return ProblemClass.ZERO
    return ProblemClass.NEGATIVE if value < 0 else ProblemClass.OFF_SCALE


def classify_texts(
    texts: Sequence[str], drug: str | None = None, readings: Mapping[str, str] | None = None
) -> dict[str, ProblemClass]:
    """Return the problem class of each distinct text of an MIC column that is unreadable or looks like a zone.

    Args:
        texts: all distinct texts of the column.
        drug: WHONET code of the column's antimicrobial.
        readings: texts that are read as other texts because of the column's scale, see `scales.read_scale`.

    >>> classify_texts(["<=0.5", "23", "0"])
    {'23': <ProblemClass.ZONE_LIKE: 'zone_like_number'>, '0': <ProblemClass.ZERO: 'zero'>}
    """
    other_readings = readings or {}
    codes = encode_mics([other_readings.get(text, text) for text in texts], drug)
    return {
        text: problem_class
        for text, code in zip(texts, codes.tolist(), strict=True)
        if (problem_class := classify_text(text, code, other_readings.get(text))) is not None
    }


def classify_cells(
    column: pl.Series, drug: str | None = None, readings: Mapping[str, str] | None = None
) -> dict[ProblemClass, NDArray[np.int64]]:
    """Return the positions of the cells of one MIC column that are not MICs, or look like a zone or sum.

    Args:
        column: texts, null for empty cells.
        drug: WHONET code of the column's antimicrobial.
        readings: texts that are read as other texts because of the column's scale, see `scales.read_scale`.

    Returns:
        For each class of problem that occurs, in the order of `ProblemClass`, its positions (0-based, ascending).

    >>> classify_cells(pl.Series(["<=0.5", None, "0", "-4"]))
    {<ProblemClass.ZERO: 'zero'>: array([2]), <ProblemClass.NEGATIVE: 'negative'>: array([3])}
    """
    texts = column.drop_nulls().unique().to_list()
    wrong = {text: problem_class.value for text, problem_class in classify_texts(texts, drug, readings).items()}
    if not wrong:
        return {}
    classes = column.replace_strict(list(wrong), list(wrong.values()), default=None, return_dtype=pl.String)
    positions_by_class: dict[ProblemClass, NDArray[np.int64]] = {}
    for problem_class in ProblemClass:
        if problem_class.value in wrong.values():
            positions = (classes == problem_class.value).fill_null(value=False).arg_true()
            positions_by_class[problem_class] = positions.to_numpy().astype(np.int64)
    return positions_by_class
