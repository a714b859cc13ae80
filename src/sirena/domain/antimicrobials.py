"""The antimicrobials Sirena answers for, by WHONET code: every one with human MIC rows in a shipped edition.

The facts stand in ``antimicrobials.csv`` beside this module: WHONET code, names in English and Spanish, WHO ATC code,
class. A further antimicrobial is one more line there.

A name that somebody wrote is compared without case, accents and whatever stands between its letters and digits; no
more is guessed (`whonet.drug_headers` compares stems, for headers of other systems).
"""

import csv
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from .shipped_tables import open_table


@dataclass(frozen=True, slots=True)
class Antimicrobial:
    """An antimicrobial agent or combination."""

    code: str
    """WHONET code, upper case: ``AMK``."""
    english: str
    spanish: str
    atc: str
    """WHO ATC code or group prefix by which expected resistance names classes; empty when it has none."""
    family: str
    """Class in English: ``Aminoglycosides``."""


def _read() -> dict[str, Antimicrobial]:
    with open_table("antimicrobials.csv") as stream:
        rows = csv.reader(stream)
        next(rows)
        return {row[0]: Antimicrobial(*row) for row in rows}


ANTIMICROBIALS: Final[dict[str, Antimicrobial]] = _read()
"""By WHONET code, in alphabetical order."""

FIRST_PANEL: Final = (
    *("AMK", "AMP", "ATM", "CAS", "CAZ", "CIP", "CLI", "CPT", "CRO", "CTX", "CZA", "CZO", "CZT", "DAP", "ERY"),
    *("ETP", "FEP", "FLU", "FOS", "FOX", "GEH", "GEN", "IPM", "LNZ", "LVX", "MEM", "MFX", "MIF", "NIT", "NOR"),
    *("OXA", "PEN", "RIF", "SAM", "STH", "SXT", "TCY", "TGC", "TZP", "VAN", "VOR"),
)
"""The 41 antimicrobials of the hospital Sirena was first built for, in alphabetical order; the demo trains them."""

HIGH_LEVEL: Final = frozenset({"GEH", "STH"})
"""High-level aminoglycosides: the test is itself a screen, for synergy with an agent that acts on the cell wall."""


def find_antimicrobial(text: str) -> Antimicrobial | None:
    """Return the antimicrobial of a WHONET code or a name in English or Spanish; None where there is none.

    >>> find_antimicrobial("amk").code, find_antimicrobial("piperacilina tazobactam").code
    ('AMK', 'TZP')
    """
    return ANTIMICROBIALS.get(text.strip().upper()) or antimicrobial_named(text)


def antimicrobial_named(name: str) -> Antimicrobial | None:
    """Return the antimicrobial of a name in English or Spanish; a code is no name.

    >>> antimicrobial_named("Ácido fusídico").code, antimicrobial_named("AMK")
    ('FUS', None)
    """
    return _BY_NAME.get(_letters(name))


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", plain)


_BY_NAME: Final = {
    _letters(spelling): drug
    for drug in ANTIMICROBIALS.values()
    for name in (drug.english, drug.spanish)
    for spelling in (name, name.replace(" de ", " "))
}
"""By name; *de alta carga* is *alta carga* too."""
