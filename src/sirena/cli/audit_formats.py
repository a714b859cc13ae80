"""Writing ledger entries as a table, JSON lines or CSV."""

import csv
import enum
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from typing import Final

from sirena.cli.sections import Section, print_sections
from sirena.ledger.entry import LedgerEntry

_NAMED: Final = 3
_FORMULA: Final = ("=", "+", "-", "@")


class AuditFormat(enum.StrEnum):
    """Format in which entries of the ledger are written."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def print_table(entries: Iterable[LedgerEntry]) -> None:
    """Print entries of the ledger as a table for people."""
    rows = [
        (
            str(entry.seq),
            entry.at[:19].replace("T", " "),
            entry.event,
            entry.outcome,
            entry.who,
            entry.origin,
            _facts_text(entry),
        )
        for entry in entries
    ]
    print_sections(
        [
            Section(
                "Audit ledger (UTC)", rows, ("#entry", "when", "event", "outcome", "who", "from", "what"),
                "" if rows else "no entries",
            )
        ]
    )  # fmt: skip


def lines(entries: Iterable[LedgerEntry], form: AuditFormat) -> Iterator[str]:
    """Yield entries of the ledger as lines: JSON, exactly as stored, or CSV with a heading.

    In CSV, a cell that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    if form is AuditFormat.JSONL:
        for entry in entries:
            yield json.dumps({**asdict(entry), "details": entry.facts() or entry.details}, ensure_ascii=False)
        return
    yield _csv_line([field.name for field in fields(LedgerEntry)])
    for entry in entries:
        yield _csv_line([harmless(str(cell)) for cell in asdict(entry).values()])


def _facts_text(entry: LedgerEntry) -> str:
    parts = []
    for name, value in entry.facts().items():
        parts.append(f"{name}={_several(value) if isinstance(value, list) else _short(str(value))}")
    return " ".join(parts)


def _several(values: list[object]) -> str:
    more = len(values) - _NAMED
    return ", ".join(map(str, values[:_NAMED])) + (f" and {more} more" if more > 0 else "")


def _short(text: str) -> str:
    return f"{text[:12]}…" if len(text) == 64 and " " not in text else text[:120]


def harmless(cell: str) -> str:
    """Return a CSV cell, with an apostrophe before it if a spreadsheet would run it as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _csv_line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
