"""The body sites that a file's specimens show, and the specimens that are not known.

A text is shown only if it looks like a specimen: a misplaced cell may name a patient. Of a hidden text only the row
numbers are given.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from sirena.domain.specimens import SPECIMEN_TERMS, site_of_specimen
from sirena.whonet.fields import fold_header
from sirena.whonet.file import WhonetFile

_LIKE_A_CODE: Final = re.compile(r"[^\W\d_]{1,3}")
_LIKE_A_NAME: Final = re.compile(r"[^\W\d_]+(?:[ .,()/-]+[^\W\d_]+){0,3}")
_LONGEST_NAME: Final = 30
_TELLING: Final = 4
"""Number of first letters that a text must share with a known word to be shown as a misspelt one."""


@dataclass(frozen=True, slots=True)
class UnknownSpecimen:
    """Cells that name no known specimen; their rows are answered as isolates of unknown body site."""

    text: str | None
    """The text, if it looks like a specimen; None for any other text, which may be a patient's."""
    count: int
    rows: tuple[int, ...]
    """Numbers of the first few rows."""


@dataclass(frozen=True, slots=True)
class SpecimenSummary:
    """The specimens of a file, counted."""

    sites: dict[str, int]
    """Number of rows by site, the commonest first; empty without a specimen column."""
    unknown: tuple[UnknownSpecimen, ...]
    """Unknown specimens, the commonest first."""


def summarise_specimens(file: WhonetFile, examples: int) -> SpecimenSummary:
    r"""Count the specimens of a file by body site.

    Args:
        file: the file, from `read_file`.
        examples: how many row numbers are given for each unknown text.

    >>> from io import BytesIO
    >>> from sirena.whonet.reading import read_stream
    >>> file = read_stream(BytesIO(b"SPEC_TYPE,ORGANISM,AMK_NM\nur,eco,4\nur,kpn,8\nzq,eco,4\n"), "2025.csv")
    >>> summarise_specimens(file, examples=5)
    SpecimenSummary(sites={'urine': 2}, unknown=(UnknownSpecimen(text='zq', count=1, rows=(4,)),))
    """
    if file.specimen_column is None:
        return SpecimenSummary({}, ())
    texts = file.frame[file.specimen_column].to_list()
    sites: Counter[str] = Counter()
    unknown: dict[str | None, list[int]] = {}
    for position, text in enumerate(texts):
        site = site_of_specimen(text)
        if site is not None:
            sites[site.value] += 1
        else:
            word = text.strip()
            unknown.setdefault(word if looks_like_a_specimen(word) else None, []).append(position)
    ordered_groups = sorted(unknown.items(), key=lambda group: -len(group[1]))
    return SpecimenSummary(
        dict(sites.most_common()),
        tuple(
            UnknownSpecimen(
                word, len(rows), tuple(file.row_numbers(np.array(rows[:examples], dtype=np.int64)).tolist())
            )
            for word, rows in ordered_groups
        ),
    )


def looks_like_a_specimen(text: str) -> bool:
    """Tell whether an unknown text may be shown: it has up to three letters, or words that begin like a known word.

    Any other word may be a patient's surname in the wrong column; only its rows are named. Digits are never shown.

    >>> looks_like_a_specimen("Orina"), looks_like_a_specimen("E. coli")
    (True, False)
    """
    if _LIKE_A_CODE.fullmatch(text):
        return True
    if len(text) > _LONGEST_NAME or not _LIKE_A_NAME.fullmatch(text):
        return False
    return fold_header(text)[:_TELLING] in _beginnings()


@cache
def _beginnings() -> frozenset[str]:
    return frozenset(entry.term[:_TELLING] for entry in SPECIMEN_TERMS if len(entry.term) >= _TELLING)
