"""Cells of EUCAST's workbook: each rule of `sirena.guidelines.eucast.cells` in a test of like name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Font

from sirena.guidelines.eucast.cells import printed_cell, printed_title, read_value
from sirena.guidelines.eucast.findings import UndecidableError
from sirena.guidelines.rows import Statement
from tests.unit.guidelines.eucast.small_workbook import Text, noted, plain_runs, struck


def cell(value: Text) -> Cell:
    """Return a cell that holds a value."""
    sheet = Workbook().active
    sheet["B2"] = value
    return sheet["B2"]


def test_superscript_text_is_the_number_of_a_note_and_never_part_of_a_figure() -> None:
    """8 with note 2 is not 82, and 1 with note 6 is not 16."""
    for figure, marks, expected in (("8", "2", ("2",)), ("1", "6", ("6",)), ("0.125", "2,3", ("2", "3"))):
        value = read_value(cell(noted(figure, marks)), superscripts=True)
        assert (value.figure, value.marks) == (float(figure), expected)


def test_a_cell_superscript_as_a_whole_holds_no_figure() -> None:
    """The format of a cell counts for text without runs."""
    whole = cell("8")
    whole.font = Font(vertAlign="superscript")
    with pytest.raises(UndecidableError):
        read_value(whole, superscripts=True)


def test_struck_text_has_been_removed_and_is_not_read() -> None:
    """In runs and in whole cells."""
    mixed = struck("4")
    mixed.append("8")
    assert read_value(cell(mixed), superscripts=True).figure == 8
    whole = cell("removed")
    whole.font = Font(strike=True)
    assert printed_cell(whole).text == ""


@pytest.mark.parametrize(
    ("text", "kind", "figure"),
    [
        ("-", Statement.DASH, None),
        ("IE", Statement.INSUFFICIENT_EVIDENCE, None),
        ("IP", Statement.INSUFFICIENT_EVIDENCE, None),
        ("NA", Statement.NOT_APPLICABLE, None),
        ("Note", Statement.NOTE, None),
        ("(8)", Statement.BRACKETED, 8.0),
        ("(0.001)", Statement.BRACKETED, 0.001),
        ("0.06", Statement.BREAKPOINT, 0.06),
        (0.001, Statement.BREAKPOINT, 0.001),
        (16, Statement.BREAKPOINT, 16.0),
    ],
)
def test_a_figure_is_a_dilution_in_brackets_it_is_bracketed(text: Text, kind: Statement, figure: float | None) -> None:
    """And the words EUCAST uses in place of figures."""
    value = read_value(cell(text), superscripts=True)
    assert (value.kind, value.figure) == (kind, figure)


@pytest.mark.parametrize("text", ["", "  ", "8)", "(8", "0.0625", "12", "≤8", "8 mg/L", "Nota", "=2*4", "0,5", "S"])
def test_what_is_no_dilution_as_eucast_prints_them_is_for_a_person(text: str) -> None:
    """Neither guessed nor rounded."""
    with pytest.raises(UndecidableError):
        read_value(cell(text), superscripts=True)


def test_a_date_that_a_program_made_of_a_figure_is_for_a_person() -> None:
    """1/2 becomes a day in many programs."""
    with pytest.raises(UndecidableError):
        read_value(cell("2025-02-01"), superscripts=True)


def test_where_superscripts_were_lost_a_run_of_numbers_behind_a_figure_is_a_note() -> None:
    """In a workbook without any superscript."""
    value = read_value(cell(plain_runs("0.125", "3,4", ",5")), superscripts=False)
    assert (value.figure, value.marks) == (0.125, ("3", "4", "5"))
    assert read_value(cell(plain_runs("", "0.001", "1")), superscripts=False).figure == 0.001


def test_where_superscripts_were_kept_a_run_of_numbers_behind_a_figure_is_for_a_person() -> None:
    """It may be part of the figure."""
    with pytest.raises(UndecidableError):
        read_value(cell(plain_runs("1", "6")), superscripts=True)


def test_in_one_run_a_figure_and_a_note_are_for_a_person() -> None:
    """82,3 can be no figure; 8 with notes 2 and 3 is only probable."""
    with pytest.raises(UndecidableError):
        read_value(cell("82,3"), superscripts=False)


def test_numbers_behind_a_word_of_a_title_are_those_of_notes_where_superscripts_were_lost() -> None:
    """No name has a number in it."""
    title = printed_title(cell("Oxacillin4, other species, Salmonella spp.1,2"), superscripts=False)
    assert (title.text, title.marks) == ("Oxacillin, other species, Salmonella spp.", ("4", "1", "2"))
    assert printed_title(cell("Oxacillin4"), superscripts=True).text == "Oxacillin4"


@given(figure=st.sampled_from(["0.001", "0.25", "2", "16"]), marks=st.lists(st.integers(1, 12), min_size=1, max_size=3))
def test_notes_never_change_a_figure(figure: str, marks: list[int]) -> None:
    """Whatever their numbers are."""
    text = ",".join(map(str, marks))
    value = read_value(cell(noted(figure, text)), superscripts=True)
    assert (value.figure, value.marks) == (float(figure), tuple(map(str, marks)))
