"""Files on which Sirena failed once, as people who do this job reported them: read right, reported or refused."""

from pathlib import Path

import numpy as np
import pytest

from sirena.domain.category import Category
from sirena.domain.mic import parse_mic
from sirena.domain.organisms import resolve_many
from sirena.domain.truth_table import ANSWERS
from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.panel.frame import Isolates, interpret_frame
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.file import WhonetFile
from sirena.whonet.problems import ProblemClass
from sirena.whonet.reading import read_file


@pytest.fixture
def cases(shared_data: Path) -> Path:
    """The folder of the cases."""
    return shared_data / "cases"


def answers(file: WhonetFile, category: str) -> list[str | None]:
    """Return what CLSI 2025 says of one column, as the commands answer it."""
    tables = compile_tables(load_edition("CLSI 2025"), {column.drug for column in file.mic_columns.values()})
    answered = interpret_frame(Isolates.of_file(file), lambda column: tables[column.drug])
    return answered[category].cast(str).to_list()


@pytest.mark.parametrize(
    ("name", "columns", "first"),
    [
        ("c15_microscan_es.csv", {"AMK_NM", "CIP_NM"}, "<=8"),
        ("c15_phoenix.csv", {"AMK_NM", "CIP_NM"}, "≤4"),
        ("c15_vitek.csv", {"AMK_NM", "SXT_NM"}, "<=2"),
        ("c15_sirscan.csv", {"AMK_NM", "CIP_NM"}, "0,5"),
        ("c15_ncbi_long.tsv", {"AMK_NM", "CIP_NM"}, "<=2"),
        ("largo.csv", {"AMK_NM", "CIP_NM", "MEM_NM"}, "<=2"),
        ("codigos.csv", {"AMK_NM", "CIP_NM", "TZP_NM"}, "8"),
        ("excel_cabeceras_raras.xlsx", {"AMK_NM", "CIP_NM", "CAZ_NM", "GEN_NM", "MEM_NM"}, "<=2"),
    ],
)
def test_exports_of_other_systems_are_read(name: str, columns: set[str], first: str, cases: Path) -> None:
    """Their columns, their organisms, and the first MIC where it stands."""
    file = read_file(cases / name)
    assert {column.name for column in file.mic_columns.values()} == columns
    header = next(header for header, column in file.mic_columns.items() if column.name == "AMK_NM")
    assert file.frame[header][0] == first
    assert all(resolve_many(file.frame[file.require_organism()].to_list()))


@pytest.mark.parametrize("name", ["excel_titulo.xlsx", "excel_es_nombres.xlsx"])
def test_a_spanish_table_is_read_with_all_its_antimicrobials(name: str, cases: Path) -> None:
    """Below a title, on the second sheet, ratios included."""
    file = read_file(cases / name)
    assert len(file.mic_columns) == 13
    assert file.frame.height == 4
    assert answers(file, "Eti_SXT_NM")[0] == "S"


@pytest.mark.parametrize("name", ["c14_sxt_sum.csv", "vitek_sxt.csv"])
def test_sums_of_both_agents_are_susceptible_up_to_40(name: str, cases: Path) -> None:
    """And resistant from 80 on."""
    file = read_file(cases / name)
    found = dict(zip(file.frame["SXT_NM"], answers(file, "Eti_SXT_NM"), strict=True))
    assert found == {text: "S" if text in ("<=20", "40") else "R" for text in found}


def test_a_column_of_two_scales_is_not_read(cases: Path) -> None:
    """Never R for 40, and reported."""
    file = read_file(cases / "off.csv")
    found = dict(zip(file.frame["SXT_NM"], answers(file, "Eti_SXT_NM"), strict=True))
    assert {found[text] for text in ("10", "20", "40", "80", "160", "320", "1.024", "2.048")} == {Category.NI}
    assert ProblemClass.SUM_REFUSED in {problem.problem_class for problem in file.problems}


def test_a_thousands_sign_is_no_susceptible_result(cases: Path) -> None:
    """NI and named by row."""
    file = read_file(cases / "c18_thousands.csv")
    assert answers(file, "Eti_FOS_NM") == ["NI", "NI", "R", "S"]
    assert file.problems[0].rows == (2, 3)


def test_the_visible_sheet_is_read(cases: Path) -> None:
    """Of a workbook with a hidden first one, and of one whose first holds settings."""
    for name in ("c10_hidden_sheet.xlsx", "c11_data_on_second_sheet.xlsx"):
        assert read_file(cases / name).frame["AMK_NM"].to_list() == ["<=2", "16"]


def test_a_web_page_is_named(cases: Path) -> None:
    """Whatever its suffix."""
    with pytest.raises(UnreadableFileError, match="HTML"):
        read_file(cases / "c13_html.xls")


def test_abbreviations_that_two_read_differently_are_not_read(cases: Path) -> None:
    """EPI, ECN and PSA wait for the mapping; the others are what WHONET says."""
    file = read_file(cases / "abr.csv")
    found = dict(zip(file.frame["ORGANISM"], answers(file, "Eti_GEN_NM"), strict=True))
    assert {found[text] for text in ("EPI", "ECN", "PSA")} == {"NI"}
    problem = next(problem for problem in file.problems if problem.problem_class is ProblemClass.ABBREVIATION)
    assert problem.count == 6
    assert file.row_numbers(np.array([0])).tolist() == [2]
    assert problem.rows[0] == 2


def test_a_date_that_excel_made_is_named(cases: Path) -> None:
    """8/4 became the eighth of April; no number is guessed from it."""
    file = read_file(cases / "excel_fechas.xlsx")
    dates = {problem.column: problem.rows for problem in file.problems if problem.problem_class is ProblemClass.DATE}
    assert dates == {"TZP_NM": (2,), "SXT_NM": (2,), "CIP_NM": (3,)}


def test_every_answer_is_one_of_the_tables(cases: Path) -> None:
    """A label beside an MIC is never taken for an answer: the MIC of the first agent decides."""
    file = read_file(cases / "c15_microscan_es.csv")
    table = compile_tables(load_edition("CLSI 2025"), {"AMK"})["AMK"]
    expected = ANSWERS[table.look_up(["kpn"], np.array([parse_mic("16").code], dtype=np.int16))[0, 0]]
    assert expected is not None
    assert answers(file, "Eti_AMK_NM")[1] == expected.category == Category.R
