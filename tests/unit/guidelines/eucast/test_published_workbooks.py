"""EUCAST's own workbooks against facts that others read: every difference has a reason, and every reason a difference.

The workbooks lie beside the project; v14.0 has been through another program, which lost its superscripts.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.organisms import ORGANISMS
from sirena.domain.site import Site
from sirena.guidelines.editions import Editions, load_edition
from sirena.guidelines.eucast.findings import WorkbookReading
from sirena.guidelines.eucast.importing import breakpoints_of
from sirena.guidelines.eucast.workbook import read_workbook
from sirena.guidelines.interpreter import explain as explain_mic
from sirena.guidelines.rows import Statement
from sirena.guidelines.sites import Indication
from sirena.guidelines.whonet_import import import_whonet
from tests.unit.guidelines.eucast.facts import Reason, Stated, Unlike, compare, explain, of_workbook, read_facts


def _workbook(shared_data: Path, version: str) -> WorkbookReading:
    path = shared_data / "reference" / "eucast" / f"eucast_v{version}.xlsx"
    if not path.is_file():
        pytest.skip(f"../shared/data lacks EUCAST's workbook v{version}")
    return read_workbook(path)


@pytest.fixture(scope="module")
def v15(shared_data: Path) -> WorkbookReading:
    """EUCAST's workbook of 2025."""
    return _workbook(shared_data, "15.0")


@pytest.fixture(scope="module")
def v14(shared_data: Path) -> WorkbookReading:
    """EUCAST's workbook of 2024."""
    return _workbook(shared_data, "14.0")


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> list[Stated]:
    """The facts of EUCAST 2025 on bacteria."""
    folder = shared_data / "reference" / "facts"
    if not folder.is_dir():
        pytest.skip("../shared/data lacks the breakpoint facts")
    return read_facts(folder)


def among(*pairs: tuple[str, str]) -> "frozenset[tuple[str, str]]":
    """Return antimicrobials and groups, one pair for each code of the first text."""
    return frozenset((drug, group) for drugs, group in pairs for drug in drugs.split())


_NO_ROUTE = among(
    ("FOS", "Enterobacterales"),
    ("SAM", "Enterococcus"),
    ("AMP", "Haemophilus influenzae"),
    ("AMP", "Haemophilus parainfluenzae"),
    ("AMP", "Streptococcus pneumoniae"),
    ("AMP", "Streptococcus, viridans group"),
)
_METHICILLIN = frozenset({"FOX", "OXA"})
_DISK_SCREENS = among(
    ("PEN", "Haemophilus influenzae"),
    ("PEN", "Haemophilus parainfluenzae"),
    ("PEN", "Streptococcus, viridans group"),
    ("OXA", "Streptococcus pneumoniae"),
    ("NOR", "Bacillus anthracis"),
)

REASONS = (
    Reason(
        "a dash: the facts leave out the indication or route of the title",
        lambda item: item.kind is Statement.DASH and item.drug in {"MEC", "NOR", "NIT", "FOS"},
    ),
    Reason(
        "the facts leave out the route of the title",
        lambda item: (item.drug, item.group) in _NO_ROUTE and item.counterpart,
    ),
    Reason(
        "the note says: oral treatment; the facts say it in words",
        lambda item: (item.drug, item.group) in among(("FDX MTR", "Clostridioides difficile")) and item.counterpart,
    ),
    Reason(
        "a screen for methicillin resistance: its figures and groups stand in the prose of notes, for a person",
        lambda item: (
            item.drug in _METHICILLIN
            and item.group.startswith("Staphylococcus")
            and Indication.SCREEN in item.indications
        ),
    ),
    Reason(
        "a screen of which the facts have no row",
        lambda item: (
            item.facts is None and (item.drug, item.group) in _DISK_SCREENS and Indication.SCREEN in item.indications
        ),
    ),
    Reason(
        "a test for high-level resistance: at or below its figure nothing is susceptible",
        lambda item: item.drug in {"GEH", "STH"} and item.workbook is not None and item.workbook.figures[1] is None,
    ),
    Reason(
        "streptomycin beside its high-level test: the facts give its row to the test",
        lambda item: (item.drug, item.group) == ("STR", "Enterococcus") and item.counterpart,
    ),
    Reason(
        "the row is for MRSA, a phenotype: it is left to a person",
        lambda item: item.drug == "TLV" and item.workbook is None,
    ),
    Reason(
        "a block holds for the indication of the row that makes it",
        lambda item: (item.drug, item.group) == ("CZO", "Klebsiella aerogenes") and item.counterpart,
    ),
    Reason(
        "the wider row is repeated, so that the species' own does not hide it",
        lambda item: (item.drug, item.group) == ("AMC", "Enterococcus faecalis") and item.facts is None,
    ),
    Reason(
        "S. saccharolyticus is an anaerobe with us, which no row of staphylococci reaches: it needs no block",
        lambda item: item.group == "Staphylococcus saccharolyticus" and item.kind is Statement.BLOCK,
    ),
    Reason(
        "the facts state V. fluvialis twice; its own row precedes the table's",
        lambda item: (item.drug, item.group) == ("CTX", "Vibrio fluvialis") and item.workbook is None,
    ),
)
"""Why v15.0 differs from the facts."""

