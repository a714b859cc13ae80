"""What changes from one edition to another, or through a local overlay: by drug, group of organisms and site."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sirena.domain.category import Category
from sirena.guidelines.cuts import highest_susceptible, lowest_resistant
from sirena.guidelines.editions import Edition
from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Guideline, Statement
from sirena.guidelines.tables import rank_name, spell_concentration


_WORDS: Final = {
    Statement.DASH: "dash: R at any MIC",
    Statement.INSUFFICIENT_EVIDENCE: "insufficient evidence",
    Statement.NOTE: "see the note",
    Statement.NOT_APPLICABLE: "not applicable",
    Statement.BLOCK: "no breakpoint",
}
"""What rows without figures say."""


class Change(enum.StrEnum):
    """What happened to a row."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that two editions do not share."""

    change: Change
    drug: str
    rank: str
    group: str
    site: str
    before: str
    """What the first edition says, in words; empty when it says nothing."""
    after: str
    """What the second edition says."""

    @property
    def line(self) -> str:
        """One line for a person."""
        site = f" ({self.site})" if self.site else ""
        return f"{self.drug}  {self.rank} {self.group}{site}: {self.before or 'nothing'} -> {self.after or 'nothing'}"


def difference(first: Edition, second: Edition) -> list[Difference]:
    """Return what the second edition says otherwise than the first, ordered by drug, rank and group.

    What changes no answer is no difference: another table number, 0.06 instead of 0.064, 513 instead of 560.
    """
    found = [*_breakpoints(first, second), *_expected(first, second)]
    return sorted(found, key=lambda item: (item.drug, item.rank, item.group, item.site))


def _breakpoints(first: Edition, second: Edition) -> Iterator[Difference]:
    before = {row.key: row for row in first.breakpoints}
    after = {row.key: row for row in second.breakpoints}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old and new and _cuts(old, first.guideline) == _cuts(new, second.guideline):
            continue
        said = _figures(old, first.guideline) if old else "", _figures(new, second.guideline) if new else ""
        row = old or new
        if row is not None:
            yield Difference(_change(*said), row.drug, rank_name(row.rank), row.group, ", ".join(row.sites), *said)


def _expected(first: Edition, second: Edition) -> Iterator[Difference]:
    before = {row.key: row for row in first.expected_resistance}
    after = {row.key: row for row in second.expected_resistance}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        said = _statement(old) if old else "", _statement(new) if new else ""
        row = old or new
        if row is not None and said[0] != said[1]:
            yield Difference(_change(*said), row.drug, rank_name(row.rank), row.group, "", *said)


def _change(before: str, after: str) -> Change:
    if not before:
        return Change.ADDED
    return Change.CHANGED if after else Change.REMOVED


def _cuts(row: Breakpoint, guideline: Guideline) -> tuple[Statement, int | None, int | None, Category]:
    """Return what decides: the kind of row, the highest dilution that is S, the lowest that is R, what lies between."""
    return row.statement, highest_susceptible(row), lowest_resistant(row, guideline), row.middle


def _figures(row: Breakpoint, guideline: Guideline) -> str:
    if not row.statement.has_figures:
        return _WORDS[row.statement]
    above = ">=" if guideline is Guideline.CLSI else ">"
    parts = []
    if row.susceptible is not None:
        parts.append(f"S <= {spell_concentration(row.susceptible)}")
    if row.resistant is not None:
        parts.append(f"R {above} {spell_concentration(row.resistant)}")
        parts.extend([row.middle.value] if row.middle.value != "I" else [])
    figures = ", ".join(parts)
    return f"in brackets: {figures}" if row.statement is Statement.BRACKETED else figures


def _statement(row: ExpectedResistance) -> str:
    spared = "; ".join(f"{rank_name(rank)} {group}" for rank, group in sorted(row.exceptions))
    return f"expected resistance{f' except {spared}' if spared else ''}"
