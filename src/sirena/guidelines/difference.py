"""What changes from one guideline edition to another, or by a hospital's rules, row by row.

The gravest change comes first: between S and R; then between S and no category; then between other categories; changes
that change no category come last. Where one edition has a row and the other has none, a wider row of the other may
answer: so an organism of the group is interpreted by both editions, and the answers are compared.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from sirena.domain.category import Category
from sirena.domain.mic import DILUTIONS
from sirena.domain.organisms import ORGANISMS, Rank
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS
from sirena.guidelines.cuts import NO_BREAKPOINT, exact_answers
from sirena.guidelines.editions import Edition
from sirena.guidelines.interpreter import compile_tables
from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Guideline, Statement
from sirena.guidelines.sites import site_preference
from sirena.guidelines.tables import rank_name, spell_concentration

_WORDS: Final = {
    Statement.BREAKPOINT: "no figures",
    Statement.DASH: "R without testing (dash)",
    Statement.INSUFFICIENT_EVIDENCE: "insufficient evidence (IE)",
    Statement.NOTE: "see the guideline's note",
    Statement.NOT_APPLICABLE: "not applicable to the MIC",
    Statement.BLOCK: "no breakpoint (block)",
}
_SILENT: Final = (NO_BREAKPOINT,) * DILUTIONS
_DILUTIONS: Final = np.arange(DILUTIONS, dtype=np.int16)
"""MIC codes of the exact MICs."""


class RowChange(enum.StrEnum):
    """How the second edition changes a row of the first."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Gravity(enum.IntEnum):
    """How grave a difference is; the smaller the value, the graver."""

    TURNED_ROUND = 0
    """An MIC is S in one edition and R in the other."""
    SUSCEPTIBLE_OR_NOTHING = 1
    """An MIC is S in one edition and has no category in the other."""
    OTHER_CATEGORY = 2
    """An MIC has another category, in any other way than these two."""
    WORDS_ONLY = 3
    """No category changes: only the reason of NI does, or a wider row gives the same answers as the missing one."""

    @property
    def words(self) -> str:
        """The gravity, as a few English words."""
        return ("S and R", "S and no category", "other category", "words only")[self]


@dataclass(frozen=True, slots=True)
class Difference:
    """One row in which two editions differ."""

    change: RowChange
    drug: str
    rank: str
    group: str
    site: str
    before: str
    """What the first edition states, in words; empty if it states nothing."""
    after: str
    """What the second edition states, in words; empty if it states nothing."""
    gravity: Gravity = Gravity.OTHER_CATEGORY

    @property
    def line(self) -> str:
        """The difference as one English line."""
        site = f" ({self.site})" if self.site else ""
        return f"{self.drug}  {self.rank} {self.group}{site}: {self.before or 'nothing'} -> {self.after or 'nothing'}"


def difference(first: Edition, second: Edition) -> list[Difference]:
    """Return the rows in which the second edition differs from the first: the gravest first, then by drug and group.

    A change that no answer shows is left out: another table number, 0.06 instead of 0.064, 513 instead of 560.

    >>> from sirena.guidelines.editions import load_edition
    >>> change = difference(load_edition("CLSI 2025"), load_edition("CLSI 2026"))[0]
    >>> change.drug, change.group, change.before, change.after
    ('AZA', 'Enterobacterales', '', 'S <= 4, R >= 16')
    """
    differences = [*_breakpoints(first, second), *_expected_resistance(first, second)]
    return sorted(differences, key=lambda item: (item.gravity, item.drug, item.rank, item.group, item.site))


def _breakpoints(first: Edition, second: Edition) -> Iterator[Difference]:
    first_rows = {row.key: row for row in first.breakpoints}
    second_rows = {row.key: row for row in second.breakpoints}
    for key in first_rows.keys() | second_rows.keys():
        old_row, new_row = first_rows.get(key), second_rows.get(key)
        if old_row and new_row:
            answers = _answers(old_row, first.guideline), _answers(new_row, second.guideline)
            if answers[0] == answers[1]:
                continue
        else:
            answers = _effects(first, second, old_row or new_row)
        words = (
            figures(old_row, first.guideline) if old_row else "",
            figures(new_row, second.guideline) if new_row else "",
        )
        row = old_row or new_row
        if row is not None:
            place = row.drug, rank_name(row.rank), row.group, ", ".join(row.sites)
            yield Difference(_change(*words), *place, *words, _gravity(*answers))


