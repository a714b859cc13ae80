"""What must be so in a row for a rule or an alert: ``MRSA=+ or OXA|FOX=R``, ``BETA_LACT=- and AMP=R``.

Rules, each with a test of like name:

- a condition is a WHONET field with ``+`` or ``-``, or one or more antimicrobials with ``S``, ``R`` or ``NS``;
- ``|`` between antimicrobials means any of them; ``and`` binds closer than ``or``;
- ``R`` is R or NS; ``NS`` is also I and SDD by CLSI, never EUCAST's I, which is susceptible at increased exposure;
- nothing written: the organism alone is the condition.
"""

import enum
import re
from dataclasses import dataclass
from typing import Final

from sirena.domain.antimicrobials import ANTIMICROBIALS

FIELDS: Final = ("MRSA", "MECA_PCR", "ESBL", "CARBAPENEM", "BETA_LACT", "INDUC_CLI", "VRE")
"""Facts of an isolate beside its MICs: columns of WHONET, or words behind the organism's name."""


class FactState(enum.StrEnum):
    """What a field or an antimicrobial must show."""

    POSITIVE = "+"
    NEGATIVE = "-"
    SUSCEPTIBLE = "S"
    RESISTANT = "R"
    NON_SUSCEPTIBLE = "NS"

    @property
    def is_of_a_field(self) -> bool:
        """True for the states of a field, false for those of an antimicrobial."""
        return self in (FactState.POSITIVE, FactState.NEGATIVE)


@dataclass(frozen=True, slots=True)
class FactCondition:
    """One field or some antimicrobials, and what any of them must show."""

    subjects: tuple[str, ...]
    state: FactState

    def __str__(self) -> str:
        """Return the condition as it is written in tables."""
        return f"{'|'.join(self.subjects)}={self.state}"


Trigger = tuple[tuple[FactCondition, ...], ...]
"""Alternatives, of which one must hold; each holds when all its conditions do."""

_CONDITION: Final = re.compile(r"(?P<subjects>[A-Z0-9_|]+)\s*=\s*(?P<state>\+|-|[A-Z]+)")


def parse_trigger(text: str) -> Trigger:
    """Read a trigger; an empty text holds always.

    Raises:
        ValueError: it is none; the text says what is not understood.

    >>> [[str(condition) for condition in part] for part in parse_trigger("MRSA=+ or OXA|FOX=R")]
    [['MRSA=+'], ['OXA|FOX=R']]
    """
    if not text.strip():
        return ((),)
    return tuple(
        tuple(_parse_condition(part) for part in re.split(r"\s+and\s+", alternative.strip()))
        for alternative in re.split(r"\s+or\s+", text.strip())
    )


def _parse_condition(text: str) -> FactCondition:
    match = _CONDITION.fullmatch(text.strip())
    if match is None or match["state"] not in list(FactState):
        raise ValueError("is no condition; write MRSA=+, OXA|FOX=R, BETA_LACT=- and AMP=R")
    subjects, state = tuple(match["subjects"].split("|")), FactState(match["state"])
    known = FIELDS if state.is_of_a_field else ANTIMICROBIALS
    if any(subject not in known for subject in subjects):
        kind = f"one of the fields {', '.join(FIELDS)}" if state.is_of_a_field else "a WHONET antimicrobial code"
        raise ValueError(f"names something that is not {kind}")
    return FactCondition(subjects, state)
