"""Rows of a table and what they say of one another: the rules of `rows` and `completion` in tests of like name."""

from pathlib import Path

from sirena.domain.organisms import Rank
from sirena.guidelines.eucast.findings import WorkbookReading, WorkbookStatement
from sirena.guidelines.eucast.workbook import read_workbook
from sirena.guidelines.rows import Statement
from sirena.guidelines.sites import Indication
from tests.unit.guidelines.eucast.small_workbook import Text, noted, plain_runs, small_workbook

Row = tuple[Text, Text, Text]


def reading(folder: Path, *rows: Row, **sheet: object) -> WorkbookReading:
    """Return what is read from a workbook with these rows."""
    return read_workbook(small_workbook(folder / "small.xlsx", rows, **sheet))  # type: ignore[arg-type]


def of(result: WorkbookReading, drug: str) -> dict[str, WorkbookStatement]:
    """Return the statements for an antimicrobial by name of group."""
    return {statement.group: statement for statement in result.statements if statement.drug == drug}


def left(result: WorkbookReading) -> list[tuple[str, str]]:
    """Return cell and reason of what is left to a person."""
    return [(item.cell, item.reason) for item in result.undecided_cells]


def test_a_row_is_one_statement_with_its_sheet_and_row(tmp_path: Path) -> None:
    """For the group of the sheet."""
    result = reading(tmp_path, ("Ampicillin", 1, 2))
    assert (result.edition, result.version, result.valid_from.isoformat()) == ("EUCAST 2025", "15.0", "2025-01-01")
    assert result.statements == (
        WorkbookStatement(
            drug="AMP",
            rank=Rank.GENUS,
            group="Pasteurella",
            indications=(),
            kind=Statement.BREAKPOINT,
            susceptible=1.0,
            resistant=2.0,
            marks=(),
            sheet="First",
            row=5,
        ),
    )
    assert left(result) == []


def test_s_and_r_of_different_kinds_or_out_of_order_are_for_a_person(tmp_path: Path) -> None:
    """Named by the cell, and nothing of the row is taken."""
    result = reading(
        tmp_path, ("Ampicillin", "8", "(8)"), ("Amoxicillin", "IE", "-"), ("Cefotaxime", 2, 1), ("Ceftriaxone", None, 1)
    )
    assert result.statements == ()
    assert [cell for cell, _ in left(result)] == ["C5", "C6", "C7", "B8"]


def test_a_row_that_is_not_understood_leaves_the_others_alone(tmp_path: Path) -> None:
    """Cell by cell."""
    result = reading(
        tmp_path, ("Newmycin", 1, 1), ("Ampicillin (in space)", 1, 1), ("Pretomanid", 1, 1), ("Amikacin", 8, 8)
    )
    assert [statement.drug for statement in result.statements] == ["AMK"]
    assert [cell for cell, _ in left(result)] == ["A5", "A6", "A7"]


def test_an_agent_without_figures_is_for_a_person(tmp_path: Path) -> None:
    """EUCAST may have removed it, and the program that wrote the file lost the line through it."""
    result = reading(tmp_path, ("Ampicillin", 1, 1), ("Telithromycin", None, None), ("Amikacin", 8, 8))
    assert [statement.drug for statement in result.statements] == ["AMP", "AMK"]
    assert left(result) == [("A6", "the row has no figures")]


def test_a_row_for_a_species_is_for_those_the_table_reads_alike(tmp_path: Path) -> None:
    """S. argenteus by S. aureus."""
    result = reading(
        tmp_path,
        ("Gentamicin, S. aureus", "(2)", "(2)"),
        heading="Staphylococcus spp.",
        prose=["For S. argenteus, breakpoints for S. aureus can be used."],
    )
    assert set(of(result, "GEN")) == {"Staphylococcus aureus", "Staphylococcus argenteus"}


