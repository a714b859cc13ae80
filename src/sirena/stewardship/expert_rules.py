"""The table of expert rules: results that are reported as R because of another fact in the same row.

``expert_rules.csv``, in this module's folder, is always used; a hospital's own table, with the same columns, adds to
it. Columns:

- ``rule``: a short code, several rows may share it; ``action``: ``report R``, or ``remove`` to remove the rule of that
  code (then all other columns except who, when, why are empty);
- ``who``, ``when`` (ISO date), ``why``: required in every row;
- ``guideline``: CLSI or EUCAST, empty for both; ``from``, ``until``: years of the editions to which the rule applies;
- ``rank``, ``group``: as ``sirena guideline show`` prints them; rank ``organism`` takes a code or a name;
- ``trigger``: see `sirena.stewardship.condition`; ``drugs``: WHONET codes and classes joined by ``;``,
  ``except``: codes to which the rule does not apply; ``source``: document and table.
"""

import csv
import datetime
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.organisms import ORGANISMS, Rank, resolve
from sirena.guidelines.rows import Guideline
from sirena.guidelines.tables import TableError, parse_cell, parse_rank
from sirena.guidelines.written_rules import RulesSource, delimiter_of, rules_content, rules_text
from sirena.stewardship.condition import Trigger, parse_trigger

REPORT: Final = "report R"
REMOVE: Final = "remove"
COLUMNS: Final = (
    *("rule", "action", "who", "when", "why", "guideline", "from", "until"),
    *("rank", "group", "trigger", "drugs", "except", "source"),
)
_REQUIRED: Final = ("rule", "action", "who", "when", "why")
_SHIPPED: Final = Path(__file__).with_name("expert_rules.csv")
_FAMILIES: Final = {drug.family.casefold() for drug in ANTIMICROBIALS.values()}


@dataclass(frozen=True, slots=True)
class ExpertRule:
    """One row of the table: if its trigger holds, its antimicrobials are reported as R if they were tested."""

    code: str
    who: str
    when: datetime.date
    why: str
    guideline: Guideline | None
    """Guideline to which the rule applies; None for every guideline."""
    years: tuple[int, int]
    """First and last year of the editions to which the rule applies."""
    rank: Rank
    group: str
    trigger: Trigger
    drugs: frozenset[str]
    """WHONET codes of the antimicrobials."""
    source: str
    is_local: bool
    """True for a rule of the hospital's own table."""

    @property
    def label(self) -> str:
        """Text written next to a reported result: code of the rule and its origin."""
        origin = f"local rule of {self.who}, {self.when.isoformat()}: {self.why}" if self.is_local else self.source
        return f"{self.code} ({origin})"

    def is_for(self, edition: str, letter: str) -> bool:
        """Tell whether the rule applies to a test column, by guideline and edition.

        Args:
            edition: guideline edition that answered the column, ``CLSI 2026``; empty if not known.
            letter: the column's guideline letter.
        """
        if self.guideline is not None and self.guideline.letter != letter:
            return False
        year = edition.partition(" ")[2][:4]
        if not year.isdigit():
            return self.years == _ALL_YEARS
        return self.years[0] <= int(year) <= self.years[1]


_ALL_YEARS: Final = (0, 9999)


def load_expert_rules(own_table: RulesSource | None = None) -> tuple[ExpertRule, ...]:
    """Return Sirena's expert rules, with the additions and removals of a hospital's table.

    Args:
        own_table: a hospital's own table; None for Sirena's alone.

    Raises:
        TableError: a rule cannot be read; the error names file, row, column and remedy.

    >>> sorted({rule.code for rule in load_expert_rules()})
    ['BLNAR', 'ESBL', 'ICR', 'MRS', 'SALSHI']
    """
    rules, _ = _read(_SHIPPED.name, _SHIPPED.read_bytes(), is_local=False)
    if own_table is None:
        return tuple(rules)
    own, own_removals = _read(own_table.name, rules_content(own_table), is_local=True)
    unknown = {line: code for code, line in own_removals.items() if code not in {rule.code for rule in rules}}
    if unknown:
        raise TableError(
            f"{own_table.name}, row {min(unknown)}, column rule: there is no such rule to remove",
            hint=f"rules are {', '.join(sorted({rule.code for rule in rules}))}",
        )
    return (*(rule for rule in rules if rule.code not in own_removals), *own)


