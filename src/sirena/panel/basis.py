"""What accompanies a category: its ground as a sentence, and a mark if it was given without knowing the body site.

Rules, each with a test of like name:

- a ground is written in English or Spanish, after what it assumes about the body site;
- if no statement decided, the reason of the NI is written in the same language;
- only a category has a mark: an NI has its reason, and an empty MIC has nothing.
"""

from typing import Final

from ..domain.category import Category
from ..domain.ground import Ground, Mark
from ..domain.language import Language
from ..domain.site import Site
from ..domain.truth_table import ANSWERS

MARKS: Final[tuple[Mark | None, ...]] = (None, *Mark)
"""Every possible mark. Other tables hold a mark as its position here."""

IS_CATEGORY: Final = tuple(answer is not None and answer.category is not Category.NI for answer in ANSWERS)
"""For each position in `ANSWERS`, whether it is a category, that is neither NI nor "not asked"."""

_NOT_RECORDED: Final = {
    Language.ENGLISH: "not recorded: the release was made by an earlier version",
    Language.SPANISH: "no registrado: la publicación se hizo con una versión anterior",
}


def mark_position(ground: Ground | None, site: Site) -> int:
    """Return the position in `MARKS` of the mark that a ground's answers have at a body site.

    >>> mark_position(None, Site.BLOOD)
    0
    """
    marks = ground.marks(site) if ground is not None else ()
    return MARKS.index(marks[0]) if marks else 0


def ground_sentence(ground: Ground, mark: Mark | None, language: Language) -> str:
    """Return a ground as one line; what it assumes about the body site comes first.

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
    """Return the sentence for an answer without a ground: its reason, or that no ground was recorded.

    Args:
        position: position of the answer in `ANSWERS`.
        language: language of the sentence.

    >>> from sirena.domain.category import Category, Reason
    >>> from sirena.domain.truth_table import answer_code
    >>> reason_sentence(answer_code(Category.NI, Reason.NO_BREAKPOINT), Language.ENGLISH)
    'The guideline edition states no breakpoint for this organism and antimicrobial.'
    """
    answer = ANSWERS[position]
    if answer is None or answer.reason is None:
        return _NOT_RECORDED[language]
    return answer.reason.spanish if language is Language.SPANISH else answer.reason.sentence