NAMED_BY_EUCAST = among(
    ("AMX AMC", "Enterobacterales"),
    ("CAZ FEP ATM AZA CIP LVX MNO TGC SXT FDC", "Stenotrophomonas maltophilia"),
    ("FDC", "Acinetobacter"),
    ("FDC", "Achromobacter xylosoxidans"),
    ("DAL", "Staphylococcus"),
    ("AMP SAM AMX AMC PIP TZP IPM IMR VAN ERV TGC", "Enterococcus"),
    ("AMX AMC PIP TZP IPM VAN ERV TGC", "Enterococcus faecalis"),
    ("VAN ERV TGC", "Enterococcus faecium"),
    ("VAN", "Enterococcus casseliflavus"),
    ("VAN", "Enterococcus gallinarum"),
    ("PEN RIF", "Streptococcus groups A, B, C, G"),
    ("PEN", "Streptococcus group A"),
    ("PEN", "Streptococcus group B"),
    ("PEN", "Streptococcus group C"),
    ("PEN", "Streptococcus group G"),
    ("PEN AMP AMX CTX CRO OXA CLO DIC FLC", "Streptococcus pneumoniae"),
    ("PEN AMP AMX OXA CLO DIC FLC", "Streptococcus, viridans group"),
    ("AMP AMX CTX CRO CIP", "Haemophilus influenzae"),
    ("AMP AMX CTX CRO CIP", "Haemophilus parainfluenzae"),
    ("ATM", "Neisseria meningitidis"),
    ("PEN", "Fusobacterium necrophorum"),
)
"""What EUCAST's list of changes from v14.0 to v15.0 names."""

CHANGES = (
    Reason(
        "cefepime-enmetazobactam and aztreonam-avibactam are new in v15.0", lambda item: item.drug in {"FPE", "AZA"}
    ),
    Reason("v15.0 names it among its changes", lambda item: (item.drug, item.group) in NAMED_BY_EUCAST),
    Reason(
        "v15.0 took back that aminoglycosides are not for Plesiomonas",
        lambda item: item.group == "Plesiomonas shigelloides" and item.kind is Statement.BLOCK,
    ),
    Reason(
        "v15.0 changed a dash to a note without naming it",
        lambda item: (item.drug, item.group) == ("AZM", "Enterobacterales"),
    ),
)
"""Why v14.0 differs further."""


def test_every_difference_of_v15_from_the_facts_has_a_reason(v15: WorkbookReading, facts: list[Stated]) -> None:
    """And every reason a difference. No printed figure differs."""
    equal, unlike = compare(of_workbook(v15.statements), facts)
    assert equal >= 1540
    assert set(explain(unlike, REASONS)) == {reason.text for reason in REASONS}
    assert {item.drug for item in unlike if _both_print_figures(item)} <= {"GEH", "STH"}


def _both_print_figures(item: Unlike) -> bool:
    sides = (item.workbook, item.facts)
    return all(side is not None and side.figures[0].has_figures for side in sides)


def test_every_difference_of_v14_from_the_facts_of_2025_has_a_reason(v14: WorkbookReading, facts: list[Stated]) -> None:
    """Although the file has lost its superscripts."""
    equal, unlike = compare(of_workbook(v14.statements), facts)
    assert equal >= 1430
    explained = explain(unlike, (*CHANGES, *REASONS))
    assert {reason.text for reason in CHANGES} <= set(explained)


