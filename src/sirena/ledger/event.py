"""What every event has: who, when, from where, what came of it."""

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
"""What is common to all events and stands in columns of its own; the rest is the entry's details."""


class ActOutcome(enum.StrEnum):
    """What came of an act."""

    INTENDED = "intended"
    """About to be done; a further entry of the same act tells the end. Alone, its process died over it."""
    DONE = "done"
    UNCHANGED = "unchanged"
    """Nothing was to be done; it was so already."""
    REFUSED = "refused"
    FAILED = "failed"


def new_act() -> str:
    """Return a name for an act, which its intention and its outcome share."""
    return uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened. Subclasses in `catalogue` say what; there are no others.

    Fields are names, digests, numbers and one-line texts, each made harmless by the rule of its type. None takes an
    isolate, a specimen, a patient or an MIC.
    """

    event: ClassVar[str]
    """Name in the ledger."""

    who: Name
    """Account that acted, or that somebody claimed to be."""
    origin: Place
    """From where: an address, or ``cli`` with the operating system's user and the host."""
    outcome: ActOutcome = ActOutcome.DONE
    request_id: Name = ""
    """What the same request carries in logs and answers."""
    act: Name = field(default_factory=new_act)
    """Shared by all entries of one act."""
    failure: Name = ""
    """Kind of error, when it failed."""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When it was recorded; any zone is turned into UTC."""

    def __post_init__(self) -> None:
        """Make every text fit to stand in the ledger."""
        if self.at.tzinfo is None:
            raise ValueError("an event's time needs its zone")
        object.__setattr__(self, "at", self.at.astimezone(UTC))
        for name, rule in rules(type(self)).items():  # type: ignore[arg-type]  # mypy: a frozen dataclass's type
            value = getattr(self, name)
            fit = tuple(rule.apply(str(text)) for text in value) if isinstance(value, tuple) else rule.apply(str(value))
            object.__setattr__(self, name, fit)

    def concluded(self, outcome: ActOutcome, failure: str = "") -> Self:
        """Return the entry that tells the end of this act."""
        return replace(self, outcome=outcome, failure=failure, at=datetime.now(UTC))

    def refused(self) -> "Event":
        """Return the entry that tells that a gate refused this act."""
        return self.concluded(ActOutcome.REFUSED)

    def details(self) -> dict[str, Any]:
        """Return the fields that have no column of their own, in plain types; empty ones are left out."""
        return {
            one.name: list(value) if isinstance(value, tuple) else value
            for one in fields(self)
            if one.name not in COLUMNS and (value := getattr(self, one.name)) not in ("", (), None)
        }


@lru_cache
def rules(kind: type[Any]) -> dict[str, TextRule]:
    """Return the text rule of each field of a kind of event, by the field's name.

    Raises:
        TypeError: a text has no rule, so anything could stand in it.
    """
    text_rules: dict[str, TextRule] = {}
    hints = typing.get_type_hints(kind, include_extras=True)
    for one in fields(kind):
        hint = hints[one.name]
        if hint in (int, bool, datetime, ActOutcome) or _is_optional_number(hint):
            continue
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
        rule = next((each for each in getattr(inner, "__metadata__", ()) if hasattr(each, "apply")), None)
        if rule is None:
            raise TypeError(f"{kind.__name__}.{one.name} has no rule for its text")
        text_rules[one.name] = rule
    return text_rules


def _is_optional_number(hint: Any) -> bool:
    return typing.get_origin(hint) is types.UnionType and set(typing.get_args(hint)) <= {int, types.NoneType}
