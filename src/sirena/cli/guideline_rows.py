"""The rows of a guideline edition in the output of ``sirena guideline``: lines for people, facts for programs."""

import shutil
import textwrap
from typing import TYPE_CHECKING, Any, Final

from sirena.cli.voice import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sirena.guidelines.editions import Edition
    from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Guideline

    Row = Breakpoint | ExpectedResistance

DIFFERENCE_WORDS: Final = (0, 5, 6)
"""Numbers of the columns of a table of differences that hold words to translate."""
_WIDTH: Final = 100
_WHO: Final = 50
"""Width of the group of organisms in a line, in characters."""
_INDENT: Final = "      "


def width() -> int:
    """Return the width of the output, in characters."""
    return min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)


def row_lines(row: "Row", guideline: "Guideline") -> "Iterator[str]":
    """Yield a guideline row as lines of text: group, statement, source, number of readings, doubt and remark."""
    subject = f"{row.drug}  {whom(row)}"
    statement = saying(row, guideline)
    yield from _two_columns(subject, statement)
    readings = "one reading" if row.readings == 1 else f"{row.readings} readings"
    yield from _wrapped_lines(f"{row.source or 'no source named'}; {readings}")
    if row.doubt:
        yield from _wrapped_lines(f"doubt: {row.doubt}")
    remark = getattr(row, "remark", "")
    if remark:
        yield from _wrapped_lines(f"remark: {remark}")


def whom(row: "Row") -> str:
    """Return the organism group and the site or route of a guideline row: ``order Enterobacterales (oral)``."""
    from sirena.guidelines.tables import rank_name

    sites = ", ".join(filter(None, getattr(row, "sites", ())))
    return f"{rank_name(row.rank)} {row.group}{f' ({sites})' if sites else ''}"


def saying(row: "Row", guideline: "Guideline") -> str:
    """Return the statement of a guideline row in a few words."""
    from sirena.guidelines.difference import figures
    from sirena.guidelines.rows import Breakpoint
    from sirena.guidelines.tables import rank_name

    if isinstance(row, Breakpoint):
        return figures(row, guideline)
    exceptions = ", ".join(f"{rank_name(rank)} {group}" for rank, group in sorted(row.exceptions))
    return f"R: expected resistance{f', except {exceptions}' if exceptions else ''}"


def row_facts(row: "Row") -> dict[str, Any]:
    """Return the facts of a guideline row for programs; concentrations are in mg/L, None if the row states none."""
    from sirena.guidelines.rows import Breakpoint
    from sirena.guidelines.tables import rank_name

    group: dict[str, Any] = {"drug": row.drug, "rank": rank_name(row.rank), "group": row.group}
    source_facts = {"source": row.source, "readings": row.readings, "doubt": row.doubt}
    if not isinstance(row, Breakpoint):
        exceptions = [f"{rank_name(rank)}:{name}" for rank, name in sorted(row.exceptions)]
        return {"statement": "expected resistance", **group, "except": exceptions, **source_facts}
    figures = {"S": row.susceptible, "R": row.resistant, "middle": row.middle.value}
    sites = list(filter(None, row.sites))
    return {"statement": row.statement.value, **group, "sites": sites, **figures, **source_facts, "remark": row.remark}


def edition_facts(edition: "Edition") -> dict[str, Any]:
    """Return the facts of a guideline edition as a whole, for programs."""
    record = edition.record
    return {
        "edition": edition.name,
        "guideline": edition.guideline.value,
        "documents": list(record.documents),
        "in_force_since": record.in_force_since.isoformat() if record.in_force_since else None,
        "reading": record.reading,
        "doubts": list(record.doubts),
        "digest": edition.digest,
    }


def edition_lines(edition: "Edition") -> "Iterator[str]":
    """Yield the facts of a guideline edition as a whole, as lines of text."""
    record = edition.record
    since = (
        f"in force since {record.in_force_since}"
        if record.in_force_since
        else "no day is stated from which it is in force"
    )
    yield f"{edition.name}: {since}"
    for label, texts in (
        ("documents", [", ".join(record.documents)]),
        ("read", [record.reading]),
        ("doubt", record.doubts),
    ):
        for text in filter(None, texts):
            yield from textwrap.wrap(
                in_words(f"{label}: {text}"), width(), initial_indent="  ", subsequent_indent="    "
            )


def bulleted(texts: "Iterable[str]") -> "Iterator[str]":
    """Yield sentences as wrapped and indented lines, each sentence with a bullet."""
    for text in texts:
        yield from textwrap.wrap(in_words(text), width(), initial_indent="  ", subsequent_indent=_INDENT)


def _two_columns(left_text: str, right_text: str) -> "Iterator[str]":
    left_lines = textwrap.wrap(left_text, _WHO - 2, subsequent_indent="     ") or [""]
    right_lines = textwrap.wrap(right_text, max(width() - _WHO - 2, 20)) or [""]
    for number in range(max(len(left_lines), len(right_lines))):
        first = left_lines[number] if number < len(left_lines) else ""
        second = right_lines[number] if number < len(right_lines) else ""
        yield f"  {first:<{_WHO - 2}}  {second}".rstrip()


def _wrapped_lines(text: str) -> "Iterator[str]":
    yield from textwrap.wrap(in_words(text), width(), initial_indent=_INDENT, subsequent_indent=_INDENT + "  ")
