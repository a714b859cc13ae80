"""Titles of rows: ``Fosfomycin iv (other indications), E. coli`` names agent, route, indication and organisms.

Rules, each with a test of like name:

- the longest name of an antimicrobial that begins the title counts: ``Ampicillin-sulbactam`` is not ampicillin;
- a word in brackets is an indication EUCAST uses, or the title is not understood;
- what follows a comma, or stands on a line of its own, names organisms;
- the oral form of cefuroxime has a WHONET code of its own, and so have the tests for high-level resistance.

The names are in ``agents.csv``: name as EUCAST prints it, form, WHONET code. A name without a code is an
antimicrobial that WHONET has no code for, so Sirena cannot answer for it.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from sirena.guidelines.eucast.findings import UndecidableError
from sirena.guidelines.sites import Indication

_ROUTES: Final = {"iv": Indication.INTRAVENOUS, "oral": Indication.ORAL}
_HIGH_LEVEL: Final = "test for acquired aminoglycoside-modifying enzyme"
_INDICATIONS: Final[dict[str, tuple[Indication, ...]]] = {
    "all indications": (),
    "all indications including prophylaxis": (),
    "all indications, including meningitis and prophylaxis": (),
    "pivmecillinam": (),
    _HIGH_LEVEL: (),
    "uncomplicated uti only": (Indication.UNCOMPLICATED_UTI,),
    "infections originating from the urinary tract": (Indication.URINARY_ORIGIN,),
    "systemic infections": (Indication.SYSTEMIC,),
    "other indications": (Indication.OTHER_INDICATIONS,),
    "meningitis": (Indication.MENINGITIS,),
    "endocarditis": (Indication.ENDOCARDITIS,),
    "endocarditis and meningitis": (Indication.MENINGITIS, Indication.ENDOCARDITIS),
    "endocarditis, in combination with other antimicrobial treatment": (Indication.ENDOCARDITIS_COMBINATION,),
    "indications other than meningitis": (Indication.NON_MENINGITIS,),
    "indications other than endocarditis": (Indication.NON_ENDOCARDITIS,),
    "indications other than endocarditis and meningitis": (Indication.NON_MENINGITIS, Indication.NON_ENDOCARDITIS),
    "indications other than pneumonia": (Indication.NON_PNEUMONIA,),
    "pneumonia": (Indication.PNEUMONIA,),
    "community-acquired pneumonia": (Indication.PNEUMONIA,),
    "skin and skin structure infections": (Indication.SKIN,),
    "prophylaxis only": (Indication.PROPHYLAXIS,),
    "for prophylaxis only": (Indication.PROPHYLAXIS,),
    "screen only": (Indication.SCREEN,),
    "surrogate agent": (Indication.SCREEN,),
}
"""Indications by EUCAST's words for them, in lower case."""


@dataclass(frozen=True, slots=True)
class Title:
    """What the title of a row states."""

    answers: tuple[tuple[str, tuple[Indication, ...]], ...]
    """WHONET codes the row is for, each with its indications."""
    organisms: str
    """The part of the title that names organisms; empty if the row is for the whole table."""


@cache
def _names() -> dict[str, dict[str, str]]:
    """Return each antimicrobial's WHONET codes, by name and then by form."""
    names: dict[str, dict[str, str]] = {}
    with Path(__file__).with_name("agents.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            names.setdefault(row["name"], {})[row["form"]] = row["code"]
    return names


def names_an_agent(text: str) -> bool:
    """Tell whether a text begins with the name of an antimicrobial.

    >>> names_an_agent("Ampicillin (uncomplicated UTI only)"), names_an_agent("Penicillins")
    (True, False)
    """
    return _name_of(text) is not None


def _name_of(text: str) -> str | None:
    fitting = (name for name in _names() if re.match(rf"{re.escape(name)}(?![\w-])", text))
    return max(fitting, key=len, default=None)


def read_title(text: str) -> Title:
    """Read the title of a row.

    Args:
        text: as printed, without numbers of notes, spaces reduced.

    Raises:
        UndecidableError: a part of it is not understood.

    >>> title = read_title("Nitrofurantoin (uncomplicated UTI only), E. coli")
    >>> [code for code, _ in title.answers], title.organisms
    (['NIT'], 'E. coli')
    """
    name = _name_of(text)
    if name is None:
        raise UndecidableError("the row names no antimicrobial that Sirena knows")
    rest = text[len(name) :].strip()
    route: Indication | None = None
    indications: list[Indication] = []
    high_level = False
    while rest and not rest.startswith(","):
        if word := re.match(r"(iv|oral)(?!\w)", rest):
            route = _ROUTES[word[1]]
        elif word := re.match(r"\(([^()]*)\)", rest):
            phrase = word[1].strip().lower()
            if phrase not in _INDICATIONS:
                raise UndecidableError("the title holds an indication that is not understood")
            indications += _INDICATIONS[phrase]
            high_level = high_level or phrase == _HIGH_LEVEL
        elif re.match(r"[A-Z][a-z]*\.?\s", rest):
            break
        else:
            raise UndecidableError("the title holds words that are not understood")
        rest = rest[word.end() :].strip()
    return Title(_answers(_names()[name], route, tuple(indications), high_level), rest.lstrip(", ").strip())


def _answers(
    codes: dict[str, str], route: Indication | None, indications: tuple[Indication, ...], high_level: bool
) -> tuple[tuple[str, tuple[Indication, ...]], ...]:
    if not codes[""]:
        raise UndecidableError("Sirena has no code for this antimicrobial")
    answers = [(codes[""], (*((route,) if route else ()), *indications))]
    if route is Indication.ORAL and "oral" in codes:
        answers.append((codes["oral"], indications))
    if high_level:
        answers.append((codes["high-level"], (Indication.SCREEN,)))
    return tuple(answers)
