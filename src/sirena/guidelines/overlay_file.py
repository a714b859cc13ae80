"""Reading a hospital's own rules: a CSV that says who set each rule, when, why, for which edition, and what it states.

Columns (in any order; comma, semicolon or tab; a decimal comma is read):

- ``who``, ``when`` (ISO date), ``why``: required in every row, and part of every answer that rests on it;
- ``edition``: required in every row: the edition that the rule is for, ``CLSI 2026``, or the guideline alone, ``CLSI``,
  for every year. A rule changes no other edition: the same figures mean something else there, and nobody decided on
  them;
- ``action``: ``breakpoint`` sets the figures of one group, drug and site, new or in place of the edition's; so does
  ``bracketed``, which gives R above the figure, and neither S nor I at or below it; ``dash`` says R without testing;
  ``insufficient evidence``, ``note``, ``not applicable`` and ``block`` say that there is no category, whatever wider
  groups say; ``remove`` takes the edition's row away, so that wider groups decide; ``expected resistance`` and
  ``no expected resistance``;
- ``statement``: as in an edition's tables, instead of ``action``, if such a row was edited into a rule;
- ``drug``: WHONET code or name;
- ``rank`` and ``group``: as in ``sirena guideline show``; rank ``organism`` takes a code or name as group and is for
  the species with all its serovars (or the group the code stands for); rank ``code`` is for one WHONET code alone;
- ``site``: empty for every site: the rule replaces all rows for that drug and group;
- ``S``, ``R`` in mg/L, with the meaning of the guideline (CLSI R at or above, EUCAST R above); ``middle``: I or SDD.
"""

import csv
import datetime
import difflib
import enum
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sirena.domain.antimicrobials import find_antimicrobial
from sirena.domain.category import Category
from sirena.domain.organisms import ORGANISMS, Rank, name_key, resolve
from sirena.guidelines.editions import plain_name
from sirena.guidelines.rows import Guideline, Statement
from sirena.guidelines.sites import Indication, parse_sites
from sirena.guidelines.tables import (
    TableError,
    parse_cell,
    parse_concentration,
    parse_middle,
    parse_rank,
    rank_name,
)
from sirena.guidelines.written_rules import delimiter_of, rules_text

REQUIRED: Final = ("who", "when", "why", "edition", "drug", "rank", "group")
COLUMNS: Final = (*REQUIRED[:4], "action", *REQUIRED[4:], "site", "S", "R", "middle")
_STATEMENT: Final = "statement"


class OverlayAction(enum.StrEnum):
    """The action of a rule: what it changes in a guideline edition."""

    BREAKPOINT = "breakpoint"
    BRACKETED = "bracketed"
    DASH = "dash"
    INSUFFICIENT_EVIDENCE = "insufficient evidence"
    NOTE = "note"
    NOT_APPLICABLE = "not applicable"
    BLOCK = "block"
    REMOVE = "remove"
    EXPECTED_RESISTANCE = "expected resistance"
    NO_EXPECTED_RESISTANCE = "no expected resistance"

    @property
    def statement(self) -> Statement | None:
        """The statement of the breakpoint row that the rule sets; None if the rule sets no row."""
        return Statement(self.value) if self.value in list(Statement) else None

    @property
    def is_of_expected_resistance(self) -> bool:
        """True for a rule on expected resistance."""
        return self in (OverlayAction.EXPECTED_RESISTANCE, OverlayAction.NO_EXPECTED_RESISTANCE)


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """One of a hospital's own rules."""

    line: int
    who: str
    when: datetime.date
    why: str
    edition: str
    """The edition that the rule is for, ``CLSI 2025``, or a guideline, ``CLSI``, for each of its editions."""
    action: OverlayAction
    drug: str
    rank: Rank
    group: str
    sites: tuple[Indication, ...]
    susceptible: float | None
    resistant: float | None
    middle: Category

    def is_for(self, edition: str) -> bool:
        """Tell whether the rule is for the edition with a given name."""
        return self.edition in (edition, edition.split()[0])

    @property
    def source(self) -> str:
        """The text that answers by this rule give as their source: who set the rule, when and why."""
        return f"local rule of {self.who}, {self.when.isoformat()}: {self.why}"


def read_overlay(name: str, content: bytes, known_editions: Sequence[str]) -> Iterator[OverlayRow]:
    r"""Yield the rules of an overlay file.

    Args:
        name: file name, for messages.
        content: bytes of the file.
        known_editions: names of the editions that rules may name.

    Raises:
        TableError: a rule cannot be read; the error names file, row, column and remedy.

    >>> header = b"who,when,why,edition,action,drug,rank,group,S,R"
    >>> rule = b"committee,2026-02-01,outbreak,CLSI,breakpoint,AMK,species,Escherichia coli,2,8"
    >>> [row] = read_overlay("rules.csv", header + b"\n" + rule, ["CLSI 2026"])
    >>> row.drug, row.susceptible, row.resistant, row.source
    ('AMK', 2.0, 8.0, 'local rule of committee, 2026-02-01: outbreak')
    """
    text = rules_text(content)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), restval="")
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    missing = [column for column in REQUIRED if column not in names]
    if not missing and "action" not in names and _STATEMENT not in names:
        missing = ["action"]
    if missing:
        raise TableError(
            f"{name}, row 1: column {missing[0]} is missing",
            hint=f"the columns are {', '.join(COLUMNS)}; see docs/howto/local-rules.md",
        )
    for cells in reader:
        row = {column: (cells.get(names.get(column.lower(), "")) or "").strip() for column in (*COLUMNS, _STATEMENT)}
        if any(row.values()):
            yield _row(row, name, reader.line_num, known_editions)


