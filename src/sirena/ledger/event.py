"""The fields that every event has: who acted, when, from where, and with what outcome."""

import enum
import types
import typing
import uuid
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar, Self

from sirena.ledger.plain_text import Name, Place, TextRule

COLUMNS = ("at", "event", "outcome", "who", "origin", "request_id", "act")
"""Fields with columns of their own in the ledger; all others are stored in the entry's details."""


class ActOutcome(enum.StrEnum):
    """The outcome of an act: how it ended, or that it is about to begin."""

    INTENDED = "intended"
    """The act is about to begin; a later entry of the act holds its outcome. Without one, the process died
    meanwhile."""
    DONE = "done"
    UNCHANGED = "unchanged"
    """Nothing had to be done."""
    REFUSED = "refused"
    FAILED = "failed"


def new_act() -> str:
    """Return a new random name for an act; all ledger entries of the act have this name."""
    return uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened; `catalogue` holds the kinds of event, one class each.

    Fields are names, digests, numbers and one-line texts; the rule in a field's type makes its text harmless. No field
    may hold an isolate, a specimen, a patient or an MIC.
    """

    event: ClassVar[str]
    """Name of the kind of event in the ledger."""

    who: Name
    """Account that acted, or that somebody tried to sign in as."""
    origin: Place
    """Where the act came from: a client address, or ``cli`` with the operating system's user and the host."""
    outcome: ActOutcome = ActOutcome.DONE
    request_id: Name = ""
    """Id of the request, which logs and answers also show."""
    act: Name = field(default_factory=new_act)
    """Shared by all entries of one act."""
    failure: Name = ""
    """Kind of the error, if the act failed."""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """Time of recording; any time zone is converted to UTC."""

    def __post_init__(self) -> None:
        """Apply to every text the rule of its field, and convert the time to UTC."""
        if self.at.tzinfo is None:
            raise ValueError("an event's time needs its zone")
        object.__setattr__(self, "at", self.at.astimezone(UTC))
        for name, rule in rules(type(self)).items():  # type: ignore[arg-type]  # mypy: a frozen dataclass's type
            value = getattr(self, name)
            fit = tuple(rule.apply(str(text)) for text in value) if isinstance(value, tuple) else rule.apply(str(value))
            object.__setattr__(self, name, fit)

    def concluded(self, outcome: ActOutcome, failure: str = "") -> Self:
        """Return a copy of this event with an outcome, at the current time."""
        return replace(self, outcome=outcome, failure=failure, at=datetime.now(UTC))

    def refused(self) -> "Event":
        """Return the event by which the gate's refusal of this act is recorded."""
        return self.concluded(ActOutcome.REFUSED)

    def details(self) -> dict[str, Any]:
        """Return the fields that have no separate column, in plain types; empty fields are left out."""
        return {
            fact.name: list(value) if isinstance(value, tuple) else value
            for fact in fields(self)
            if fact.name not in COLUMNS and (value := getattr(self, fact.name)) not in ("", (), None)
        }


@lru_cache
def rules(kind: type[Any]) -> dict[str, TextRule]:
    """Return the text rule of each field of a kind of event, by the field's name.

    Raises:
        TypeError: a text field has no rule, so that it could hold anything.
    """
    text_rules: dict[str, TextRule] = {}
    hints = typing.get_type_hints(kind, include_extras=True)
    for fact in fields(kind):
        hint = hints[fact.name]
        if hint in (int, bool, datetime, ActOutcome) or _is_optional_number(hint):
            continue
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
        rule = next((each for each in getattr(inner, "__metadata__", ()) if hasattr(each, "apply")), None)
        if rule is None:
            raise TypeError(f"{kind.__name__}.{fact.name} has no rule for its text")
        text_rules[fact.name] = rule
    return text_rules


def _is_optional_number(hint: Any) -> bool:
    return typing.get_origin(hint) is types.UnionType and set(typing.get_args(hint)) <= {int, types.NoneType}
