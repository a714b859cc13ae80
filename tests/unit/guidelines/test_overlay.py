"""A hospital's own rules: what they change, and how a mistake in them is told."""

from pathlib import Path

import pytest

from sirena.domain.category import Category, Reason
from sirena.domain.errors import UsageError
from sirena.domain.site import Site
from sirena.domain.truth_table import Answer
from sirena.guidelines.difference import RowChange, difference
from sirena.guidelines.editions import Edition, load_edition
from sirena.guidelines.interpreter import explain
from sirena.guidelines.tables import TableError

HEADER = "who,when,why,edition,action,drug,rank,group,site,S,R,middle"
SIGNED = "PROA committee,2026-03-01,local outbreak,CLSI 2025"


def overlay(folder: Path, *rows: str, header: str = HEADER) -> Path:
    """Write an overlay of these rows, each signed."""
    path = folder / "hospital.csv"
    path.write_text("\n".join([header, *(f"{SIGNED},{row}" for row in rows)]), encoding="utf-8")
    return path


def applied(folder: Path, *rows: str) -> Edition:
    """Return CLSI 2025 with these rules."""
    return load_edition("CLSI 2025", overlay(folder, *rows))


def test_a_rule_takes_the_place_of_the_editions_row(tmp_path: Path) -> None:
    """And the answer says whose rule it is, and why."""
    edition = applied(tmp_path, "breakpoint,AMK,order,Enterobacterales,,2,4,")
    explanation = explain(edition, "eco", "AMK", "4")
    assert explanation.answer == Answer(Category.R)
    assert "PROA committee, 2026-03-01: local outbreak" in explanation.text
    assert edition.name == "CLSI 2025 + hospital.csv"


def test_the_overlay_is_identified(tmp_path: Path) -> None:
    """Provenance: who, when, why, and a digest that differs from the edition's."""
    edition = applied(tmp_path, "breakpoint,AMK,order,Enterobacterales,,2,4,")
    assert edition.overlay is not None
    assert (edition.overlay.who, edition.overlay.when, edition.overlay.rows) == ("PROA committee", "2026-03-01", 1)
    assert edition.digest != load_edition("CLSI 2025").digest


def test_a_rule_for_one_organism_leaves_the_others(tmp_path: Path) -> None:
    """An organism is named by code or name, a drug in either language."""
    edition = applied(tmp_path, "breakpoint,Amikacina,organism,E. coli,,64,128,")
    assert explain(edition, "eco", "AMK", "64").answer == Answer(Category.S)
    assert explain(edition, "kpn", "AMK", "64").answer == Answer(Category.R)


def test_a_rule_for_an_organism_covers_its_serovars_and_a_rule_for_a_code_covers_that_code_alone(
    tmp_path: Path,
) -> None:
    """A code is written as in a file, in any case, and may look like a word of names (``spp``)."""
    edition = applied(tmp_path, "breakpoint,AMK,code,ECO,,64,128,", "block,PEN,code,spp,,,,", "block,PEN,code,sc+,,,,")
    wider = applied(tmp_path, "breakpoint,AMK,organism,eco,,64,128,")
    assert explain(edition, "eco", "AMK", "64").answer == Answer(Category.S)
    assert explain(edition, "157", "AMK", "64").answer == Answer(Category.R)
    assert explain(wider, "157", "AMK", "64").answer == Answer(Category.S)
    assert explain(edition, "sc+", "PEN", "0.03").answer.category is Category.NI
    assert explain(edition, "psd", "PEN", "0.03").answer == Answer(Category.S)


def test_a_rule_without_a_site_holds_for_every_site(tmp_path: Path) -> None:
    """The edition's rows for single sites would otherwise hide it."""
    edition = applied(tmp_path, "breakpoint,PEN,organism,spn,,0.064,0.12,")
    for site in Site:
        assert explain(edition, "spn", "PEN", "1", site).answer == Answer(Category.R)