def _row(row: dict[str, str], file: str, line: int, known_editions: Sequence[str]) -> OverlayRow:
    place = file, line
    edition = parse_cell(lambda text: _parse_edition(text, known_editions), row, "edition", *place)
    action = _action(row, *place)
    rank, group = _parse_group(row, file, line)
    susceptible = parse_cell(parse_concentration, row, "S", *place)
    resistant = parse_cell(parse_concentration, row, "R", *place)
    _check_figures(action, susceptible, resistant, Guideline(edition.split()[0]), f"{file}, row {line}")
    return OverlayRow(
        line=line,
        who=parse_cell(_parse_text, row, "who", *place),
        when=parse_cell(_parse_date, row, "when", *place),
        why=parse_cell(_parse_text, row, "why", *place),
        edition=edition,
        action=action,
        drug=parse_cell(_parse_drug, row, "drug", *place),
        rank=rank,
        group=group,
        sites=parse_cell(parse_sites, row, "site", *place),
        susceptible=susceptible,
        resistant=resistant,
        middle=parse_cell(parse_middle, row, "middle", *place),
    )


def _check_figures(
    action: OverlayAction, susceptible: float | None, resistant: float | None, guideline: Guideline, place: str
) -> None:
    has_figures = susceptible is not None or resistant is not None
    if has_figures != (action.statement is not None and action.statement.has_figures):
        raise TableError(
            f"{place}, columns S and R: {'figures are missing' if not has_figures else 'no figures belong here'}",
            hint="breakpoint and bracketed need S or R in mg/L; everything else needs both empty",
        )
    if action is OverlayAction.BRACKETED and resistant is None:
        raise TableError(
            f"{place}, column R: the figure is missing", hint="a breakpoint in brackets gives R above, so it needs R"
        )
    if susceptible is None or resistant is None:
        return
    if resistant < susceptible or (guideline is Guideline.CLSI and resistant == susceptible):
        raise TableError(
            f"{place}, columns S and R: the same MIC would be S and R",
            hint="CLSI: S at or below, R at or above, so R is higher; EUCAST: R above, so R is at least S",
        )


def _parse_group(row: dict[str, str], file: str, line: int) -> tuple[Rank, str]:
    if row["rank"].lower() in ("organism", "organismo", ""):
        code = resolve(row["group"])
        if code is None:
            raise TableError(
                f"{file}, row {line}, column group: the cell names no organism",
                hint="write a WHONET organism code or a species name",
            )
        rank, group = ORGANISMS[code].narrowest_group
        if rank > Rank.GENUS_GROUP:
            raise TableError(
                f"{file}, row {line}, column group: the code stands for a class of organisms, not for one",
                hint="write the class itself in rank and group, as `sirena guideline show` does",
            )
        return rank, group
    rank = parse_cell(parse_rank, row, "rank", file, line)
    # a code is no name: the marker "spp" of a name is also the code of a species
    key_of = str.lower if rank is Rank.CODE else name_key
    groups = {key_of(group): group for group_rank, group in _groups() if group_rank is rank}
    if key_of(row["group"]) not in groups:
        close = difflib.get_close_matches(key_of(row["group"]), groups, n=3, cutoff=0.5)
        near = f"; near it: {', '.join(groups[key] for key in close)}" if close else ""
        raise TableError(
            f"{file}, row {line}, column group: no {rank_name(rank)} of that name",
            hint=f"names are those of `sirena guideline show`{near}",
        )
    return rank, groups[key_of(row["group"])]


def _groups() -> set[tuple[Rank, str]]:
    return {group for organism in ORGANISMS.values() for group in organism.lineage}


def _action(row: dict[str, str], file: str, line: int) -> OverlayAction:
    action = parse_cell(_parse_action, row, "action", file, line)
    if not row[_STATEMENT]:
        return action
    statement_action = parse_cell(_parse_statement, row, _STATEMENT, file, line)
    if row["action"] and action not in (OverlayAction.BREAKPOINT, statement_action):
        raise TableError(
            f"{file}, row {line}, columns action and statement: one contradicts the other",
            hint="leave one of the two empty",
        )
    return statement_action


def _parse_statement(text: str) -> OverlayAction:
    try:
        return OverlayAction(Statement(text.lower().replace("_", " ")).value)
    except ValueError:
        raise ValueError(f"is no statement; statements are {', '.join(Statement)}") from None


def _parse_action(text: str) -> OverlayAction:
    try:
        return OverlayAction(text.lower().replace("_", " ") or OverlayAction.BREAKPOINT)
    except ValueError:
        raise ValueError(f"is no action; actions are {', '.join(OverlayAction)}") from None


def _parse_edition(text: str, known_editions: Sequence[str]) -> str:
    if text.upper() in Guideline.__members__:
        return text.upper()
    for name in known_editions:
        if plain_name(name) == plain_name(text):
            return name
    guidelines = " or ".join(Guideline)
    raise ValueError(f"is no edition; write {guidelines} for every year of it, or one of {', '.join(known_editions)}")


def _parse_text(text: str) -> str:
    if not text:
        raise ValueError("is empty; every rule says who, when and why")
    return text


def _parse_date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date; write year-month-day, 2026-01-31") from None


def _parse_drug(text: str) -> str:
    drug = find_antimicrobial(text)
    if drug is None:
        raise ValueError("is no antimicrobial; write a WHONET code such as AMK")
    return drug.code
