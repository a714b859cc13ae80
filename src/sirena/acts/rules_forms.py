"""Carrying out the forms of Sirena's pages that save and approve rules, on one's own machine and behind the entry."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sirena.acts.local_rules import Actor, LocalRules
from sirena.domain.errors import UsageError
from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.written_rules import WrittenRules
from sirena.ledger.rule_versions import RulesVersion

_LONGEST_NUMBER: Final = 9


@dataclass(frozen=True)
class RulesForms:
    """Forms by which rules are saved and approved; the methods return the version: ``overlay/3``."""

    rules: LocalRules

    def save(self, fields: Mapping[str, str], actor: Actor) -> str:
        """Save the table of rules in a form as a version.

        Args:
            fields: fields of the form: ``kind``, ``table``, ``reason``, ``base``.
            actor: author of the version.

        Raises:
            SirenaError: as for `LocalRules.save`, or the form is malformed.
        """
        kind = _kind(fields)
        base = _number(fields.get("base", "")) or None
        table = WrittenRules(f"{kind}.csv", fields.get("table", "").encode())
        return _place(self.rules.save(kind, table, fields.get("reason", ""), actor, base))

    def approve(self, fields: Mapping[str, str], actor: Actor) -> str:
        """Approve the version that a form names, so that it comes into force.

        Args:
            fields: fields of the form: ``kind``, ``version``, ``digest``, ``since``.
            actor: who approves.

        Raises:
            SirenaError: as for `LocalRules.approve`, or the form is malformed.
        """
        digest = fields.get("digest", "")
        if not digest:
            raise UsageError("the form does not say which rules were looked at", hint="use the form of the page")
        number = _number(fields.get("version", ""))
        since = read_day(fields.get("since", ""))
        return _place(self.rules.approve(_kind(fields), number, actor, since=since, digest=digest))


def read_day(text: str) -> datetime.date | None:
    """Return the day in a text (from which rules are to be in force); None if the text is empty.

    Raises:
        UsageError: the text is not a date.
    """
    if not text.strip():
        return None
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError("the day is no date", hint="write year-month-day, 2026-01-31") from None


def read_kind(text: str) -> RuleKind:
    """Return the kind of rules that a text names.

    Raises:
        UsageError: there is no such kind.
    """
    try:
        return RuleKind(text)
    except ValueError:
        raise UsageError("there are no such rules", hint=f"rules are {' or '.join(RuleKind)}") from None


def _kind(fields: Mapping[str, str]) -> RuleKind:
    return read_kind(fields.get("kind", ""))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0


def _place(version: RulesVersion) -> str:
    return f"{version.kind}/{version.number}"