def test_a_rule_for_a_site_leaves_the_others(tmp_path: Path) -> None:
    """Here the meninges only."""
    edition = applied(tmp_path, "breakpoint,PEN,organism,spn,meningitis,2,8,")
    assert explain(edition, "spn", "PEN", "1", Site.CEREBROSPINAL_FLUID).answer == Answer(Category.S)
    assert explain(edition, "spn", "PEN", "2").answer == Answer(Category.S)


def test_block_says_that_there_is_no_breakpoint(tmp_path: Path) -> None:
    """Though the order has one."""
    edition = applied(tmp_path, "block,CIP,genus,Salmonella,,,,")
    assert explain(edition, "sal", "CIP", "0.06").answer == Answer(Category.NI, Reason.NO_BREAKPOINT)


@pytest.mark.parametrize(
    ("action", "figures", "expected"),
    [
        ("dash", ",", Answer(Category.R)),
        ("insufficient evidence", ",", Answer(Category.NI, Reason.INSUFFICIENT_EVIDENCE)),
        ("note", ",", Answer(Category.NI, Reason.NOTE)),
        ("not_applicable", ",", Answer(Category.NI, Reason.NOT_APPLICABLE)),
        ("bracketed", "2,4", Answer(Category.NI, Reason.BRACKETED)),
    ],
)
def test_a_rule_may_say_whatever_a_guideline_says(tmp_path: Path, action: str, figures: str, expected: Answer) -> None:
    """As action, or as statement where a row of a table was edited into a rule."""
    for header, first in ((HEADER, f"{action},"), (HEADER.replace("action", "statement"), f"{action},")):
        path = overlay(tmp_path, f"{first}AMK,order,Enterobacterales,,{figures},", header=header)
        assert explain(load_edition("CLSI 2025", path), "eco", "AMK", "1").answer == expected


def test_a_statement_beside_an_action_may_not_contradict_it(tmp_path: Path) -> None:
    """Which of the two was meant, nobody guesses."""
    header = f"{HEADER},statement"
    for action, statement in (("breakpoint", "dash"), ("", "dash"), ("dash", "dash")):
        path = overlay(tmp_path, f"{action},AMK,order,Enterobacterales,,,,,{statement}", header=header)
        assert explain(load_edition("CLSI 2025", path), "eco", "AMK", "1").answer == Answer(Category.R)
    for action, statement, place in (("remove", "dash", "action and statement"), ("", "maybe", "statement")):
        path = overlay(tmp_path, f"{action},AMK,order,Enterobacterales,,,,,{statement}", header=header)
        with pytest.raises(TableError, match=f"row 2, column.*{place}"):
            load_edition("CLSI 2025", path)


def test_an_unknown_site_or_kind_is_told_with_those_there_are(tmp_path: Path) -> None:
    """The remedy stands beside the place."""
    with pytest.raises(TableError, match=r"row 2, column site: the cell is no site; sites are non-meningitis, "):
        applied(tmp_path, "breakpoint,AMK,order,Enterobacterales,knee,2,4,")
    with pytest.raises(TableError, match=r"row 2, column action: the cell is no action; actions are breakpoint, "):
        applied(tmp_path, "invent,AMK,order,Enterobacterales,,2,4,")


def test_remove_lets_wider_groups_decide(tmp_path: Path) -> None:
    """*Salmonella* falls back to the Enterobacterales."""
    edition = applied(tmp_path, "remove,CIP,genus,Salmonella,,,,")
    assert explain(edition, "sal", "CIP", "0.25").answer == Answer(Category.S)


def test_expected_resistance_is_added_and_taken_out(tmp_path: Path) -> None:
    """Taking a species out leaves the rest of the group."""
    edition = applied(
        tmp_path, "expected resistance,MEM,organism,eco,,,,", "no expected resistance,VAN,organism,eco,,,,"
    )
    assert explain(edition, "eco", "MEM", "0.06").answer == Answer(Category.R)
    assert explain(edition, "eco", "VAN", "1").answer == Answer(Category.NI, Reason.NO_BREAKPOINT)
    assert explain(edition, "sma", "VAN", "1").answer == Answer(Category.R)