def _expected_resistance(first: Edition, second: Edition) -> Iterator[Difference]:
    first_statements = {row.key: row for row in first.expected_resistance}
    second_statements = {row.key: row for row in second.expected_resistance}
    for key in first_statements.keys() | second_statements.keys():
        old_statement, new_statement = first_statements.get(key), second_statements.get(key)
        words = _statement(old_statement) if old_statement else "", _statement(new_statement) if new_statement else ""
        row = old_statement or new_statement
        if row is not None and words[0] != words[1]:
            yield Difference(_change(*words), row.drug, rank_name(row.rank), row.group, "", *words)


def _change(before: str, after: str) -> RowChange:
    if not before:
        return RowChange.ADDED
    return RowChange.CHANGED if after else RowChange.REMOVED


def _answers(row: Breakpoint, guideline: Guideline) -> tuple[int, ...]:
    """Return a row's answers to the exact MICs, one for each dilution of the scale."""
    return tuple(int(code) for code in exact_answers(row, guideline))


def _effects(first: Edition, second: Edition, row: Breakpoint | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the answers of both editions to an organism of a row's group, at a site where the row answers."""
    if row is None:
        return _SILENT, _SILENT
    site = next((site for site in Site if site_preference(row.sites, site) is not None), None)
    code = _member(row.rank, row.group)
    if site is None or code is None:
        return _SILENT, _answers(row, first.guideline)
    first_answers, second_answers = (
        tuple(int(answer) for answer in table.look_up([code], _DILUTIONS, site)[0])
        for table in (compile_tables(edition, [row.drug], organisms=[code])[row.drug] for edition in (first, second))
    )
    return first_answers, second_answers


@cache
def _member(rank: Rank, group: str) -> str | None:
    """Return the code of an organism of a group; if possible, the code that stands for the group itself."""
    members = [organism for organism in ORGANISMS.values() if organism.belongs_to(rank, group)]
    narrow_codes = [organism.code for organism in members if organism.narrowest_group == (rank, group)]
    return next(iter([*narrow_codes, *(organism.code for organism in members)]), None)


def _gravity(old_answers: tuple[int, ...], new_answers: tuple[int, ...]) -> Gravity:
    pairs = {
        frozenset((_category(old_answer), _category(new_answer)))
        for old_answer, new_answer in zip(old_answers, new_answers, strict=True)
        if old_answer != new_answer
    }
    if frozenset((Category.S, Category.R)) in pairs:
        return Gravity.TURNED_ROUND
    if frozenset((Category.S, Category.NI)) in pairs:
        return Gravity.SUSCEPTIBLE_OR_NOTHING
    return Gravity.OTHER_CATEGORY if any(len(pair) > 1 for pair in pairs) else Gravity.WORDS_ONLY


def _category(code: int) -> Category:
    answer = ANSWERS[code]
    return answer.category if answer is not None else Category.NI


def figures(row: Breakpoint, guideline: Guideline) -> str:
    """Return a breakpoint row's statement in a few words: ``S <= 4, R >= 16``, ``R without testing (dash)``.

    >>> from sirena.guidelines.editions import load_edition
    >>> figures(load_edition("CLSI 2026").breakpoints[0], Guideline.CLSI)
    'S <= 8, R >= 32'
    """
    above = ">=" if guideline is Guideline.CLSI else ">"
    parts = []
    if row.susceptible is not None:
        parts.append(f"S <= {spell_concentration(row.susceptible)}")
    if row.resistant is not None:
        parts.append(f"R {above} {spell_concentration(row.resistant)}")
        parts.extend([f"{row.middle.value} between"] if row.middle.value != "I" else [])
    if not row.statement.has_figures or not parts:
        return _WORDS[row.statement]
    return f"in brackets: {', '.join(parts)}" if row.statement is Statement.BRACKETED else ", ".join(parts)


def _statement(row: ExpectedResistance) -> str:
    exceptions = "; ".join(f"{rank_name(rank)} {group}" for rank, group in sorted(row.exceptions))
    return f"expected resistance{f' except {exceptions}' if exceptions else ''}"