def test_v14_agrees_with_whonets_rows_of_the_same_year(v14: WorkbookReading, shared_data: Path, tmp_path: Path) -> None:
    """A second reading of that document; one figure of WHONET's stands against workbook and facts."""
    folder = shared_data / "reference" / "whonet"
    names = ("Breakpoints.txt.gz", "Organisms.txt.gz", "ExpectedResistancePhenotypes.txt.gz")
    import_whonet([folder / name for name in names], tmp_path, ["EUCAST 2024"])
    theirs = {row.key: row for row in Editions(tmp_path).load("EUCAST 2024").breakpoints}
    same, other = 0, []
    for row in v14.statements:
        found = theirs.get((row.drug, row.rank, row.group, row.indications or (Indication.UNSPECIFIED,)))
        if found is None or not (found.statement.has_figures and row.kind.has_figures):
            continue
        if (_spelled(found.susceptible), _spelled(found.resistant)) == (row.susceptible, row.resistant):
            same += 1
        else:
            other.append((row.drug, row.group))
    assert other == [("CLR", "Staphylococcus")]
    assert same >= 400


def _spelled(figure: float | None) -> float | None:
    """Return WHONET's spelling of a dilution as EUCAST prints it."""
    return None if figure is None else {0.064: 0.06, 0.032: 0.03, 0.12: 0.125, 0.015: 0.016}.get(figure, figure)


def test_v15_as_an_edition_answers_the_shared_cells(v15: WorkbookReading, shared_data: Path) -> None:
    """Every third question of EUCAST 2025 on bacteria; expected resistance is that of the shipped edition."""
    shipped = load_edition("EUCAST 2025")
    edition = replace(shipped, breakpoints=tuple(breakpoints_of(v15)))
    asked, wrong = 0, set()
    for row in _cells(shared_data / "reference" / "facts"):
        site = {"": Site.UNKNOWN, "sf": Site.CEREBROSPINAL_FLUID, "ur": Site.URINE, "bl": Site.BLOOD}[row["specimen"]]
        answer = explain_mic(edition, row["organism"], row["drug"], row["mic"], site).answer.category.value
        asked += 1
        if answer not in {row["expected"], *row["alternatives"].split("|")}:
            wrong.add((row["organism"], row["drug"]))
    assert asked > 3000
    # an anaerobe with us: aminoglycosides, expected resistance of anaerobes
    assert wrong <= {("pps", "TOB")}


def _cells(folder: Path) -> Iterator[dict[str, str]]:
    for path in (folder / "cells_shared.csv.gz", folder / "further" / "cells_shared.csv.gz"):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            rows = (row for row in csv.DictReader(stream) if row["edition"] == "EUCAST 2025")
            for row in islice(rows, 0, None, 3):
                if ANTIMICROBIALS[row["drug"]].family != "Antifungals":
                    yield row


def test_what_v15_leaves_to_a_person(v15: WorkbookReading) -> None:
    """A phenotype, and an antimicrobial without a code."""
    assert [(item.sheet, item.cell) for item in v15.undecided_cells] == [
        ("Staphylococcus", "A106"),
        ("M.tuberculosis", "A14"),
    ]


def test_what_v14_leaves_to_a_person(v14: WorkbookReading) -> None:
    """The same, and an antimicrobial that EUCAST had struck out and the file shows without figures."""
    reasons = [(item.sheet, item.reason) for item in v14.undecided_cells]
    struck_out = [sheet for sheet, reason in reasons if reason == "the row has no figures"]
    assert (len(struck_out), len(reasons)) == (12, 14)
    assert v14.to_check[0].sheet == "Content"


def test_pk_pd_values_are_not_imported(v14: WorkbookReading, v15: WorkbookReading) -> None:
    """Neither from the visible sheet of v14.0 nor from the hidden one of v15.0, which is headed v14.0."""
    for reading in (v14, v15):
        assert not [row for row in reading.statements if row.sheet.startswith("PK")]
        assert "PK PD breakpoints" in {item.sheet for item in reading.left_out}


def test_every_group_is_one_of_ours(v14: WorkbookReading, v15: WorkbookReading) -> None:
    """Or a species that has no WHONET code."""
    ours = {group for organism in ORGANISMS.values() for group in organism.lineage}
    for reading in (v14, v15):
        unknown = {(row.rank, row.group) for row in reading.statements} - ours
        assert {name for _, name in unknown} <= {"Phocaeicola dorei"}


def test_editions_and_versions(v14: WorkbookReading, v15: WorkbookReading) -> None:
    """As the workbooks say."""
    assert [(reading.edition, reading.version) for reading in (v14, v15)] == [
        ("EUCAST 2024", "14.0"),
        ("EUCAST 2025", "15.0"),
    ]
