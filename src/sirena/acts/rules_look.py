"""An overview of the versions of a hospital's own rules: which is in force, and which waits for an approval."""

import datetime
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sirena.acts.local_rules import LocalRules
from sirena.acts.rule_tables import COLUMNS, read_rows
from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.written_rules import RulesSource, rules_content
from sirena.ledger.rule_versions import RulesVersion, can_be_approved

Row = dict[str, str]
_SIGNATURE: Final = ("why", "who", "when")


class VersionStanding(enum.StrEnum):
    """Where a version of the rules stands between its saving and its replacement."""

    IN_FORCE = "in force"
    COMING = "coming"
    """The version was approved for a day in the future."""
    WAITING = "waiting"
    """The version waits for an approval."""
    REPLACED = "replaced"
    """The version was approved, and a newer one is in force."""
    PASSED_OVER = "passed over"
    """The version was not approved, and a newer one was."""


@dataclass(frozen=True)
class RulesLook:
    """All versions of one kind of rules, and which is in force on a day."""

    kind: RuleKind
    versions: tuple[RulesVersion, ...]
    """Oldest first."""
    in_force: RulesVersion | None
    source: RulesSource | None
    """The rules in force, which may be the file named in the settings; None if there are no rules."""
    today: datetime.date

    def standing(self, version: RulesVersion) -> VersionStanding:
        """Return where a version stands on the day of this look (`today`)."""
        if version == self.in_force:
            return VersionStanding.IN_FORCE
        if version.approval is None:
            waits = can_be_approved(self.versions, version)
            return VersionStanding.WAITING if waits else VersionStanding.PASSED_OVER
        return VersionStanding.COMING if version.approval.since > self.today else VersionStanding.REPLACED

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the rules' table, in the order shown: what a rule says, then why, by whom and when."""
        columns = [column for column in COLUMNS[self.kind] if column not in _SIGNATURE]
        return (*columns, *_SIGNATURE)

    @property
    def rows(self) -> list[Row]:
        """The rules in force, one dictionary by column for each rule."""
        return [] if self.source is None else read_rows(self.kind, rules_content(self.source))

    def marked(self, version: RulesVersion) -> list[tuple[Row, bool]]:
        """Return the rules of a version, each with a flag: True if the rule is not among those in force."""
        return [(row, row not in self.rows) for row in rows_of_version(version)]

    def taken_away(self, version: RulesVersion) -> list[Row]:
        """Return the rules in force that are missing in a version."""
        version_rows: Sequence[Mapping[str, str]] = rows_of_version(version)
        return [row for row in self.rows if row not in version_rows]


def look_at_rules(rules: LocalRules, kind: RuleKind) -> RulesLook:
    """Return all versions of a kind of rules, and which is in force today.

    Raises:
        SirenaError: the ledger cannot be read, or is not as it was written.
    """
    in_force = rules.in_force(kind)
    return RulesLook(kind, rules.versions(kind), in_force.version, in_force.source, datetime.date.today())


def rows_of_version(version: RulesVersion) -> list[Row]:
    """Return the rules of a version, one dictionary by column for each rule."""
    return read_rows(version.kind, version.content)