def test_a_spanish_spreadsheet_is_read(tmp_path: Path) -> None:
    """Semicolons, decimal commas, Windows letters."""
    path = tmp_path / "reglas.csv"
    row = "Dra. Núñez;2026-01-31;acuerdo;clsi-2025;breakpoint;AMK;order;Enterobacterales;;0,5;1;"
    path.write_bytes(f"{HEADER.replace(',', ';')}\r\n{row}\r\n".encode("cp1252"))
    explanation = explain(load_edition("CLSI 2025", path), "eco", "AMK", "1")
    assert explanation.answer == Answer(Category.R)
    assert "Dra. Núñez" in explanation.text


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("breakpoint,XYZ,order,Enterobacterales,,2,4,", "column drug"),
        ("breakpoint,AMK,order,Enterobacteriales,,2,4,", "column group"),
        ("breakpoint,AMK,kingdom,Enterobacterales,,2,4,", "column rank"),
        ("breakpoint,AMK,organism,nobody,,2,4,", "column group"),
        ("breakpoint,AMK,organism,gnr,,2,4,", "column group"),
        ("breakpoint,AMK,order,Enterobacterales,knee,2,4,", "column site"),
        ("breakpoint,AMK,order,Enterobacterales,,two,4,", "column S"),
        ("breakpoint,AMK,order,Enterobacterales,,2,-4,", "column R"),
        ("breakpoint,AMK,order,Enterobacterales,,8,4,", "columns S and R"),
        ("breakpoint,AMK,order,Enterobacterales,,4,4,", "columns S and R"),
        ("breakpoint,AMK,order,Enterobacterales,,,,", "columns S and R"),
        ("block,AMK,order,Enterobacterales,,2,4,", "columns S and R"),
        ("breakpoint,AMK,order,Enterobacterales,,2,4,X", "column middle"),
        ("invent,AMK,order,Enterobacterales,,2,4,", "column action"),
        ("remove,OXA,order,Enterobacterales,,,,", "column action"),
        ("no expected resistance,MEM,order,Enterobacterales,,,,", "column action"),
        ("bracketed,AMK,order,Enterobacterales,,2,,", "column R"),
        ("dash,AMK,order,Enterobacterales,,,8,", "columns S and R"),
    ],
)
def test_a_mistake_is_told_by_file_row_and_column(tmp_path: Path, row: str, place: str) -> None:
    """And never by a stack trace."""
    with pytest.raises(TableError) as caught:
        applied(tmp_path, row)
    assert caught.value.text.startswith("hospital.csv, row 2, ")
    assert place in caught.value.text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"{HEADER}\n,2026-01-01,why,CLSI,block,AMK,order,Enterobacterales,,,,", "row 2, column who"),
        (f"{HEADER}\nme,yesterday,why,CLSI,block,AMK,order,Enterobacterales,,,,", "row 2, column when"),
        (f"{HEADER}\nme,2026-01-01,,CLSI,block,AMK,order,Enterobacterales,,,,", "row 2, column why"),
        ("drug,S,R\nAMK,1,2", "column who is missing"),
        (HEADER, "has no rows"),
        (f"{HEADER}\nme,2026-01-01,why,,block,AMK,order,Enterobacterales,,,,", "row 2, column edition"),
        (f"{HEADER}\nme,2026-01-01,why,CLSI 2052,block,AMK,order,Enterobacterales,,,,", "row 2, column edition"),
        (
            f"{HEADER.replace('edition,', '')}\nme,2026-01-01,why,block,AMK,order,Enterobacterales,,,,",
            "edition is missing",
        ),
    ],
)
def test_an_unsigned_overlay_is_refused(tmp_path: Path, text: str, place: str) -> None:
    """Who, when and why are what makes it a rule of the hospital."""
    path = tmp_path / "hospital.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=place):
        load_edition("CLSI 2025", path)