def test_organisms_that_a_row_leaves_out_get_a_block(tmp_path: Path) -> None:
    """Unless a row of their own says something in its place."""
    result = reading(
        tmp_path,
        ("Imipenem, Enterobacterales except Morganellaceae", 2, 4),
        ("Imipenem, Morganellaceae", 0.001, 4),
        ("Imipenem-relebactam, Enterobacterales except Morganellaceae", 2, 2),
        heading="Enterobacterales*",
    )
    assert {group: row.kind for group, row in of(result, "IMR").items()} == {
        "Enterobacterales": Statement.BREAKPOINT,
        **dict.fromkeys(("Morganella", "Proteus", "Providencia"), Statement.BLOCK),
    }
    assert {row.kind for row in of(result, "IPM").values()} == {Statement.BREAKPOINT}


def test_organisms_that_a_table_leaves_out_get_a_block_for_each_row(tmp_path: Path) -> None:
    """Unless their own table says something."""
    result = reading(
        tmp_path,
        ("Imipenem", 0.5, 0.5),
        ("Linezolid", 2, 2),
        heading="Bacillus spp. except B. anthracis",
        more=[("Bacillus anthracis", [("Linezolid", 2, 2)])],
    )
    assert of(result, "IPM")["Bacillus anthracis"].kind is Statement.BLOCK
    assert of(result, "LNZ")["Bacillus anthracis"].sheet == "Table 2"


def test_a_note_may_leave_organisms_out(tmp_path: Path) -> None:
    """Of the rows, and of the tables, that refer to it."""
    result = reading(
        tmp_path,
        ("Amikacin", 8, 8),
        heading="Enterobacterales",
        table=noted("Aminoglycosides", "1"),
        notes="1. Breakpoints do not apply to Plesiomonas shigelloides since they differ.",
    )
    assert of(result, "AMK")["Plesiomonas shigelloides"].kind is Statement.BLOCK


def test_a_note_that_limits_in_words_not_understood_leaves_the_row_to_a_person(tmp_path: Path) -> None:
    """And so does a table's name with something in brackets."""
    notes = "1. These breakpoints are only valid for agar dilution at dawn."
    result = reading(tmp_path, (noted("Amikacin", "1"), 8, 8), ("Gentamicin", 2, 2), notes=notes)
    assert [statement.drug for statement in result.statements] == ["GEN"]
    result = reading(tmp_path, ("Amikacin", 8, 8), table="Aminoglycosides (meningitis)")
    assert result.statements == ()
    assert [cell for cell, _ in left(result)] == ["A3"]


def test_a_note_for_oral_treatment_makes_the_row_one_for_the_oral_route(tmp_path: Path) -> None:
    """As for Clostridioides difficile."""
    notes = "1. The breakpoints apply to oral treatment only."
    result = reading(tmp_path, ("Vancomycin", noted("2", "1"), noted("2", "1")), notes=notes)
    assert result.statements[0].indications == (Indication.ORAL,)


def test_a_test_for_high_level_resistance_has_its_figure_in_a_note(tmp_path: Path) -> None:
    """Above it is R; at or below it nothing is susceptible. Two figures are for a person."""
    negative, positive = (
        "Negative test: Isolates with gentamicin MIC ≤{} mg/L.",
        "Isolates with gentamicin MIC >128 mg/L.",
    )
    text = f"1. {negative}\nPositive test: {positive}"
    row = ("Gentamicin (test for acquired aminoglycoside-modifying enzyme)", noted("Note", "1"), noted("Note", "1"))
    screen = of(reading(tmp_path, row, heading="Enterococcus spp.", notes=text.format(128)), "GEH")["Enterococcus"]
    assert (screen.kind, screen.susceptible, screen.resistant) == (Statement.BREAKPOINT, None, 128.0)
    assert screen.indications == (Indication.SCREEN,)
    unclear = of(reading(tmp_path, row, heading="Enterococcus spp.", notes=text.format(64)), "GEH")["Enterococcus"]
    assert unclear.kind is Statement.NOTE


