"""Triggers of rules and alerts: conditions on a row, such as ``MRSA=+ or OXA|FOX=R``, ``BETA_LACT=- and AMP=R``.

Rules, each with a test of like name:

- a condition is a WHONET field with ``+`` or ``-``, or one or more antimicrobials with ``S``, ``R`` or ``NS``;
- ``|`` between antimicrobials means any of them; ``and`` binds closer than ``or``;
- ``R`` means R or NS; ``NS`` also includes CLSI's I and SDD, never EUCAST's I, which is susceptible at increased
  exposure;
- an empty trigger holds for every row of the organism.
"""

import enum
import re
from dataclasses import dataclass
from typing import Final

from sirena.domain.antimicrobials import ANTIMICROBIALS

FIELDS: Final = ("MRSA", "MECA_PCR", "ESBL", "CARBAPENEM", "BETA_LACT", "INDUC_CLI", "VRE")
"""Fields that a condition may name: facts of an isolate other than its MICs."""


class FactState(enum.StrEnum):
    """The state that a condition requires of a field or an antimicrobial."""

    POSITIVE = "+"
    NEGATIVE = "-"
    SUSCEPTIBLE = "S"
    RESISTANT = "R"
    NON_SUSCEPTIBLE = "NS"

    @property
    def is_of_a_field(self) -> bool:
        """True for the states of a field, False for those of an antimicrobial."""
        return self in (FactState.POSITIVE, FactState.NEGATIVE)


@dataclass(frozen=True, slots=True)
class FactCondition:
    """A condition: a field, or any one of some antimicrobials, must have a state."""

    subjects: tuple[str, ...]
    state: FactState

    def __str__(self) -> str:
        """Return the condition as tables write it."""
        return f"{'|'.join(self.subjects)}={self.state}"


Trigger = tuple[tuple[FactCondition, ...], ...]
"""Alternatives of which one must hold; an alternative holds if all its conditions hold."""

_CONDITION: Final = re.compile(r"(?P<subjects>[A-Z0-9_|]+)\s*=\s*(?P<state>\+|-|[A-Z]+)")


def parse_trigger(text: str) -> Trigger:
    """Parse the text of a trigger; an empty text gives a trigger that always holds.

    Raises:
        ValueError: the text is not a trigger; the error says what is wrong.

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
    known_subjects = FIELDS if state.is_of_a_field else ANTIMICROBIALS
    if any(subject not in known_subjects for subject in subjects):
        kind = f"one of the fields {', '.join(FIELDS)}" if state.is_of_a_field else "a WHONET antimicrobial code"
        raise ValueError(f"names something that is not {kind}")
    return FactCondition(subjects, state)
