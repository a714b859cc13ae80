"""Differences between two releases as ranges of MICs per group of organisms, for a committee to read.

Rules, each with a test of like name:

- organisms for which the same guideline rows decide, before and after, and whose changes are the same, share a range;
- the gravest comes first: S becomes R, R becomes S, S loses its category, a new S, then all others;
- ranges list exact MICs; censored ones are listed only if no exact one changes;
- every changed answer is counted in exactly one range.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.mic import DILUTIONS, Mic, spell_dilution
from sirena.domain.site import Site
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.organism_words import organism_words
from sirena.panel.compiled import Panel
from sirena.panel.gravity import gravity
from sirena.registry.release_diff import CATEGORY_NAMES, category_positions, questions_of

_UNCHANGED: Final = 255


@dataclass(frozen=True)
class RangeChange:
    """MICs whose category changes in the same way, for one group of organisms."""

    column: str
    organisms: tuple[str, ...]
    """WHONET codes of the organisms."""
    group: str
    """The organisms in words: ``Salmonella (84 organisms)``."""
    site: str
    """The body site; empty for all body sites that both releases answer in the same way."""
    mics: str
    """The MICs in mg/L: ``4 … 8``, ``up to 4``, ``from 8 on``, ``any``."""
    before: str
    """Category by the first release; empty if it had no model for the column."""
    after: str
    answers: int
    """Number of changed answers: organisms times MIC codes."""

    @property
    def gravity(self) -> int:
        """How grave the change is; the smaller, the graver."""
        return gravity(self.before, self.after)


def range_changes(before: Panel, after: Panel) -> list[RangeChange]:
    """Return the changes of category from one panel of models to another: the gravest first, then the most numerous."""
    changes = [
        change
        for column in sorted({*before.tables, *after.tables})
        for change in _column(column, before.tables.get(column), after.tables.get(column))
    ]
    return sorted(changes, key=lambda change: (change.gravity, -change.answers, change.column, change.organisms))


_Likeness = tuple[str, str, str, bytes, bytes]
"""What the organisms of one range share: site, deciding groups, and the changed cells of both tables."""


def _column(column: str, old: TruthTable | None, new: TruthTable | None) -> Iterator[RangeChange]:
    questions = list(questions_of((old, new)))
    cells = [category_positions(table, questions) for table in (old, new)]
    alike: dict[_Likeness, list[int]] = {}
    for row in np.flatnonzero((cells[0] != cells[1]).any(axis=1)).tolist():
        organism, told_site, site = questions[row]
        groups = _group(old, organism, site), _group(new, organism, site)
        change_marks = cells[0][row] != cells[1][row]
        both = [np.where(change_marks, side[row], _UNCHANGED).astype(np.uint8).tobytes() for side in cells]
        alike.setdefault((told_site, *groups, both[0], both[1]), []).append(row)
    for (told_site, was, now, *_), rows in alike.items():
        organisms = tuple(questions[row][0] for row in rows)
        group = organism_words(organisms, now or was)
        pair = cells[0][rows[0]], cells[1][rows[0]]
        for before, after in sorted({(int(a), int(b)) for a, b in zip(*pair, strict=True) if a != b}):
            codes = np.flatnonzero((pair[0] == before) & (pair[1] == after))
            names = CATEGORY_NAMES[before], CATEGORY_NAMES[after]
            yield RangeChange(
                column, organisms, group, told_site, mic_ranges(codes), *names, len(codes) * len(organisms)
            )


def _group(table: TruthTable | None, organism: str, site: Site) -> str:
    ground = table.ground(organism, site) if table is not None else None
    return ground.group if ground is not None else ""


def mic_ranges(codes: "Sequence[int] | NDArray[np.intp]") -> str:
    """Return MIC codes as a text of ranges: of the exact MICs, or of the censored ones if no code is of an exact MIC.

    >>> mic_ranges([Mic.from_code(code).code for code in range(17, 19)])
    '8 … 16'
    >>> mic_ranges(range(84))
    'any'
    """
    blocks = [[int(code) % DILUTIONS for code in codes if code // DILUTIONS == block] for block in range(3)]
    if blocks[0]:
        return ", ".join(_spell(run) for run in _runs(blocks[0]))
    signed_blocks = (("<=", blocks[1]), (">=", blocks[2]))
    return ", ".join(_spell_censored(sign, run) for sign, block in signed_blocks for run in _runs(block))


def _runs(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    start: int | None = None
    for position, following in zip_longest(positions, positions[1:]):
        start = position if start is None else start
        if following != position + 1:
            yield start, position
            start = None


def _spell(run: tuple[int, int]) -> str:
    first, last = run
    if run == (0, DILUTIONS - 1):
        return "any"
    if first == 0:
        return f"up to {_dilution(last)}"
    if last == DILUTIONS - 1:
        return f"from {_dilution(first)} on"
    return _dilution(first) if first == last else f"{_dilution(first)} … {_dilution(last)}"


def _spell_censored(sign: str, run: tuple[int, int]) -> str:
    first, last = run
    return f"{sign}{_dilution(first)}" if first == last else f"{sign}{_dilution(first)} … {sign}{_dilution(last)}"


def _dilution(position: int) -> str:
    return spell_dilution(Mic.from_code(position).exponent)
