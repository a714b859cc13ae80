"""Reading the guideline editions, antimicrobials and organisms named in the commands of ``sirena guideline``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    from sirena.domain.organisms import Organism
    from sirena.guidelines.editions import Editions

Overlay = Annotated[
    Path | None,
    typer.Option("--overlay", help="File of the hospital's own rules, which take precedence over the edition (CSV)."),
]


def known_editions() -> "Editions":
    """Return all guideline editions on this machine, shipped and imported."""
    from sirena.guidelines.editions import Editions
    from sirena.settings.catalogue import load_settings

    return Editions(load_settings().editions_folder)


def chosen_drugs(text: str) -> set[str]:
    """Return the antimicrobial codes in a text, which are separated by commas.

    Raises:
        UsageError: a code stands for no antimicrobial.
    """
    codes = {part.strip().upper() for part in text.split(",") if part.strip()}
    if codes - ANTIMICROBIALS.keys():
        raise UsageError("a code is no antimicrobial of Sirena", hint=f"codes are {', '.join(ANTIMICROBIALS)}")
    return codes


def chosen_organism(text: str) -> "Organism":
    """Return the organism that a code or name stands for.

    Raises:
        UsageError: there is no such organism.
    """
    from sirena.domain.organisms import ORGANISMS, resolve

    code = resolve(text)
    if code is None:
        raise UsageError("the organism is not known", hint="give a WHONET organism code or a species name")
    return ORGANISMS[code]
