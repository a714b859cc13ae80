"""The versions of a hospital's own rules, read from the ledger, which alone holds them.

Rules, each with a test of like name:

- the number of a version is its position among those of its kind, so two persons who save at once get two numbers;
- an approval counts only for the table whose digest it names, and only if another person than the author gave it;
- of the approved versions whose day has come, the newest is in force;
- a version older than an approved one can no longer be approved.
"""

import datetime
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sirena.domain.rule_kind import RuleKind
from sirena.ledger.entry import LedgerEntry
from sirena.ledger.errors import LedgerTamperedError
from sirena.ledger.event import ActOutcome

SAVED: Final = "rules_saved"
APPROVED: Final = "rules_approved"
DECIDING: Final = (SAVED, APPROVED)
"""Kinds of event that decide which rules are in force."""
ALONE: Final = "approver_is_not_author"
"""Criterion that is waived on a machine of one person, where nobody else can approve."""


@dataclass(frozen=True)
class RulesApproval:
    """The approval of a version: by whom, when, and from which day the version is in force."""

    who: str
    at: str
    """UTC, ISO 8601."""
    since: datetime.date
    alone: bool
    """True when the author approved the version, on a machine of one person."""


@dataclass(frozen=True)
class RulesVersion:
    """A version of the hospital's own rules, as somebody saved it."""

    kind: RuleKind
    number: int
    author: str
    at: str
    """UTC, ISO 8601."""
    reason: str
    lines: tuple[str, ...]
    """Lines of the table; the first is its header."""
    base: int | None
    """Number of the version from which it was begun."""
    act: str
    """Act of the ledger entry that holds the version."""
    approval: RulesApproval | None = None

    @property
    def name(self) -> str:
        """File name of the version's table, ``overlay-3.csv``."""
        return f"{self.kind}-{self.number}.csv"

    @property
    def content(self) -> bytes:
        """Content of the version's table as a CSV file."""
        return table_content(self.lines)

    @property
    def digest(self) -> str:
        """SHA-256 of the table as a CSV file."""
        return table_digest(self.lines)

    @property
    def states_rules(self) -> bool:
        """True if the version has rules; False if it is empty and only takes earlier rules out of force."""
        return len(self.lines) > 1


def table_content(lines: Sequence[str]) -> bytes:
    r"""Return the content of a table as a CSV file.

    >>> table_content(("who,when", "PROA,2026-03-01"))
    b'who,when\nPROA,2026-03-01\n'
    """
    return "".join(f"{line}\n" for line in lines).encode()


def table_digest(lines: Sequence[str]) -> str:
    """Return the SHA-256 of a table as a CSV file."""
    return hashlib.sha256(table_content(lines)).hexdigest()


def read_rule_versions(entries: Iterable[LedgerEntry], kind: RuleKind) -> tuple[RulesVersion, ...]:
    """Return the versions of one kind of rules, with their approvals, from ledger entries in their order.

    Raises:
        LedgerTamperedError: a table does not have the digest that its entry names.
    """
    versions: list[RulesVersion] = []
    for entry in entries:
        facts = entry.facts()
        if entry.event not in DECIDING or facts.get("kind") != kind or entry.outcome != ActOutcome.DONE:
            continue
        if entry.event == SAVED:
            lines, base = facts.get("lines", ()), facts.get("base")
            saved_version = RulesVersion(
                kind,
                len(versions) + 1,
                entry.who,
                entry.at,
                str(facts.get("reason", "")),
                tuple(map(str, lines)) if isinstance(lines, list) else (),
                base if isinstance(base, int) else None,
                entry.act,
            )
            if saved_version.digest != facts.get("digest"):
                raise LedgerTamperedError(
                    f"entry {entry.seq} holds other rules than were saved", hint="see `sirena audit verify`"
                )
            versions.append(saved_version)
            continue
        place = facts.get("version")
        version = versions[place - 1] if isinstance(place, int) and 0 < place <= len(versions) else None
        alone = ALONE in facts.get("waived", ())
        if version is None or version.approval or version.digest != facts.get("digest"):
            continue
        if entry.who != version.author or alone:
            since = datetime.date.fromisoformat(str(facts.get("since")))
            approval = RulesApproval(entry.who, entry.at, since, entry.who == version.author)
            versions[version.number - 1] = replace(version, approval=approval)
    return tuple(versions)


def version_in_force(versions: Sequence[RulesVersion], today: datetime.date) -> RulesVersion | None:
    """Return the version in force on a day; None if no version was approved for that day."""
    return next(
        (version for version in reversed(versions) if version.approval and version.approval.since <= today), None
    )


def can_be_approved(versions: Sequence[RulesVersion], version: RulesVersion) -> bool:
    """Tell whether a version can still be approved: neither it nor a later one was approved."""
    return version.approval is None and not any(later.approval for later in versions[version.number :])
