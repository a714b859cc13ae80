"""``sirena guideline import`` of EUCAST's workbook, as a user meets it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sirena.cli import build_app
from sirena.domain.category import Category
from sirena.domain.errors import UsageError
from sirena.guidelines.editions import Editions
from sirena.guidelines.eucast.findings import WorkbookError
from sirena.guidelines.interpreter import explain
from sirena.guidelines.rows import Statement
from sirena.settings.catalogue import load_settings
from tests.unit.guidelines.eucast.small_workbook import noted, small_workbook

OLD = "14.0, valid from 2024-01-01"
ROWS = (
    ("Ampicillin", 8, 8),
    ("Amikacin", "(8)", "(8)"),
    ("Cefazolin", "-", "-"),
    ("Newmycin", 1, 1),
    (noted("Cefiderocol", "1"), 2, 2),
)
NOTES = "1. Isolates with MIC values ≤0.5 mg/L differ."


def run(*arguments: str) -> str:
    """Return what the command prints; errors are raised."""
    result = CliRunner().invoke(build_app(), ["guideline", "import", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def imported() -> Editions:
    """Return the editions there are now."""
    return Editions(load_settings().editions_folder)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A workbook of 2024, which does not come with Sirena."""
    return small_workbook(tmp_path / "old.xlsx", ROWS, heading="Enterobacterales", notes=NOTES, version=OLD)


def test_the_edition_and_its_date_are_the_workbooks_own(old: Path) -> None:
    """It answers from then on by its name."""
    run(str(old))
    edition = imported().load("EUCAST 2024")
    assert edition.record.documents == ("EUCAST v14.0",)
    assert edition.record.in_force_since is not None
    assert edition.record.in_force_since.isoformat() == "2024-01-01"
    assert explain(edition, "eco", "AMP", "16").answer.category is Category.R
    assert {row.statement for row in edition.breakpoints} == {
        *(Statement.BREAKPOINT, Statement.BRACKETED, Statement.DASH),
    }


def test_each_row_names_document_sheet_and_row(old: Path) -> None:
    """And what a person should look at."""
    run(str(old))
    rows = {row.drug: row for row in imported().load("EUCAST 2024").breakpoints}
    assert rows["AMP"].source == "EUCAST v14.0 xlsx, First!5"
    assert (rows["AMP"].readings, rows["AMP"].doubt) == (1, "")
    assert rows["FDC"].doubt == "note 1 in I5 holds figures of its own"


def test_cells_left_to_a_person_are_listed_and_kept_with_the_edition(old: Path) -> None:
    """Sheet, cell and reason; nothing of them is taken."""
    printed = run(str(old))
    assert "First  A8    the row names no antimicrobial that Sirena knows" in printed
    assert "First!A8 was left out" in " ".join(imported().load("EUCAST 2024").record.doubts)


def test_expected_resistance_is_taken_over_and_says_so(old: Path) -> None:
    """It stands in another document: without it Klebsiella would be susceptible to ampicillin."""
    assert "taken over from EUCAST 2025" in run(str(old))
    edition = imported().load("EUCAST 2024")
    assert explain(edition, "kpn", "AMP", "1").answer.category is Category.R
    assert {row.doubt for row in edition.expected_resistance} == {"taken over from EUCAST 2025"}


def test_an_edition_that_comes_with_sirena_stays_and_is_compared(tmp_path: Path) -> None:
    """Nothing is stored."""
    printed = run(str(small_workbook(tmp_path / "new.xlsx", ROWS, heading="Enterobacterales")))
    assert "EUCAST 2025 comes with Sirena and stays as it is; nothing was stored." in printed
    assert "Where the workbook differs from EUCAST 2025" in printed
    assert not load_settings().editions_folder.exists()


def test_importing_again_replaces_what_was_imported(old: Path, tmp_path: Path) -> None:
    """As with WHONET's tables."""
    run(str(old))
    run(str(small_workbook(tmp_path / "again.xlsx", ROWS[:1], heading="Enterobacterales", version=OLD)))
    assert {row.drug for row in imported().load("EUCAST 2024").breakpoints} == {"AMP"}


def test_a_bad_workbook_is_one_message_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Not even the edition imported before is touched."""
    path = tmp_path / "bad.xlsx"
    path.write_bytes(b"Ampicillin;1;1")
    with pytest.raises(WorkbookError) as caught:
        run(str(path))
    assert caught.value.exit_code == 1
    assert caught.value.hint
    assert not load_settings().editions_folder.exists()


@pytest.mark.parametrize(
    "more", [("--edition", "EUCAST 2024"), ("Breakpoints.txt",), ("--in-force-since", "2024-01-01")]
)
def test_a_workbook_is_imported_alone(old: Path, more: tuple[str, ...]) -> None:
    """It says its edition itself."""
    with pytest.raises(UsageError):
        run(str(old), *more)
