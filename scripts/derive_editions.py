"""Derive the shipped guideline tables from facts read twice from the documents.

    python scripts/derive_editions.py FACTS src/sirena/guidelines/tables

FACTS is a folder of collected facts, which is not part of this repository: ``clsi_2026.csv`` … and
``expected_resistance_*.csv`` for the first 41 antimicrobials, and the same below ``further/`` for the others. Each row
there names its document, the number of independent readings, and what kind of statement it is.

What is changed on the way, and why:

- groups of organisms get the names of our own organism table;
- a figure of the FDA that CLSI does not print is no statement of CLSI: the row becomes a block, so that no wider row
  answers in its place, and the figure is named in the doubt;
- rifampicin and vancomycin of M24 Table 7 are named for *Rhodococcus equi*: the other genera of that table get a block;
- a row about which the sources contradict each other becomes a block, with the conflict as its doubt;
- EUCAST's screens for high-level aminoglycosides give R above; a negative screen is not S;
- of two rows for the same organisms the one further down the sheet, which names the species, is kept: "Cefotaxime" is
  for *Vibrio*, "Cefotaxime, V. fluvialis" for that species;
- sources name documents, not who collected from them.
"""

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edition_groups import EXPECTED_EXCEPTIONS, EXPECTED_GROUPS, group_of
from edition_remarks import DOUBTS, REMARKS, WEAK

from sirena.domain.category import Category
from sirena.domain.organisms import Rank
from sirena.guidelines.rows import NO_SUSCEPTIBLE_CATEGORY, Breakpoint, ExpectedResistance, Statement
from sirena.guidelines.sites import parse_sites
from sirena.guidelines.tables import breakpoints_text, expected_resistance_text, parse_rank

EDITIONS: Final = ("CLSI 2025", "CLSI 2026", "EUCAST 2025", "EUCAST 2026")

_STATEMENTS: Final = {
    "DASH": Statement.DASH,
    "IE": Statement.INSUFFICIENT_EVIDENCE,
    "NOTE": Statement.NOTE,
    "NA": Statement.NOT_APPLICABLE,
    "BRACKETED": Statement.BRACKETED,
    "BLOCK": Statement.BLOCK,
    "FDA, not CLSI": Statement.BLOCK,
    "CONFLICT": Statement.BLOCK,
}
"""Statement of a row by the first word of its note."""


def main(facts: str, target: str) -> None:
    """Write every edition."""
    for edition in EDITIONS:
        guideline, year = edition.lower().split()
        folder = Path(target) / f"{guideline}_{year}"
        folder.mkdir(parents=True, exist_ok=True)
        rows = list({row.key: row for row in _breakpoints(Path(facts), edition)}.values())
        expected = list(_expected(Path(facts), edition))
        (folder / "breakpoints.csv").write_text(breakpoints_text(edition, rows), encoding="utf-8")
        (folder / "expected_resistance.csv").write_text(expected_resistance_text(edition, expected), encoding="utf-8")
        print(f"{edition}: {len(rows)} rows, {len(expected)} statements of expected resistance")


def _rows(facts: Path, name: str) -> Iterator[dict[str, str]]:
    for path in (facts / name, facts / "further" / name):
        with path.open(encoding="utf-8", newline="") as stream:
            yield from csv.DictReader(stream)


def _breakpoints(facts: Path, edition: str) -> Iterator[Breakpoint]:
    for row in _rows(facts, edition.lower().replace(" ", "_") + ".csv"):
        statement = _STATEMENTS.get(re.split(r"[:;]", row["note"])[0], Statement.BREAKPOINT)
        sites = parse_sites(row["site"])
        susceptible, resistant = _figure(row["breakpoint_S"]), _figure(row["breakpoint_R"])
        if statement is Statement.BREAKPOINT and susceptible is None and resistant is None:
            statement = Statement.BLOCK
        doubt = _doubt(row, edition, susceptible, resistant)
        if not statement.has_figures:
            susceptible = resistant = None
        if row["note"].startswith("INTERMEDIATE ONLY"):
            susceptible = NO_SUSCEPTIBLE_CATEGORY
        if edition.startswith("EUCAST") and row["note"].startswith("screen for acquired"):
            susceptible = None
        rank, group = group_of(row["rank"], row["organism_group"])
        if "M24 names these agents for R. equi" in row["note"]:
            if group != "Rhodococcus":
                statement, susceptible, resistant = Statement.BLOCK, None, None
            else:
                rank, group = Rank.SPECIES, "Rhodococcus equi"
        yield Breakpoint(
            drug=row["ab"],
            rank=rank,
            group=group,
            sites=sites,
            susceptible=susceptible,
            resistant=resistant,
            middle=Category.SDD if row["is_SDD"] == "TRUE" else Category.I,
            source=_source(row["source"], edition),
            statement=statement,
            readings=int(row["checked_by"] or 1),
            doubt=doubt,
            remark="; ".join(text for pattern, text in REMARKS if re.search(pattern, row["note"])),
        )