def _read(file: str, content: bytes, *, is_local: bool) -> tuple[list[ExpertRule], dict[str, int]]:
    """Return the rules of a table, and the codes of rules that it removes, with the number of each row."""
    text = rules_text(content)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), restval="")
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise TableError(f"{file}, row 1: column {missing[0]} is missing", hint=f"the columns are {', '.join(COLUMNS)}")
    rules: list[ExpertRule] = []
    removals: dict[str, int] = {}
    for cells in reader:
        row = {column: (cells[names[column]] or "").strip() for column in COLUMNS}
        if not any(row.values()):
            continue
        empty = [column for column in _REQUIRED if not row[column]]
        if empty:
            raise TableError(
                f"{file}, row {reader.line_num}, column {empty[0]}: the cell is empty",
                hint="every rule says its code, what it does, who decided it, when and why",
            )
        if row["action"].lower() == REMOVE:
            removals[row["rule"].upper()] = reader.line_num
        else:
            rules.append(_rule(row, file, reader.line_num, is_local=is_local))
    return rules, removals


def _rule(row: dict[str, str], file: str, line: int, *, is_local: bool) -> ExpertRule:
    place = file, line
    parse_cell(_check_action, row, "action", *place)
    rank, group = _group(row, *place)
    first, last = (parse_cell(_parse_year, row, column, *place) for column in ("from", "until"))
    drugs = parse_cell(_parse_drugs, row, "drugs", *place) - parse_cell(_parse_codes, row, "except", *place)
    return ExpertRule(
        code=row["rule"].upper(),
        who=row["who"],
        when=parse_cell(_parse_date, row, "when", *place),
        why=row["why"],
        guideline=parse_cell(_parse_guideline, row, "guideline", *place),
        years=(first or _ALL_YEARS[0], last or _ALL_YEARS[1]),
        rank=rank,
        group=group,
        trigger=parse_cell(parse_trigger, row, "trigger", *place),
        drugs=drugs,
        source=row["source"],
        is_local=is_local,
    )


def _group(row: dict[str, str], file: str, line: int) -> tuple[Rank, str]:
    if row["rank"].lower() in ("organism", ""):
        code = resolve(row["group"])
        if code is None:
            raise TableError(
                f"{file}, row {line}, column group: the cell names no organism",
                hint="write a WHONET organism code or a species name",
            )
        return ORGANISMS[code].narrowest_group
    rank = parse_cell(parse_rank, row, "rank", file, line)
    if not any(organism.belongs_to(rank, row["group"]) for organism in ORGANISMS.values()):
        raise TableError(
            f"{file}, row {line}, column group: no organism belongs to such a group",
            hint="names are those of `sirena guideline show`",
        )
    return rank, row["group"]


def _check_action(text: str) -> None:
    if text.lower() != REPORT.lower():
        raise ValueError(f"is no action; write {REPORT!r} or {REMOVE!r}")


def _parse_date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date; write 2026-03-01") from None


def _parse_year(text: str) -> int | None:
    if text and not (text.isdigit() and len(text) == 4):
        raise ValueError("is no year; write 2009, or nothing")
    return int(text) if text else None


def _parse_guideline(text: str) -> Guideline | None:
    if not text:
        return None
    try:
        return Guideline(text.upper())
    except ValueError:
        raise ValueError("is no guideline; write CLSI or EUCAST, or nothing for both") from None


def _parse_drugs(text: str) -> frozenset[str]:
    parts = [part.strip() for part in text.split(";") if part.strip()]
    families = {part.casefold() for part in parts if part.casefold() in _FAMILIES}
    codes = _parse_codes(";".join(part for part in parts if part.casefold() not in _FAMILIES))
    of_families = {code for code, drug in ANTIMICROBIALS.items() if drug.family.casefold() in families}
    if not codes | of_families:
        raise ValueError("names no antimicrobial")
    return codes | of_families


def _parse_codes(text: str) -> frozenset[str]:
    codes = frozenset(part.strip().upper() for part in text.split(";") if part.strip())
    if not codes <= ANTIMICROBIALS.keys():
        raise ValueError("holds something that is neither a WHONET antimicrobial code nor a class of them")
    return codes
