"""Categories of susceptibility, and the reasons why a result has none.

S, SDD, I, R and NS are those of CLSI M100 and EUCAST; WT and NWT belong to epidemiological cut-offs (ECOFF); NI is
Sirena's "not interpretable" and always comes with a `Reason`.
"""

import enum


class Category(enum.StrEnum):
    """The category of one MIC. The value is what Sirena writes into an ``Eti_`` column."""

    S = "S"
    SDD = "SDD"
    I = "I"  # noqa: E741 - the field's own name
    R = "R"
    NS = "NS"
    NI = "NI"
    WT = "WT"
    NWT = "NWT"

    @property
    def level(self) -> int | None:
        """Ordinal code for training: S=0, I and SDD=1, R and NS=2; None for WT, NWT and NI, which cannot be labels."""
        return _LEVEL.get(self)


_LEVEL = {Category.S: 0, Category.SDD: 1, Category.I: 1, Category.R: 2, Category.NS: 2}

LABELS: tuple[Category, ...] = (Category.S, Category.SDD, Category.I, Category.R, Category.NS)
"""The categories that count as a laboratory's label; any other text in an ``Eti_`` column is no label."""


def read_label(text: str | None) -> Category | None:
    """Return the label in a cell of a category column; None if the cell holds no label.

    WHONET leaves the MIC itself in the category cell of a result it cannot interpret, so another text than one of
    `LABELS` is not an error.

    Args:
        text: the cell, any case and spacing.

    >>> read_label(" s "), read_label("<=2")
    (<Category.S: 'S'>, None)
    """
    if text is None:
        return None
    word = text.strip().upper()
    return Category(word) if word in LABELS else None


class Reason(enum.StrEnum):
    """Why a result is NI. The value is the stable code that files and answers hold."""

    NO_BREAKPOINT = "no_breakpoint"
    """The guideline edition states no breakpoint for this organism, antimicrobial and body site."""
    UNKNOWN_ORGANISM = "unknown_organism"
    """The organism's code or name is not in the organism table."""
    MISSING_ORGANISM = "missing_organism"
    """The row has an MIC and no organism."""
    NOT_IN_VOCABULARY = "not_in_vocabulary"
    """The model was given no evidence for this organism when it was trained."""
    CENSORED = "censored"
    """The interval of a censored MIC (``<=4``, ``>8``) lies on both sides of a cut point."""
    UNREADABLE_MIC = "unreadable_mic"
    """The cell is not an MIC: text, a lone comparator, several numbers."""
    IMPOSSIBLE_MIC = "impossible_mic"
    """A number that no dilution test gives: zero, negative, not finite, or far off the MIC scale."""
    NO_MODEL = "no_model"
    """The release holds no model for this test column."""
    NOT_AN_MIC = "not_an_mic"
    """The test column holds zone diameters in millimetres."""
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    """The guideline says that the evidence does not suffice for a category (EUCAST's IE)."""
    NOTE = "note"
    """The guideline gives a note instead of a figure; a person must read it."""
    NOT_APPLICABLE = "not_applicable"
    """The guideline does not interpret this MIC but another test, such as a disk screen."""
    BRACKETED = "bracketed"
    """The MIC is at or below a breakpoint in brackets: the guideline gives no category without a comment."""
    OTHER_SITE = "other_site"
    """Breakpoints exist for this organism and antimicrobial at other sites of infection only."""

    @property
    def sentence(self) -> str:
        """The reason for the NI as one English sentence."""
        return _SENTENCE[self]

    @property
    def spanish(self) -> str:
        """The reason for the NI as one Spanish sentence."""
        return _SPANISH[self]


_SENTENCE = {
    Reason.NO_BREAKPOINT: "The guideline edition states no breakpoint for this organism and antimicrobial.",
    Reason.UNKNOWN_ORGANISM: (
        "The organism is not known, or an abbreviation of two meanings (EPI, PSA …); "
        "use a WHONET organism code or a species name."
    ),
    Reason.MISSING_ORGANISM: "The organism is missing.",
    Reason.NOT_IN_VOCABULARY: "The model has seen no evidence for this organism.",
    Reason.CENSORED: "The censored MIC lies on both sides of a cut point.",
    Reason.UNREADABLE_MIC: "The value is not an MIC; write for example 0.5, <=0.25 or >16.",
    Reason.IMPOSSIBLE_MIC: "No dilution test gives this value; MICs lie between 0.0001 and 8192 mg/L.",
    Reason.NO_MODEL: "The release holds no model for this antimicrobial and guideline.",
    Reason.NOT_AN_MIC: "The column holds zone diameters (mm); MIC models do not answer it.",
    Reason.INSUFFICIENT_EVIDENCE: "The guideline finds the evidence insufficient for a category (IE).",
    Reason.NOTE: "The guideline gives no figure here but refers to a note; read it before you report.",
    Reason.NOT_APPLICABLE: "The guideline does not interpret this MIC; it uses another test, such as a disk screen.",
    Reason.BRACKETED: "The breakpoint stands in brackets: at or below it there is no category without a comment.",
    Reason.OTHER_SITE: "The guideline states breakpoints for other sites of infection only.",
}

_SPANISH = {
    Reason.NO_BREAKPOINT: "La guía no establece punto de corte para este microorganismo y antimicrobiano.",
    Reason.UNKNOWN_ORGANISM: (
        "Microorganismo desconocido, o abreviatura de dos sentidos (EPI, PSA …); "
        "use un código de WHONET o el nombre de la especie."
    ),
    Reason.MISSING_ORGANISM: "Falta el microorganismo.",
    Reason.NOT_IN_VOCABULARY: "El modelo no tiene evidencia sobre este microorganismo.",
    Reason.CENSORED: "La CIM censurada abarca valores a ambos lados de un punto de corte.",
    Reason.UNREADABLE_MIC: "El valor no es una CIM; escriba por ejemplo 0,5, <=0,25 o >16.",
    Reason.IMPOSSIBLE_MIC: "Ninguna prueba de dilución da este valor; las CIM van de 0,0001 a 8192 mg/L.",
    Reason.NO_MODEL: "La publicación no tiene modelo para este antimicrobiano y guía.",
    Reason.NOT_AN_MIC: "La columna contiene halos de inhibición (mm); los modelos de CIM no la interpretan.",
    Reason.INSUFFICIENT_EVIDENCE: "La guía considera insuficiente la evidencia para dar una categoría (IE).",
    Reason.NOTE: "La guía no da aquí una cifra, sino que remite a una nota; léala antes de informar.",
    Reason.NOT_APPLICABLE: "La guía no interpreta esta CIM; usa otra prueba, como un cribado con disco.",
    Reason.BRACKETED: "El punto de corte está entre paréntesis: hasta él no hay categoría sin un comentario.",
    Reason.OTHER_SITE: "La guía solo establece puntos de corte para otros sitios de infección.",
}
