"""A hospital's own rules: saved as versions with a reason, approved by another person, in force from a day.

The audit ledger alone holds the versions, so that none is altered, lost with a folder, or inserted by hand.

Rules, each with a test of like name:

- the author of a version does not approve it, except on a machine of one person; the ledger then says so;
- until a version was approved, the file of the settings (`SIRENA_OVERLAY`) is in force;
- a newer approved version replaces the older one; a version without rows leaves no rules in force;
- if the ledger was altered, no rules are returned.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sirena.acts.rule_tables import lines_of, read_rows, saved_form
from sirena.domain.errors import GateError, UsageError
from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.editions import Editions
from sirena.guidelines.written_rules import RulesSource, WrittenRules, rules_content
from sirena.ledger.catalogue import RulesApproved, RulesSaved
from sirena.ledger.rule_versions import (
    ALONE,
    RulesVersion,
    can_be_approved,
    read_rule_versions,
    table_digest,
    version_in_force,
)
from sirena.ledger.store import Ledger, open_ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.settings.catalogue import Settings

Actor = Mapping[str, Any]
"""The fields of an event that say who acts, from where, by which request: ``who``, ``origin``, ``request_id``."""


@dataclass(frozen=True)
class RulesInForce:
    """The rules of one kind that are in force on a day."""

    version: RulesVersion | None
    """The version in force; None if no version was approved for the day."""
    source: RulesSource | None
    """The version's table, or the file named in the settings; None if there are no rules."""


class LocalRules:
    """Reads, saves and approves versions of an installation's own rules; safe to share between threads."""

    def __init__(
        self, ledger: Ledger, editions: Editions, settings_overlay: RulesSource | None = None, *, alone: bool = False
    ) -> None:
        """Create the reader of the rules; nothing is read yet.

        Args:
            ledger: ledger that holds the versions.
            editions: guideline editions that rules may name.
            settings_overlay: file of the settings, in force until a version was approved.
            alone: True on a machine of one person, where nobody else can approve.
        """
        self.editions = editions
        self.alone = alone
        self._ledger = ledger
        self._reading = TrustedReading(ledger)
        self._settings_overlay = settings_overlay

    def versions(self, kind: RuleKind) -> tuple[RulesVersion, ...]:
        """Return the versions of one kind of rules, oldest first.

        Raises:
            LedgerTamperedError: an entry was altered, removed or moved.
            LedgerUnavailableError: the database does not answer.
        """
        return read_rule_versions(self._reading.entries(), kind)

    def version(self, kind: RuleKind, number: int) -> RulesVersion:
        """Return the version of rules with a given kind and number.

        Raises:
            UsageError: there is no version of that number.
        """
        versions = self.versions(kind)
        if not 0 < number <= len(versions):
            raise UsageError(f"there is no version {number}", hint="`sirena rules list` names them")
        return versions[number - 1]

    def in_force(self, kind: RuleKind, today: datetime.date | None = None) -> RulesInForce:
        """Return the rules in force on a day.

        Args:
            kind: kind of the rules.
            today: the day; None means the machine's current day.
        """
        version = version_in_force(self.versions(kind), today or datetime.date.today())
        if version is None:
            return RulesInForce(None, self._settings_overlay if kind is RuleKind.OVERLAY else None)
        return RulesInForce(version, source_of(version) if version.states_rules else None)

    def rows_in_force(self, kind: RuleKind) -> list[dict[str, str]]:
        """Return the rows of the rules in force, from which a new version is begun."""
        source = self.in_force(kind).source
        return [] if source is None else read_rows(kind, rules_content(source))

    def check(self, kind: RuleKind, source: WrittenRules) -> tuple[str, ...]:
        """Check that a table of rules can be saved, and return the lines of the saved table.

        Raises:
            TableError: the table is not valid; the error names row, column and remedy.
        """
        return saved_form(kind, source, self.editions)

    def save(
        self, kind: RuleKind, source: WrittenRules, reason: str, actor: Actor, base: int | None = None
    ) -> RulesVersion:
        """Save a version of the rules, which is not in force until it is approved.

        Args:
            kind: kind of the rules.
            source: the whole table.
            reason: why the rules change; figures that could be a patient's are masked.
            actor: author of the version.
            base: number of the version from which it was begun.

        Raises:
            TableError: the table is not valid.
            UsageError: no reason is given, or the table is the same as in the newest version.
            LedgerError: the ledger cannot be written, so nothing was saved.
        """
        if not reason.strip():
            raise UsageError("a version needs a reason", hint="say in a sentence why the rules change")
        lines = self.check(kind, source)
        versions = self.versions(kind)
        event = RulesSaved(**actor, kind=kind, reason=reason, lines=lines, digest=table_digest(lines), base=base)
        if versions and (versions[-1].lines, versions[-1].author) == (lines, event.who):
            return versions[-1]  # sent twice
        if lines == (versions[-1].lines if versions else lines_of(kind, [])):
            raise UsageError("nothing differs from the newest version", hint="change a rule, or leave it as it is")
        self._ledger.append(event)
        return next(saved_version for saved_version in reversed(self.versions(kind)) if saved_version.act == event.act)

    def approve(
        self, kind: RuleKind, number: int, actor: Actor, *, since: datetime.date | None = None, digest: str = ""
    ) -> RulesVersion:
        """Approve a version, so that it comes into force.

        Args:
            kind: kind of the rules.
            number: number of the version.
            actor: who approves.
            since: day from which the version is in force; None means today.
            digest: digest of the table that the approver looked at, to be compared; empty for no comparison.

        Raises:
            GateError: the approver is the author, looked at another table, or a newer version was approved already; the
                refusal is recorded.
            UsageError: there is no such version, it was approved already, or the day is in the past.
            LedgerError: the ledger cannot be written, so nothing was changed.
        """
        version = self.version(kind, number)
        today = datetime.date.today()
        day = since or today
        if version.approval is not None:
            raise UsageError(f"version {number} was approved already", hint="nothing is left to do")
        if day < today:
            raise UsageError("rules take force today or later", hint="leave the day empty for today")
        event = RulesApproved(**actor, kind=kind, version=number, digest=version.digest, since=day.isoformat())
        is_author = event.who == version.author
        refusal = _refusal(self.versions(kind), version, digest, is_barred=is_author and not self.alone)
        if refusal is not None:
            self._ledger.append(event.refused())
            raise refusal
        self._ledger.append(replace(event, waived=(ALONE,)) if is_author else event)
        return self.version(kind, number)


def _refusal(
    versions: Sequence[RulesVersion], version: RulesVersion, digest: str, *, is_barred: bool
) -> GateError | None:
    if is_barred:
        return GateError("nobody approves rules of their own making", hint="another approver decides")
    if digest not in ("", version.digest):
        return GateError("these are not the rules that were looked at", hint="look at the version again")
    if not can_be_approved(versions, version):
        return GateError("a newer version was approved already", hint="begin a new version from that one")
    return None


def source_of(version: RulesVersion) -> WrittenRules:
    """Return the table of a version, as the type that readers of rules accept."""
    return WrittenRules(version.name, version.content)


def local_rules_of(settings: Settings, *, behind_entry: bool = False) -> LocalRules:
    """Return the store of an installation's own rules.

    Args:
        settings: settings of the installation.
        behind_entry: True for requests through the entry, where accounts exist and so other people can approve.
    """
    alone = settings.profile == "embedded" and not behind_entry
    return LocalRules(open_ledger(settings), Editions(settings.editions_folder), settings.overlay, alone=alone)
