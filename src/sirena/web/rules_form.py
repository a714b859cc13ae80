"""The form for writing rules: a group of fields for each rule, and an empty group at the end.

Rules, each with a test of like name:

- an unchanged rule keeps its author and day; a changed or new rule gets the writer and the current day;
- a rule is removed by its box, or by emptying all its cells;
- the form shows again what was typed, even if it is not valid.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sirena.domain.organisms import Rank
from sirena.domain.rule_kind import MOST_RULES, RuleKind
from sirena.guidelines.overlay_file import OverlayAction
from sirena.guidelines.rows import Guideline
from sirena.guidelines.sites import Indication
from sirena.guidelines.tables import rank_name
from sirena.stewardship.expert_rules import REMOVE, REPORT

Row = dict[str, str]
_SIGNED: Final = ("who", "when")
"""Columns that are filled in by Sirena."""
_SHOWN: Final = {
    RuleKind.OVERLAY: ("edition", "drug", "rank", "group", "site", "action", "S", "R", "middle", "why"),
    RuleKind.EXPERT: (
        *("rule", "action", "rank", "group", "trigger", "drugs", "except"),
        *("guideline", "from", "until", "why", "source"),
    ),
}
_RANKS: Final = ("organism", *map(rank_name, Rank))
MOST_FIELDS: Final = (MOST_RULES + 1) * (len(_SHOWN[RuleKind.EXPERT]) + len(_SIGNED) + 1) + 2
LONGEST_FIELD: Final = 4 * 1024


@dataclass(frozen=True)
class RuleField:
    """A field of the form, for one cell of a rule."""

    column: str
    options: tuple[str, ...] = ()
    """Values to choose from; empty for a field to type in."""


def fields_of(kind: RuleKind, editions: Sequence[str]) -> tuple[RuleField, ...]:
    """Return the fields of the form for one rule.

    Args:
        kind: kind of the rules.
        editions: names of all guideline editions.
    """
    overlay = kind is RuleKind.OVERLAY
    options: Mapping[str, tuple[str, ...]] = {
        "edition": (*Guideline, *reversed(editions)),
        "guideline": ("", *Guideline),
        "action": tuple(OverlayAction) if overlay else (REPORT, REMOVE),
        "rank": _RANKS,
        "site": ("", *filter(None, Indication)),
        "middle": ("", "I", "SDD"),
    }
    return tuple(RuleField(column, options.get(column, ())) for column in _SHOWN[kind])


def _columns(kind: RuleKind) -> tuple[str, ...]:
    return (*_SIGNED, *_SHOWN[kind])


def form_of(kind: RuleKind, rows: Iterable[Row]) -> dict[str, str]:
    """Return rows as the values of a form's fields, by name.

    >>> form_of(RuleKind.OVERLAY, [{"drug": "AMK"}])["drug-0"]
    'AMK'
    """
    return {f"{column}-{place}": row.get(column, "") for place, row in enumerate(rows) for column in _columns(kind)}


def rows_of(kind: RuleKind, form: Mapping[str, str]) -> list[Row]:
    """Return the values of a form's fields as rows; rows without a typed text and rows to be removed are left out."""
    free_columns = [field.column for field in fields_of(kind, ()) if not field.options]
    places = sorted(
        {
            int(place)
            for name in form
            for column, _, place in [name.rpartition("-")]
            if column in _columns(kind) and place.isdecimal() and int(place) <= MOST_RULES
        }
    )
    rows = [{column: form.get(f"{column}-{place}", "") for column in _columns(kind)} for place in places]
    return [
        row
        for place, row in zip(places, rows, strict=True)
        if f"remove-{place}" not in form and any(row[column].strip() for column in free_columns)
    ]


def signed(rows: Iterable[Row], former_rows: Iterable[Row], author: str, today: datetime.date) -> list[Row]:
    """Return rows, each with its author and day filled in.

    Args:
        rows: rows as the person wrote them.
        former_rows: rows from which the draft was begun; an unchanged row keeps its author and day.
        author: author of the other rows.
        today: day written into the other rows.
    """
    row_of_content = {_unsigned(row): row for row in former_rows}
    signature = {"who": author, "when": today.isoformat()}
    return [row | {name: row_of_content.get(_unsigned(row), signature)[name] for name in _SIGNED} for row in rows]


def _unsigned(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, " ".join(text.split())) for name, text in row.items() if name not in _SIGNED))