BOTH = """PROA,2026-03-01,dosing,CLSI 2025,breakpoint,AMK,order,Enterobacterales,,2,4,
PROA,2026-04-01,dosing,EUCAST,breakpoint,GEN,order,Enterobacterales,,4,4,
"""


def test_a_rule_is_laid_over_the_edition_it_names_and_no_other(tmp_path: Path) -> None:
    """One file for two guidelines; each edition takes its own rows, a guideline's name stands for every year."""
    path = tmp_path / "hospital.csv"
    path.write_text(f"{HEADER}\n{BOTH}", encoding="utf-8")
    clsi, eucast = (load_edition(name, in_force=path) for name in ("CLSI 2025", "EUCAST 2025"))
    assert {item.drug for item in difference(load_edition("CLSI 2025"), clsi)} == {"AMK"}
    assert {item.drug for item in difference(load_edition("EUCAST 2025"), eucast)} == {"GEN"}
    assert [edition.overlay and edition.overlay.when for edition in (clsi, eucast)] == ["2026-03-01", "2026-04-01"]


def test_an_edition_no_rule_is_for_stays_as_it_is(tmp_path: Path) -> None:
    """What is in force for CLSI leaves EUCAST alone, its digest and its name too."""
    path = overlay(tmp_path, "breakpoint,AMK,order,Enterobacterales,,2,4,")
    assert load_edition("EUCAST 2025", in_force=path) == load_edition("EUCAST 2025")
    assert load_edition("CLSI 2025", in_force=path).digest != load_edition("CLSI 2025").digest


def test_an_overlay_asked_for_by_name_that_says_nothing_of_the_edition_is_refused(tmp_path: Path) -> None:
    """Who asks for it would believe that it was applied."""
    path = overlay(tmp_path, "breakpoint,AMK,order,Enterobacterales,,2,4,")
    with pytest.raises(UsageError, match=r"^hospital\.csv has no rule for EUCAST 2025"):
        load_edition("EUCAST 2025", path)


def test_figures_are_read_with_the_meaning_of_their_own_guideline(tmp_path: Path) -> None:
    """S 4, R 4 is one cut of EUCAST; of CLSI it would call 4 both, whichever edition is asked for."""
    path = tmp_path / "hospital.csv"
    path.write_text(f"{HEADER}\n{BOTH.replace('EUCAST', 'CLSI')}", encoding="utf-8")
    with pytest.raises(TableError, match="row 3, columns S and R"):
        load_edition("EUCAST 2025", in_force=path)


def test_the_same_rule_twice_is_refused(tmp_path: Path) -> None:
    """Which of them holds must not depend on their order."""
    with pytest.raises(TableError, match="row 3: the rule of row 2"):
        applied(tmp_path, "breakpoint,AMK,genus,Salmonella,,2,4,", "block,AMK,genus,Salmonella,,,,")


def test_a_missing_overlay_file_is_named(tmp_path: Path) -> None:
    """Without its folder, which may tell more than the user wants to show."""
    with pytest.raises(TableError, match=r"^nowhere\.csv"):
        load_edition("CLSI 2025", tmp_path / "nowhere.csv")


def test_difference_names_what_an_overlay_changes(tmp_path: Path) -> None:
    """Each rule is one line, and nothing else is."""
    edition = applied(
        tmp_path,
        "breakpoint,AMK,order,Enterobacterales,,2,4,",
        "remove,CIP,genus,Salmonella,,,,",
        "expected resistance,MEM,organism,eco,,,,",
    )
    found = difference(load_edition("CLSI 2025"), edition)
    assert [(item.drug, item.change) for item in found] == [
        ("AMK", RowChange.CHANGED),
        ("CIP", RowChange.REMOVED),
        ("MEM", RowChange.ADDED),
    ]
    assert found[0].line == "AMK  order Enterobacterales: S <= 4, R >= 16 -> S <= 2, R >= 4"


def test_an_edition_does_not_differ_from_itself() -> None:
    """Nor does it from a copy."""
    assert difference(load_edition("CLSI 2025"), load_edition("clsi 2025")) == []
