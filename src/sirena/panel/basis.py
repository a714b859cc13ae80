"""What stands beside a category: the sentence it rests on, and the mark of a category given without knowing the site.

Rules, each with a test of like name:

- a ground is told in English or Spanish, and what it assumes of the site stands before it;
- where no statement decided, the reason of the NI is told in the same language;
- only a category carries a mark: an NI has its reason, and an empty MIC nothing.
"""

import enum
from typing import Final

from ..domain.category import Category
from ..domain.ground import Ground, Mark
from ..domain.site import Site
from ..domain.truth_table import ANSWERS


class Language(enum.StrEnum):
    """Language of sentences."""

    ENGLISH = "en"
    SPANISH = "es"


MARKS: Final[tuple[Mark | None, ...]] = (None, *Mark)
"""Every possible mark; marks are kept as positions in this tuple."""

IS_CATEGORY: Final = tuple(answer is not None and answer.category is not Category.NI for answer in ANSWERS)
"""Which positions in `ANSWERS` are a category, neither NI nor "not asked"."""

_NOT_RECORDED: Final = {
    Language.ENGLISH: "not recorded: the release was made by an earlier version",
    Language.SPANISH: "no registrado: la publicación se hizo con una versión anterior",
}


def mark_position(ground: Ground | None, site: Site) -> int:
    """Return the position in `MARKS` of what a reader must know when a ground answers at a site."""
    marks = ground.marks(site) if ground is not None else ()
    return MARKS.index(marks[0]) if marks else 0


def ground_sentence(ground: Ground, mark: Mark | None, language: Language) -> str:
    """Return a ground as one line, with what it assumes of the site before it.

    >>> from sirena.domain.ground import GroundKind
    >>> ground_sentence(Ground(GroundKind.NONE, "CLSI 2026"), None, Language.SPANISH)
    'sin punto de corte (CLSI 2026)'
    """
    spanish = language is Language.SPANISH
    sentence = ground.spanish() if spanish else ground.english()
    if mark is None:
        return sentence
    return f"{mark.spanish if spanish else mark.english}: {sentence}"


def reason_sentence(position: int, language: Language) -> str:
    """Return why an answer rests on no ground: the sentence of its reason, or that none was recorded.

    Args:
        position: of the answer in `ANSWERS`.
        language: of the sentence.
    """
    answer = ANSWERS[position]
    if answer is None or answer.reason is None:
        return _NOT_RECORDED[language]
    return answer.reason.spanish if language is Language.SPANISH else answer.reason.sentence
