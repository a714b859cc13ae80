"""Explaining an answer: the MIC among all dilutions with their categories, and the statement that decides."""

from collections.abc import Mapping
from dataclasses import dataclass

from sirena.domain.antimicrobials import ANTIMICROBIALS, Antimicrobial
from sirena.domain.category import Category
from sirena.domain.ground import Ground, Mark
from sirena.domain.language import Language
from sirena.domain.mic import Interval, Mic, encode_mics, spell_dilution
from sirena.domain.organisms import ORGANISMS, Organism
from sirena.domain.site import Site
from sirena.domain.test_column import parse_test_column
from sirena.domain.truth_table import ANSWERS, Answer
from sirena.panel.basis import MARKS, ground_sentence, reason_sentence
from sirena.panel.layouts import NO_GROUND
from sirena.panel.lookup import resolve_text
from sirena.web.answers import NamedPanel

_FIRST, _LAST = -8, 10
"""Exponents of the first and last dilution shown, 0.004 to 1024 mg/L, between which all breakpoints lie."""


@dataclass(frozen=True, slots=True)
class Dilution:
    """One dilution, with the category that it would get."""

    text: str
    """Concentration, mg/L."""
    category: Category
    """Category of this MIC."""
    is_measured: bool
    """True for the measured MIC; for a censored MIC, for all dilutions that it may mean."""


@dataclass(frozen=True)
class CellExplanation:
    """An answer, with everything on which it rests."""

    column: str
    """Test column, ``AMK_NM``."""
    guideline: str
    """Letter of the column's guideline, ``N`` for CLSI, ``E`` for EUCAST; empty when it names none."""
    drug: Antimicrobial | None
    organism: Organism | None
    site: Site
    mic: str
    """MIC as the laboratory wrote it."""
    mic_read: str
    """MIC as it was understood, ``<=0.5``; empty when the text is no MIC."""
    answer: Answer | None
    mark: Mark | None
    ground: Ground | None
    line: tuple[Dilution, ...]
    """Dilutions with their categories; empty when organism or MIC are not known."""
    provenance: Mapping[str, str]
    """Model, version, release and edition, as far as they apply."""
    position: int
    """Place of the answer in `ANSWERS`."""

    def sentence(self, language: str) -> str:
        """Return one line that says what the answer rests on, or why there is no answer."""
        tongue = Language(language)
        if self.ground is not None:
            return ground_sentence(self.ground, self.mark, tongue)
        return reason_sentence(self.position, tongue)

    def reason(self, language: str) -> str:
        """Return why the answer is NI; empty for a category."""
        if self.answer is None or self.answer.reason is None:
            return ""
        return reason_sentence(self.position, Language(language))


def explain(answers: NamedPanel, column: str, organism: str | None, mic: str | None, site: Site) -> CellExplanation:
    """Answer one MIC, and return the answer with its explanation.

    Args:
        answers: the panel that answers.
        column: test column, ``AMK_NM``.
        organism: WHONET code or name, as written.
        mic: the MIC, as written.
        site: body site of the infection, from the specimen.
    """
    panel = answers.panel
    code = resolve_text(organism)
    test_column = parse_test_column(column)
    mic_code = int(encode_mics([mic], test_column.drug if test_column else None)[0])
    position = panel.answer_resolved(column, code, mic, site)
    number = panel.ground_number(column, code, site) if mic_code >= 0 else NO_GROUND
    answer = ANSWERS[position]
    has_category = answer is not None and answer.category is not Category.NI
    return CellExplanation(
        column=column,
        guideline=test_column.guideline if test_column else "",
        drug=ANTIMICROBIALS.get(test_column.drug) if test_column else None,
        organism=ORGANISMS.get(code or ""),
        site=site,
        mic=mic or "",
        mic_read=str(Mic.from_code(mic_code)) if mic_code >= 0 else "",
        answer=answer,
        mark=MARKS[panel.mark_of(number, site)] if has_category else None,
        ground=None if number == NO_GROUND else panel.grounds[number],
        line=_line(answers, column, code, mic_code, site) if code and mic_code >= 0 else (),
        provenance=panel.provenance_of(column),
        position=position,
    )


def _line(answers: NamedPanel, column: str, code: str, mic_code: int, site: Site) -> tuple[Dilution, ...]:
    measured_mic = Mic.from_code(mic_code)
    steps = []
    for exponent in range(_FIRST, _LAST + 1):
        mic = Mic(Interval.EXACT, exponent)
        answer = ANSWERS[answers.panel.answer_resolved(column, code, str(mic), site)]
        steps.append(
            Dilution(
                spell_dilution(exponent), answer.category if answer else Category.NI, _covers(measured_mic, exponent)
            )
        )
    return tuple(steps)


def _covers(measured_mic: Mic, exponent: int) -> bool:
    if measured_mic.interval is Interval.AT_MOST:
        return exponent <= measured_mic.exponent
    if measured_mic.interval is Interval.EXACT:
        return exponent == measured_mic.exponent
    return exponent >= measured_mic.exponent