def test_a_row_whose_note_holds_figures_is_named_for_a_person(tmp_path: Path) -> None:
    """It is taken as printed; a fixed inhibitor is a remark and no reason to look."""
    notes = "1. Isolates with MIC values ≤0.5 mg/L differ.\n2. Here the concentration of sulbactam is fixed at 4 mg/L."
    result = reading(
        tmp_path, (noted("Cefiderocol", "1"), "IE", "IE"), (noted("Ampicillin-sulbactam", "2"), 8, 8), notes=notes
    )
    assert [item.cell for item in result.to_check] == ["A5"]
    assert of(result, "SAM")["Pasteurella"].remark == "sulbactam fixed at 4 mg/L"
    assert of(result, "FDC")["Pasteurella"].kind is Statement.INSUFFICIENT_EVIDENCE


def test_struck_notes_do_not_count(tmp_path: Path) -> None:
    """EUCAST has removed them."""
    from tests.unit.guidelines.eucast.small_workbook import struck

    notes = struck("1. Breakpoints do not apply to Plesiomonas shigelloides since they differ.")
    result = reading(tmp_path, (noted("Amikacin", "1"), 8, 8), heading="Enterobacterales", notes=notes)
    assert set(of(result, "AMK")) == {"Enterobacterales"}


def test_a_row_for_a_species_and_one_indication_does_not_hide_the_wider_rows(tmp_path: Path) -> None:
    """They are repeated for the species, unless they are for others."""
    result = reading(
        tmp_path,
        ("Amoxicillin iv", 4, 4),
        ("Amoxicillin oral (other indications), E. faecalis", "(0.001)", "(4)"),
        ("Fosfomycin iv (other indications), E. faecalis", 8, 8),
        ("Fosfomycin iv, other enterococci", "-", "-"),
        heading="Enterococcus spp.",
    )
    mine = [row for row in result.statements if (row.drug, row.group) == ("AMX", "Enterococcus faecalis")]
    assert {row.indications for row in mine} == {
        (Indication.INTRAVENOUS,),
        (Indication.ORAL, Indication.OTHER_INDICATIONS),
    }
    assert len([row for row in result.statements if (row.drug, row.group) == ("FOS", "Enterococcus faecalis")]) == 1


def test_a_row_that_names_an_organism_precedes_one_for_all_species_of_a_table(tmp_path: Path) -> None:
    """V. fluvialis has its own."""
    result = reading(
        tmp_path,
        ("Cefotaxime", 0.25, 0.25),
        ("Cefotaxime, V. fluvialis", "IE", "IE"),
        heading="Vibrio spp.",
        prose=["Breakpoints are valid for V. cholerae and V. fluvialis."],
    )
    assert of(result, "CTX")["Vibrio fluvialis"].kind is Statement.INSUFFICIENT_EVIDENCE
    assert of(result, "CTX")["Vibrio cholerae"].kind is Statement.BREAKPOINT
    assert left(result) == []


def test_two_rows_that_contradict_each_other_are_for_a_person_both(tmp_path: Path) -> None:
    """Neither is taken."""
    result = reading(tmp_path, ("Ampicillin", 1, 1), ("Ampicillin", 2, 2), ("Amikacin", 8, 8))
    assert [statement.drug for statement in result.statements] == ["AMK"]
    assert sorted(cell for cell, _ in left(result)) == ["A5", "A6"]


def test_a_sentence_above_the_table_that_is_not_understood_takes_the_whole_table_out(tmp_path: Path) -> None:
    """Named once, by its cell."""
    result = reading(tmp_path, ("Ampicillin", 1, 1), ("Amikacin", 8, 8), prose=["These breakpoints rest on Sundays."])
    assert result.statements == ()
    assert [cell for cell, _ in left(result)] == ["A2"]


def test_where_superscripts_were_lost_the_workbook_says_so_and_notes_must_exist(tmp_path: Path) -> None:
    """A number that is that of no note may be part of the figure."""
    rows = (
        ("Ampicillin", plain_runs("1", "1"), plain_runs("1", "1")),
        ("Amikacin", plain_runs("1", "6"), plain_runs("1", "6")),
    )
    result = reading(tmp_path, *rows, notes="1. About ampicillin.")
    assert [(row.drug, row.susceptible, row.marks) for row in result.statements] == [("AMP", 1.0, ("1",))]
    assert [cell for cell, _ in left(result)] == ["A6"]
    assert result.to_check[0].sheet == "Content"