def _figure(text: str) -> float | None:
    """Return a figure as the tables write it; the collection writes 0.0001 if no MIC is S."""
    value = float(text) if text else None
    return NO_SUSCEPTIBLE_CATEGORY if value is not None and value < NO_SUSCEPTIBLE_CATEGORY else value


def _doubt(row: dict[str, str], edition: str, susceptible: float | None, resistant: float | None) -> str:
    note = row["note"]
    stated = (("S", susceptible), ("R", resistant))
    figures = ", ".join(f"{letter} {figure:g}" for letter, figure in stated if figure is not None)
    doubts = []
    if note.startswith("FDA, not CLSI"):
        doubts.append(f"the FDA states {figures or 'a breakpoint'}; CLSI prints none, so none is applied")
    doubts += [text.format(figures=figures) for pattern, text in DOUBTS if re.search(pattern, _subject(row, edition))]
    if not doubts and edition.startswith("CLSI") and figures and row["checked_by"] in ("", "1"):
        doubts.append("one source")
    return _joined(doubts)


def _joined(doubts: list[str]) -> str:
    strong = [doubt for doubt in doubts if doubt not in WEAK]
    return "; ".join(dict.fromkeys(strong or doubts))


def _subject(row: dict[str, str], edition: str) -> str:
    """Return the text in which patterns of doubts are searched: edition, drug, group and note of a row."""
    return f"{edition}|{row['ab']}|{row['organism_group']}|{row['note']}"


def _source(text: str, edition: str) -> str:
    """Return document, table or sheet, and row; without the name of the collector."""
    sheet = re.match(r"EUCAST (v[\d.]+) (?:xlsx|pdf), (.+?)!(\d+)$", text)
    if sheet:
        return f"EUCAST {sheet[1]}, {sheet[2]}, row {sheet[3]}"
    same = re.match(r"EUCAST (v[\d.]+) pdf, (.+?) \(unchanged from v15.0 row (\d+)\)$", text)
    if same:
        return f"EUCAST {same[1]}, {same[2]} (v15.0 row {same[3]})"
    document = re.split(r"; | \(|: ONE SOURCE| via WHONET| as in WHONET", text)[0].strip()
    if edition.startswith("CLSI") and re.match(r"CLSI Table \d", document):
        document = document.replace("CLSI Table", "CLSI M100 Table")
    return document


def _expected(facts: Path, edition: str) -> Iterator[ExpectedResistance]:
    seen: set[object] = set()
    for row in _rows(facts, f"expected_resistance_{edition.split()[0].lower()}.csv"):
        subject = f"{edition}|{row['drug']}|{row['group']}|expected resistance: {row['source']}; {row['note']}"
        named = edition.split()[0], row["group"]
        rank, group = EXPECTED_GROUPS.get(named, (parse_rank(row["rank"]), row["group"]))
        spared = {EXPECTED_EXCEPTIONS[named]} if named in EXPECTED_EXCEPTIONS else set()
        statement = ExpectedResistance(
            row["drug"],
            rank,
            group,
            frozenset({*_exceptions(row["except"]), *spared}),
            row["source"].split(";")[0].replace("WHONET only", "WHONET's rules of expected resistance"),
            int(row["checked_by"] or 1),
            _joined([text for pattern, text in DOUBTS if re.search(pattern, subject)]),
        )
        if row["edition"] == edition and statement.key not in seen:
            seen.add(statement.key)
            yield statement


def _exceptions(text: str) -> Iterator[tuple[Rank, str]]:
    for part in filter(None, (part.strip() for part in text.split(","))):
        rank, _, group = part.partition(":")
        yield parse_rank(rank), group.strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
