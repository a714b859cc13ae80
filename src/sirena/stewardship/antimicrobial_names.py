"""The name of a column's antimicrobial."""

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.language import Language


def drug_name(column: str, language: Language) -> str:
    """Return the name of a column's antimicrobial in a language; the column's own name if it is unknown.

    >>> drug_name("CIP_NM", Language.SPANISH)
    'Ciprofloxacino'
    """
    drug = ANTIMICROBIALS.get(column.partition("_")[0])
    return column if drug is None else drug.spanish if language is Language.SPANISH else drug.english
