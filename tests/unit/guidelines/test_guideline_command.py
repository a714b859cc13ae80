"""``sirena guideline`` as a user meets it."""

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sirena.cli import build_app
from sirena.domain.errors import UsageError
from sirena.guidelines.editions import load_edition

REPOSITORY = Path(__file__).resolve().parents[3]


def run(*arguments: str) -> str:
    """Return what a command prints; errors are raised."""
    result = CliRunner().invoke(build_app(), ["guideline", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_list_names_the_shipped_editions() -> None:
    """With their digests, by which certificates name them."""
    printed = run("list")
    for name in ("CLSI 2025", "EUCAST 2025"):
        assert name in printed
        assert load_edition(name).digest[:12] in printed


def test_show_prints_the_rows_for_an_organism() -> None:
    """Group, figures and source table."""
    printed = run("show", "CLSI 2025", "--drugs", "amk", "--organism", "E. coli")
    assert "order  Enterobacterales        4  16  I       breakpoint  CLSI M100 Table 2A-1         2" in printed
    assert "Acinetobacter" not in printed


def test_show_tells_kind_readings_and_doubt_of_each_row() -> None:
    """A figure in brackets, a dash, and what a person should look at in the document."""
    printed = run("show", "EUCAST 2026", "--drugs", "GEN", "--organism", "E. coli")
    (systemic,) = [line for line in printed.splitlines() if "systemic infections" in line]
    assert "  bracketed  " in systemic
    doubtful = [row for row in load_edition("CLSI 2025").breakpoints if row.doubt and row.drug == "CIP"]
    assert doubtful
    for row in doubtful:
        assert row.doubt in run("show", "CLSI 2025", "--drugs", "CIP")


def test_rows_that_an_overlay_cannot_state_are_left_out_of_what_is_to_be_edited() -> None:
    """A dash written as a block, or a bracketed figure as a plain one, would change answers unseen."""
    rows = list(csv.DictReader(run("show", "EUCAST 2026", "--drugs", "GEN", "--csv").splitlines()))
    assert {row["action"] for row in rows} <= {"breakpoint", "block", "expected resistance"}
    assert not any(row["statement"] == "bracketed" for row in rows)


def test_what_show_writes_can_be_edited_into_an_overlay(tmp_path: Path) -> None:
    """Signed and with one figure changed, it is one."""
    rows = list(csv.DictReader(run("show", "CLSI 2025", "--drugs", "CIP", "--organism", "sal", "--csv").splitlines()))
    for row in rows:
        row.update(who="Dr. A", when="2026-01-31", why="committee")
    rows[0]["S"] = "0.12"
    path = tmp_path / "mine.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    printed = run("diff", "CLSI 2025", "--overlay", str(path))
    assert "1 differences." in printed
    assert "S <= 0.064, R >= 1" in printed
    assert "S <= 0.12, R >= 1" in printed


def test_diff_of_an_edition_with_itself_says_so() -> None:
    """No empty table."""
    assert "The two say the same." in run("diff", "CLSI 2025", "CLSI 2025")


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "CLSI 1066"),
        ("show", "CLSI 2025", "--drugs", "ABC"),
        ("show", "CLSI 2025", "--organism", "nobody"),
        ("diff", "CLSI 2025"),
    ],
)
def test_wrong_use_is_told_with_a_remedy(arguments: tuple[str, ...]) -> None:
    """Exit code 2, through the one root of errors."""
    with pytest.raises(UsageError) as caught:
        run(*arguments)
    assert caught.value.hint
    assert caught.value.exit_code == 2
