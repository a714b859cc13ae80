"""A hospital's own rules on top of editions: a CSV that says who, when, why, for which edition, and what.

Columns (in any order; comma, semicolon or tab; a decimal comma is read):

- ``who``, ``when`` (ISO date), ``why``: required in every row, and part of every answer that rests on it;
- ``edition``: required in every row: the edition it is for, ``CLSI 2025``, or the guideline alone, ``CLSI``, for every
  year. A rule is laid over no other edition: the same figures mean another thing there, and nobody decided on them;
- ``action``: ``breakpoint`` sets the figures of one group, drug and site, new or in place of the edition's; ``block``
  says that there is no breakpoint, whatever wider groups say; ``remove`` takes the edition's row away, so that
  wider groups decide; ``expected resistance`` and ``no expected resistance``;
- ``drug``: WHONET code or name;
- ``rank`` and ``group``: as in ``sirena guideline show``; rank ``organism`` takes a code or name as group and is for
  the species with all its serovars (or the group the code stands for); rank ``code`` is for one WHONET code alone;
- ``site``: empty for whatever site: the rule takes the place of all rows for that drug and group;
- ``S``, ``R`` in mg/L, with the meaning of the guideline (CLSI R at or above, EUCAST R above); ``middle``: I or SDD.
"""

import csv
import datetime
import difflib
import enum
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.category import Category
from sirena.domain.organisms import ORGANISMS, Rank, name_key, resolve
from sirena.guidelines.editions import Edition, OverlayIdentity, folded
from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Guideline
from sirena.guidelines.sites import Indication, parse_sites
from sirena.guidelines.tables import (
    TableError,
    parse_cell,
    parse_concentration,
    parse_middle,
    parse_rank,
    rank_name,
)

REQUIRED: Final = ("who", "when", "why", "edition", "action", "drug", "rank", "group")
COLUMNS: Final = (*REQUIRED, "site", "S", "R", "middle")

_MAXIMUM_BYTES: Final = 5_000_000


class Action(enum.StrEnum):
    """What a row of an overlay does."""

    BREAKPOINT = "breakpoint"
    BLOCK = "block"
    REMOVE = "remove"
    EXPECTED_RESISTANCE = "expected resistance"
    NO_EXPECTED_RESISTANCE = "no expected resistance"


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """One rule of a hospital."""

    line: int
    who: str
    when: datetime.date
    why: str
    edition: str
    """Name of the edition it is for, ``CLSI 2025``, or of a guideline, ``CLSI``, for each of its editions."""
    action: Action
    drug: str
    rank: Rank
    group: str
    sites: tuple[Indication, ...]
    susceptible: float | None
    resistant: float | None
    middle: Category

    def is_for(self, edition: Edition) -> bool:
        """Tell whether the rule is for an edition."""
        return self.edition in (edition.name, edition.guideline)

    @property
    def source(self) -> str:
        """What stands as the source of the rule in every answer."""
        return f"local rule of {self.who}, {self.when.isoformat()}: {self.why}"


def apply_overlay(edition: Edition, path: Path, known: Iterable[str] = ()) -> Edition:
    """Return the edition as a hospital changed it; the very edition when no rule is for it.

    Args:
        edition: from `sirena.guidelines.editions`.
        path: the overlay.
        known: names of the editions there are, which rules may be for beside this one.

    Raises:
        TableError: names file, row and column, and the remedy.
    """
    content = _content(path)
    stated = list(_rows(path, content, tuple(dict.fromkeys((*known, edition.name)))))
    if not stated:
        raise TableError(f"{path.name}: the overlay has no rows", hint="write at least one rule below the header")
    rows = [row for row in stated if row.is_for(edition)]
    if not rows:
        return edition
    changed = edition
    seen: dict[object, int] = {}
    for row in sorted(rows, key=lambda row: row.sites != (Indication.UNSPECIFIED,)):
        key = row.action in (Action.EXPECTED_RESISTANCE, Action.NO_EXPECTED_RESISTANCE), row.drug, row.rank, row.group
        earlier = seen.setdefault((*key, row.sites), row.line)
        if earlier != row.line:
            raise TableError(
                f"{path.name}, row {row.line}: the rule of row {earlier} is stated again",
                hint="keep one row for each drug, group and site",
            )
        changed = _apply(changed, row, path.name)
    identity = OverlayIdentity(
        name=path.name,
        who="; ".join(dict.fromkeys(row.who for row in rows)),
        when=max(row.when for row in rows).isoformat(),
        why="; ".join(dict.fromkeys(row.why for row in rows)),
        rows=len(rows),
        digest=hashlib.sha256(content).hexdigest(),
    )
    return replace(changed, name=f"{edition.name} + {path.name}", overlay=identity)


def _apply(edition: Edition, row: OverlayRow, file: str) -> Edition:
    if row.action in (Action.EXPECTED_RESISTANCE, Action.NO_EXPECTED_RESISTANCE):
        return replace(edition, expected_resistance=_expected(edition, row, file))
    figures = Breakpoint(
        row.drug, row.rank, row.group, row.sites, row.susceptible, row.resistant, row.middle, row.source
    )
    others = tuple(known for known in edition.breakpoints if not _replaces(figures, known))
    if row.action is not Action.REMOVE:
        return replace(edition, breakpoints=(*others, figures))
    if len(others) == len(edition.breakpoints):
        raise TableError(
            f"{file}, row {row.line}, column action: the edition has no such row to remove",
            hint="see its rows with `sirena guideline show`; `block` says that there is no breakpoint",
        )
    return replace(edition, breakpoints=others)


