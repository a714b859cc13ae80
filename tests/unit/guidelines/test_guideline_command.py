"""``sirena guideline`` as a user meets it."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sirena.cli import build_app
from sirena.domain.errors import UsageError
from sirena.guidelines.editions import Editions, load_edition


def run(*arguments: str) -> str:
    """Return what a command prints; errors are raised."""
    result = CliRunner().invoke(build_app(), ["guideline", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_list_says_since_when_each_edition_is_in_force_and_which_is_the_default() -> None:
    """With their digests, by which certificates name them, and what a person should look at."""
    printed = run("list")
    default = set(Editions().editions_in_force().values())
    for name in Editions().names:
        edition = load_edition(name)
        line = next(line for line in printed.splitlines() if line.startswith(f"  {name} "))
        assert str(edition.record.in_force_since) in line
        assert edition.digest[:12] in line
        assert ("default" in line) == (name in default)
        for doubt in edition.record.doubts:
            assert doubt in printed


def test_show_prints_the_rows_for_an_organism() -> None:
    """Group, figures, document, readings, doubt and remark, within a hundred columns."""
    printed = run("show", "CLSI 2026", "--drugs", "amk,ipm,geh", "--organism", "E. coli")
    assert "AMK  order Enterobacterales                       S <= 4, R >= 16\n      CLSI M100 Table 2A-1" in printed
    assert "Acinetobacter" not in printed
    printed = run("show", "CLSI 2026", "--drugs", "ipm,geh")
    assert "doubt: 0.5 or 4: one reading has S 0.5, the others 4" in printed
    assert "remark: R above 500 mg/L (GEH)" in printed
    assert max(map(len, printed.splitlines())) <= 100


@pytest.mark.parametrize("name", Editions().names)
def test_show_prints_every_doubt(name: str) -> None:
    """Of rows, of expected resistance, and of the edition as a whole."""
    words = " ".join(run("show", name).split())
    edition = load_edition(name)
    doubts = {row.doubt for row in edition.breakpoints} | {row.doubt for row in edition.expected_resistance}
    doubts |= {*edition.record.doubts}
    assert len(doubts) > 5
    assert [doubt for doubt in doubts if " ".join(doubt.split()) not in words] == []


def test_show_and_check_print_json_for_programs() -> None:
    """The same rows, figures in mg/L."""
    shown = json.loads(run("show", "CLSI 2026", "--drugs", "AMK", "--organism", "eco", "--json"))
    (row,) = shown["rows"]
    assert (shown["edition"], shown["in_force_since"]) == ("CLSI 2026", "2026-01-26")
    assert (row["statement"], row["S"], row["R"], row["readings"]) == ("breakpoint", 4, 16, 2)
    checked = json.loads(run("check", "CLSI 2026", "--against", "CLSI 2025", "--drugs", "AMK", "--json"))
    assert checked["counts"]["rest on one reading"] == len(checked["one_reading"]) > 0
    assert {item["gravity"] for item in checked["differences"]} == {"other_category"}


def test_check_prints_counts_first_and_then_the_rows() -> None:
    """What is overridden says by what, and for whom."""
    printed = run("check", "EUCAST 2026", "--against", "EUCAST 2025", "--drugs", "CZO,SXT")
    counts, rows = " ".join(printed.split()).split("Overridden by", maxsplit=1)
    assert "differ from EUCAST 2025" in counts
    assert "CZO species Klebsiella aerogenes: no breakpoint (block); overridden always by species" in rows
    assert "S and R" in rows


def test_a_guideline_alone_means_its_edition_in_force() -> None:
    """So that nobody needs to know the year."""
    assert run("show", "eucast", "--drugs", "AMK").startswith(f"{Editions().edition_in_force('E')}: in force since")


def test_what_show_writes_changes_nothing_until_it_is_edited(tmp_path: Path) -> None:
    """Dashes, brackets and blocks come back as what they are; what a rule cannot say is left out."""
    text = run("show", "EUCAST 2026", "--drugs", "GEN,AMP,CTX", "--csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert {"dash", "bracketed", "note", "block", "expected resistance"} <= {row["action"] for row in rows}
    path = tmp_path / "mine.csv"
    path.write_text(text.replace("\n,,,", "\nDr. A,2026-01-31,committee,"), encoding="utf-8")
    assert "The two say the same." in run("diff", "EUCAST 2026", "--overlay", str(path))


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
    assert "1 differences, the gravest first." in printed
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
        ("check", "CLSI 1066"),
        ("check", "CLSI 2026", "--against", "CLSI 1066"),
    ],
)
def test_wrong_use_is_told_with_a_remedy(arguments: tuple[str, ...]) -> None:
    """Exit code 2, through the one root of errors."""
    with pytest.raises(UsageError) as caught:
        run(*arguments)
    assert caught.value.hint
    assert caught.value.exit_code == 2
