"""The antimicrobials Sirena knows, by WHONET code: all that have MIC breakpoints for humans in a shipped edition.

The facts are in ``antimicrobials.csv``, in this module's folder: WHONET code, names in English and Spanish, WHO ATC
code, class. To add an antimicrobial, add a line there.

Two names are the same if their letters and digits agree, whatever their case and accents; nothing more is guessed
(`whonet.drug_headers` compares stems, for headers of other systems).
"""

import csv
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from .shipped_tables import open_table


@dataclass(frozen=True, slots=True)
class Antimicrobial:
    """One antimicrobial agent, or one combination of agents."""

    code: str
    """WHONET code, upper case: ``AMK``."""
    english: str
    spanish: str
    atc: str
    """WHO ATC code, or the ATC group by which tables of expected resistance name classes; empty if there is none."""
    family: str
    """Class in English: ``Aminoglycosides``."""


def _read() -> dict[str, Antimicrobial]:
    with open_table("antimicrobials.csv") as stream:
        rows = csv.reader(stream)
        next(rows)
        return {row[0]: Antimicrobial(*row) for row in rows}


ANTIMICROBIALS: Final[dict[str, Antimicrobial]] = _read()
"""Every antimicrobial by its WHONET code, in alphabetical order."""

FIRST_PANEL: Final = (
    *("AMK", "AMP", "ATM", "CAS", "CAZ", "CIP", "CLI", "CPT", "CRO", "CTX", "CZA", "CZO", "CZT", "DAP", "ERY"),
    *("ETP", "FEP", "FLU", "FOS", "FOX", "GEH", "GEN", "IPM", "LNZ", "LVX", "MEM", "MFX", "MIF", "NIT", "NOR"),
    *("OXA", "PEN", "RIF", "SAM", "STH", "SXT", "TCY", "TGC", "TZP", "VAN", "VOR"),
)
"""The 41 antimicrobials of the hospital Sirena was first built for, in alphabetical order. The demo trains them."""

HIGH_LEVEL: Final = frozenset({"GEH", "STH"})
"""High-level aminoglycosides: their test is a screen for synergy with an agent that acts on the cell wall."""


def find_antimicrobial(text: str) -> Antimicrobial | None:
    """Return the antimicrobial that a WHONET code, or a name in English or Spanish, stands for; None if there is none.

    >>> find_antimicrobial("amk").code, find_antimicrobial("piperacilina tazobactam").code
    ('AMK', 'TZP')
    """
    return ANTIMICROBIALS.get(text.strip().upper()) or antimicrobial_named(text)


def antimicrobial_named(name: str) -> Antimicrobial | None:
    """Return the antimicrobial of a name in English or Spanish; None for any other text, also for a WHONET code.

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
"""Every antimicrobial by the letters of its names, also without *de*: *de alta carga*, *alta carga*."""
