"""Which sheet of a workbook is read, where its table begins, and what Excel shows."""

from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from sirena.domain.errors import UsageError
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.problems import ProblemClass
from sirena.whonet.reading import read_file

HEADER = ["SPEC_NUM", "ORGANISM", "AMK_NM"]


def write(path: Path, sheets: dict[str, list[list[Any]]], hidden: tuple[str, ...] = ()) -> None:
    """Write a workbook."""
    with xlsxwriter.Workbook(path) as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if name in hidden:
                sheet.hide()
        next(sheet for sheet in workbook.worksheets() if sheet.name not in hidden).activate()


def test_a_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    """Last year's isolates stay where Excel hides them; asked for by name they are read."""
    old, new = [HEADER, ["1", "eco", "64"]], [HEADER, ["1", "eco", "<=2"]]
    write(tmp_path / "a.xlsx", {"2024": old, "2025": new}, hidden=("2024",))
    file = read_file(tmp_path / "a.xlsx")
    assert file.frame.rows() == [("1", "eco", "<=2")]
    assert file.table.detail == "sheet 2025"
    assert read_file(tmp_path / "a.xlsx", sheet="2024").frame.rows() == [("1", "eco", "64")]


def test_the_first_visible_sheet_with_a_table_is_read(tmp_path: Path) -> None:
    """Notes before it are passed over, also in the middle of the workbook."""
    write(tmp_path / "a.xlsx", {"Notas": [["Exportado de OBSERVA"]], "Datos": [HEADER, ["1", "eco", "4"]]})
    assert read_file(tmp_path / "a.xlsx").frame.rows() == [("1", "eco", "4")]


def test_several_candidates_are_named_and_can_be_chosen(tmp_path: Path) -> None:
    """What was taken, what was not, and how to choose."""
    write(tmp_path / "a.xlsx", {"Enero": [HEADER, ["1", "eco", "4"]], "Febrero": [HEADER, ["2", "kpn", "8"]]})
    file = read_file(tmp_path / "a.xlsx")
    assert file.table.detail == "sheet Enero; not read: Febrero"
    problem = next(problem for problem in file.problems if problem.problem_class is ProblemClass.OTHER_SHEET)
    assert "--sheet chooses" in str(problem)
    with pytest.raises(UsageError) as refusal:
        read_file(tmp_path / "a.xlsx", sheet="Marzo")
    assert "Enero, Febrero" in refusal.value.hint


def test_a_workbook_without_a_table_lists_its_sheets(tmp_path: Path) -> None:
    """So that the right one can be named."""
    write(tmp_path / "a.xlsx", {"Uno": [["x", "y"], ["1", "2"]], "Dos": [["z"]]})
    with pytest.raises(UnreadableFileError, match="no table of isolates") as refusal:
        read_file(tmp_path / "a.xlsx")
    assert "Uno, Dos" in refusal.value.hint


def test_a_table_below_a_title_is_read_with_its_row_numbers(tmp_path: Path) -> None:
    """Title, notes and a blank row are left out and reported."""
    rows = [["HOSPITAL GENERAL"], ["Enero"], [], HEADER, ["1", "eco", "abc"]]
    write(tmp_path / "a.xlsx", {"Datos": rows})
    file = read_file(tmp_path / "a.xlsx")
    assert file.frame.rows() == [("1", "eco", "abc")]
    problems = {problem.problem_class: problem for problem in file.problems}
    assert problems[ProblemClass.TITLE_ROW].count == 3
    assert problems[ProblemClass.TEXT].rows == (5,)


@pytest.mark.parametrize(
    "header",
    [
        [["Muestra", "Microorganismo", "Amikacina", None, "Meropenem", None], [None, None, "CIM", "Int", "CIM", "Int"]],
        [[None, None, "Amikacina", None, "Meropenem", None], ["Muestra", "Microorganismo", "CIM", "Int", "CIM", "Int"]],
    ],
)
def test_a_header_of_two_rows_with_merged_cells_is_one(header: list[list[Any]], tmp_path: Path) -> None:
    """The antimicrobial above holds for all cells it is merged over."""
    write(tmp_path / "a.xlsx", {"Datos": [*header, ["1", "eco", "8", "S", "16", "R"]]})
    file = read_file(tmp_path / "a.xlsx")
    assert {name: column.name for name, column in file.mic_columns.items()} == {
        "Amikacina CIM": "AMK_NM", "Meropenem CIM": "MEM_NM",
    }  # fmt: skip
    assert file.label_columns["Meropenem CIM"] == "Meropenem Int"
    assert file.frame.height == 1


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ('"<="0.0', "<=0.5"),
        ('">"0', ">0.5"),
        ("\\<\\=0.0", "<=0.5"),
        ("≤0.0", "≤0.5"),
        ('[<=0.5]"<="0.0;0.0', "<=0.5"),
        ('[>=1]">="0.0;0.0', "0.5"),
        ("0%", "50%"),
        ("0.00", "0.5"),
        ('0.0" mg/L"', "0.5"),
    ],
)
def test_a_number_format_is_read_as_excel_shows_it(code: str, shown: str, tmp_path: Path) -> None:
    """A comparator that only the format holds is part of the MIC."""
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as workbook:
        sheet = workbook.add_worksheet("Datos")
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["1", "eco"])
        sheet.write_number(1, 2, 0.5, workbook.add_format({"num_format": code}))
        sheet.write_row(2, 0, ["2", "eco", 0.5])
    assert read_file(tmp_path / "a.xlsx").frame["AMK_NM"].to_list() == [shown, "0.5"]


def test_a_formula_without_a_result_is_reported(shared_data: Path) -> None:
    """Programs other than Excel write formulas and do not calculate them; an empty cell would be a loss in silence."""
    file = read_file(shared_data / "cases" / "c22_number_format.xlsx")
    assert file.frame["CIP_NM"].to_list() == ["true", "1899-12-31 00:30:00", "#N/A", "0.001", "2", "<=0.5", None, None]
    assert file.frame["AMK_NM"].to_list()[6] == ">4"
