"""What a person should check in a guideline edition before anybody relies on it.

Questions, each with a test of like name:

- which rows rest on one reading, and which are in doubt;
- which rows are for a group without a member in our organism table, so that no organism can reach them;
- which rows never decide, for any organism, body site or indication, because another row with the same answers takes
  precedence, as expected resistance precedes a dash;
- which rows are overridden, with another answer, by expected resistance or by a row of the same rank or of a wider
  group: of two species groups of one organism the first in its lineage decides;
- which rows are stated twice, and in which the same MIC would be S and R;
- in what another edition differs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from sirena.domain.organisms import ORGANISMS, Rank
from sirena.domain.site import Site
from sirena.guidelines.cuts import RESISTANT, exact_answers, highest_susceptible, lowest_resistant
from sirena.guidelines.difference import Difference, difference
from sirena.guidelines.editions import Edition
from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Guideline
from sirena.guidelines.sites import Indication, site_preference

Statement = Breakpoint | ExpectedResistance
Group = tuple[Rank, str]


@dataclass(frozen=True, slots=True)
class OverriddenRow:
    """A row that does not decide for some of its organisms, because another statement, with another answer, decides."""

    row: Breakpoint
    before: Statement
    """The statement that decides instead of the row."""
    organisms: tuple[str, ...]
    """WHONET codes of the organisms for which the other statement decides."""
    always: bool
    """True if the row decides for no organism at all."""


@dataclass(frozen=True)
class EditionCheck:
    """What a person should check in one guideline edition."""

    edition: str
    rows: int
    expected_resistance: int
    one_reading: tuple[Statement, ...] = ()
    in_doubt: tuple[Statement, ...] = ()
    memberless: tuple[Statement, ...] = ()
    """Rows for a group that no organism of the organism table belongs to."""
    idle: tuple[Breakpoint, ...] = ()
    """Rows that never decide although their group has members; deciding, they would change no answer."""
    overridden: tuple[OverriddenRow, ...] = ()
    repeated_statements: tuple[Statement, ...] = ()
    """Rows for the same antimicrobial, group and site as an earlier row."""
    contradictory: tuple[Breakpoint, ...] = ()
    """Rows by which one MIC is both S and R."""
    against: str = ""
    differences: tuple[Difference, ...] = ()
    """The rows in which the edition differs from the one it was compared with."""


@dataclass
class _Decisions:
    """Which statements of one edition decide, and for which organisms."""

    deciding_rows: set[int] = field(default_factory=set)
    """Python identity (`id`) of each row that decides for some organism."""
    losses: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    """Organisms by the identities of the row that is passed over and of the statement that decides instead."""


def check_edition(edition: Edition, against: Edition | None = None, drugs: Iterable[str] = ()) -> EditionCheck:
    """Check a guideline edition, and return what a person should look at.

    Args:
        edition: edition from `sirena.guidelines.editions`.
        against: another edition, from which the differences are listed; None for no comparison.
        drugs: WHONET codes; only rows for these antimicrobials are checked, or all if empty.

    >>> from sirena.guidelines.editions import load_edition
    >>> check = check_edition(load_edition("CLSI 2026"), drugs=["OXA"])
    >>> check.rows, [(row.group, row.doubt) for row in check.in_doubt]
    (4, [('Staphylococcus argenteus', 'one source')])
    """
    drug_codes = set(drugs)
    breakpoints = [row for row in edition.breakpoints if not drug_codes or row.drug in drug_codes]
    expected_resistance = [row for row in edition.expected_resistance if not drug_codes or row.drug in drug_codes]
    every: list[Statement] = [*breakpoints, *expected_resistance]
    groups_with_members = {group for organism in ORGANISMS.values() for group in organism.lineage}
    memberless = tuple(row for row in every if (row.rank, row.group) not in groups_with_members)
    decisions = _decisions(breakpoints, expected_resistance)
    by_identity = {id(row): row for row in every}
    overrides = []
    for (loser, winner), codes in decisions.losses.items():
        row, winning_statement = by_identity[loser], by_identity[winner]
        if isinstance(row, Breakpoint) and _is_notable(row, winning_statement, edition.guideline):
            overrides.append(
                OverriddenRow(
                    row, winning_statement, tuple(dict.fromkeys(codes)), id(row) not in decisions.deciding_rows
                )
            )
    differences = difference(against, edition) if against is not None else []
    changed = {id(item.row) for item in overrides}
    accounted_rows = {id(row) for row in memberless} | decisions.deciding_rows | changed
    return EditionCheck(
        edition=edition.name,
        rows=len(breakpoints),
        expected_resistance=len(expected_resistance),
        one_reading=tuple(row for row in every if row.readings == 1),
        in_doubt=tuple(row for row in every if row.doubt),
        memberless=memberless,
        idle=tuple(row for row in breakpoints if id(row) not in accounted_rows),
        overridden=tuple(sorted(overrides, key=lambda item: (item.row.drug, item.row.rank, item.row.group))),
        repeated_statements=tuple(_repeated(every)),
        contradictory=tuple(row for row in breakpoints if _contradicts_itself(row, edition.guideline)),
        against=against.name if against is not None else "",
        differences=tuple(item for item in differences if not drug_codes or item.drug in drug_codes),
    )


def _decisions(breakpoints: Iterable[Breakpoint], expected_resistance: Iterable[ExpectedResistance]) -> _Decisions:
    """Return which statements decide for every organism, site and indication, as the interpreter chooses them."""
    rows: dict[str, list[Breakpoint]] = {}
    for row in breakpoints:
        rows.setdefault(row.drug, []).append(row)
    natural: dict[str, list[ExpectedResistance]] = {}
    for statement in expected_resistance:
        natural.setdefault(statement.drug, []).append(statement)
    decisions = _Decisions()
    for drug, drug_rows in rows.items():
        _decide(drug_rows, natural.get(drug, []), decisions)
    return decisions


def _decide(rows: list[Breakpoint], natural: list[ExpectedResistance], decisions: _Decisions) -> None:
    spared_groups = {group for statement in natural for group in statement.exceptions}
    named_groups = {(row.rank, row.group) for row in rows} | {(row.rank, row.group) for row in natural} | spared_groups
    codes_of_groups: dict[tuple[Group, ...], list[str]] = {}
    for organism in ORGANISMS.values():
        groups = tuple(group for group in organism.lineage if group in named_groups)
        if groups:
            codes_of_groups.setdefault(groups, []).append(organism.code)
    requests = [None, *sorted({indication for row in rows for indication in row.sites if indication})]
    for groups, codes in codes_of_groups.items():
        expected_statement = _expected_first(groups, natural)
        for first_indication in requests:
            for site in Site:
                answering_rows = _answering_rows(groups, rows, site, first_indication)
                winner: Statement | None = expected_statement or (answering_rows[0] if answering_rows else None)
                if winner is None:
                    continue
                decisions.deciding_rows.add(id(winner))
                for loser in answering_rows if first_indication is None else ():
                    if loser is not winner:
                        decisions.losses.setdefault((id(loser), id(winner)), []).extend(codes)


def _expected_first(groups: tuple[Group, ...], natural: list[ExpectedResistance]) -> ExpectedResistance | None:
    statements = [row for row in natural if (row.rank, row.group) in groups and not row.exceptions.intersection(groups)]
    return min(statements, key=lambda row: groups.index((row.rank, row.group)), default=None)


def _answering_rows(
    groups: tuple[Group, ...], rows: list[Breakpoint], site: Site, first_indication: Indication | None
) -> list[Breakpoint]:
    """Return the rows that answer at a site; the first of them decides."""
    ranked_rows = []
    for position, row in enumerate(rows):
        if (row.rank, row.group) in groups:
            preference = site_preference(row.sites, site, first_indication)
            if preference is not None:
                ranked_rows.append((groups.index((row.rank, row.group)), preference, position))
    return [rows[position] for _, _, position in sorted(ranked_rows)]


def _is_notable(row: Breakpoint, winner: Statement, guideline: Guideline) -> bool:
    """Tell whether a person should see that a statement precedes a row."""
    is_same_group = (winner.rank, winner.group) == (row.rank, row.group)
    if winner.rank < row.rank or (isinstance(winner, Breakpoint) and is_same_group):
        return False
    return _answers(row, guideline) != _answers(winner, guideline)


@lru_cache(maxsize=10_000)
def _answers(row: Statement, guideline: Guideline) -> tuple[int, ...]:
    if isinstance(row, ExpectedResistance):
        return (RESISTANT,)
    answers = tuple(int(code) for code in exact_answers(row, guideline))
    return (RESISTANT,) if set(answers) == {RESISTANT} else answers


def _repeated(rows: Iterable[Statement]) -> Iterator[Statement]:
    seen_keys: set[object] = set()
    for row in rows:
        key = type(row), row.key
        if key in seen_keys:
            yield row
        seen_keys.add(key)


def _contradicts_itself(row: Breakpoint, guideline: Guideline) -> bool:
    susceptible, resistant = highest_susceptible(row), lowest_resistant(row, guideline)
    return susceptible is not None and resistant is not None and resistant <= susceptible