def _replaces(rule: Breakpoint, known: Breakpoint) -> bool:
    """A rule without a site holds for every site, so it takes the place of the rows for single sites too."""
    same = (rule.drug, rule.rank, rule.group) == (known.drug, known.rank, known.group)
    return same and rule.sites in ((Indication.UNSPECIFIED,), known.sites)


def _expected(edition: Edition, row: OverlayRow, file: str) -> tuple[ExpectedResistance, ...]:
    """Return the edition's statements with one more, or with one group taken out of them."""
    target = row.rank, row.group
    if row.action is Action.EXPECTED_RESISTANCE:
        others = [s for s in edition.expected_resistance if s.key != (row.drug, *target)]
        return (*others, ExpectedResistance(row.drug, *target, source=row.source))
    members = [organism for organism in ORGANISMS.values() if organism.belongs_to(*target)]
    kept, touched = [], False
    for statement in edition.expected_resistance:
        if statement.drug != row.drug or not any(statement.covers(member) for member in members):
            kept.append(statement)
            continue
        touched = True
        if (statement.rank, statement.group) != target:
            kept.append(replace(statement, exceptions=statement.exceptions | {target}))
    if not touched:
        raise TableError(
            f"{file}, row {row.line}, column action: the edition states no such expected resistance",
            hint="see its rows with `sirena guideline show`",
        )
    return tuple(kept)


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise TableError(f"{path.name}: there is no such overlay file", hint="give the path of a CSV file")
    if path.stat().st_size > _MAXIMUM_BYTES:
        raise TableError(f"{path.name}: too large for a table of rules", hint="an overlay is a small CSV file")
    return path.read_bytes()


def _rows(path: Path, content: bytes, known: Sequence[str]) -> Iterator[OverlayRow]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    missing = [column for column in REQUIRED if column not in names]
    if missing:
        raise TableError(
            f"{path.name}, row 1: column {missing[0]} is missing",
            hint=f"the columns are {', '.join(COLUMNS)}; see docs/howto/local-rules.md",
        )
    for cells in reader:
        row = {column: (cells.get(names.get(column.lower(), "")) or "").strip() for column in COLUMNS}
        if any(row.values()):
            yield _row(row, path.name, reader.line_num, known)


def _row(row: dict[str, str], file: str, line: int, known: Sequence[str]) -> OverlayRow:
    where = file, line
    edition = parse_cell(lambda text: _parse_edition(text, known), row, "edition", *where)
    action = parse_cell(_parse_action, row, "action", *where)
    rank, group = _parse_group(row, file, line)
    susceptible = parse_cell(parse_concentration, row, "S", *where)
    resistant = parse_cell(parse_concentration, row, "R", *where)
    _check_figures(action, susceptible, resistant, Guideline(edition.split()[0]), f"{file}, row {line}")
    return OverlayRow(
        line=line,
        who=parse_cell(_parse_text, row, "who", *where),
        when=parse_cell(_parse_date, row, "when", *where),
        why=parse_cell(_parse_text, row, "why", *where),
        edition=edition,
        action=action,
        drug=parse_cell(_parse_drug, row, "drug", *where),
        rank=rank,
        group=group,
        sites=parse_cell(parse_sites, row, "site", *where),
        susceptible=susceptible,
        resistant=resistant,
        middle=parse_cell(parse_middle, row, "middle", *where),
    )


def _check_figures(
    action: Action, susceptible: float | None, resistant: float | None, guideline: Guideline, where: str
) -> None:
    stated = susceptible is not None or resistant is not None
    if stated != (action is Action.BREAKPOINT):
        raise TableError(
            f"{where}, columns S and R: {'figures are missing' if not stated else 'no figures belong here'}",
            hint="action breakpoint needs S or R in mg/L; every other action needs both empty",
        )
    if susceptible is None or resistant is None:
        return
    if resistant < susceptible or (guideline is Guideline.CLSI and resistant == susceptible):
        raise TableError(
            f"{where}, columns S and R: the same MIC would be S and R",
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
    groups = {key_of(group): group for known, group in _groups() if known is rank}
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


def _parse_action(text: str) -> Action:
    try:
        return Action(text.lower().replace("_", " ") or Action.BREAKPOINT)
    except ValueError:
        raise ValueError(f"is no action; actions are {', '.join(Action)}") from None


def _parse_edition(text: str, known: Sequence[str]) -> str:
    if text.upper() in Guideline.__members__:
        return text.upper()
    for name in known:
        if folded(name) == folded(text):
            return name
    guidelines = " or ".join(Guideline)
    raise ValueError(f"is no edition; write {guidelines} for every year of it, or one of {', '.join(known)}")


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
    key = name_key(text)
    for drug in ANTIMICROBIALS.values():
        if key in (name_key(drug.code), name_key(drug.english), name_key(drug.spanish)):
            return drug.code
    raise ValueError("is no antimicrobial; write a WHONET code such as AMK")
