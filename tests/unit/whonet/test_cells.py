"""What stands in an MIC column that is no MIC: told by class and place, and fast."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.mic import UNREADABLE, encode_mics
from sirena.whonet.cells import classify_cells, classify_text
from sirena.whonet.problems import Problem, ProblemClass

CLASSES = {
    ProblemClass.CATEGORY: ["S", "i", " R ", "SDD", "NS", "Resistente", "sensible", "Intermedio"],
    ProblemClass.ZONE: ["22 mm", "18mm", "6 mm."],
    ProblemClass.ZONE_LIKE: ["22", "17", "30", "9"],
    ProblemClass.DATE: [
        "2024-02-01",
        "1/2/2024",
        "01-Feb",
        "1-ene",
        "feb-24",
        "2024-02-01 00:00:00",
        "12:30",
        "1.2.24",
    ],
    ProblemClass.COMPARATOR: ["<=", ">", "≥", "= "],
    ProblemClass.SEVERAL: ["8/3", "0.5 1", "4-8", "<=2/1.9", "2 a 4", "1;2", ">1<4", "1/2"],
    ProblemClass.ZERO: ["0", "0.0", "<=0", "0,00"],
    ProblemClass.NEGATIVE: ["-1", "-0.5", "<=-4"],
    ProblemClass.NOT_FINITE: ["NaN", "inf", "-inf", "nan", "1e999", "<=NaN"],
    ProblemClass.OFF_SCALE: ["1e9", "100000", "0.0000001", "1e-9", ">8192"],
    ProblemClass.SIGN: ["+", "-", "pos", "NEG", "Negativo"],
    ProblemClass.SPREADSHEET_ERROR: ["#N/A", "#DIV/0!", "####", "***", "#¡VALOR!"],
    ProblemClass.THOUSANDS: ["1,024", ">1.024", "2,048"],
    ProblemClass.NO_RESULT: ["TRM", "(-)", "N/R", "no probado"],
    ProblemClass.TEXT: ["abc", "see comment", "Garzonedo", "x" * 500, "1,1," * 60 + "x", "¿4?", "４mg\0"],
}


@pytest.mark.parametrize(("expected", "text"), [(key, text) for key, texts in CLASSES.items() for text in texts])
def test_each_kind_of_cell_has_its_class(expected: ProblemClass, text: str) -> None:
    """One class for each thing a laboratory puts where an MIC belongs."""
    assert classify_text(text, int(encode_mics([text])[0])) is expected


@pytest.mark.parametrize(
    "text",
    [
        "0.5",
        "<=0,25",
        ">= 32",
        "≥16",
        "0.12",
        "1.5",
        "16",
        "20",
        "6",
        "12",
        "96",
        "4 mg/L",
        " ",
        "8/4",
        "<=1/19",
        "8 R",
    ],
)
def test_mics_are_no_problem(text: str) -> None:
    """Dilutions, half dilutions of strips, sums of combinations, decimal commas, units, empty cells."""
    assert classify_text(text, int(encode_mics([text])[0])) is None


@given(st.text(max_size=60))
def test_any_text_is_classified_quickly(text: str) -> None:
    """No text breaks the classification, and every unreadable one has a class that is not readable."""
    code = int(encode_mics([text])[0])
    found = classify_text(text, code)
    assert (code < UNREADABLE + 1 and code != -1) == (found is not None and not found.is_readable)


def test_positions_are_those_of_the_cells() -> None:
    """In order, counted per class, empty cells apart."""
    column = pl.Series("AMK_NM", ["4", "S", None, "abc", "S", "", "abc", "22"])
    found = {key: rows.tolist() for key, rows in classify_cells(column).items()}
    assert found == {ProblemClass.CATEGORY: [1, 4], ProblemClass.TEXT: [3, 6], ProblemClass.ZONE_LIKE: [7]}


def test_a_clean_column_has_no_problems() -> None:
    """And a column without cells none either."""
    assert classify_cells(pl.Series(["4", None, "<=2"])) == {}
    assert classify_cells(pl.Series([None, None], dtype=pl.String)) == {}


def test_every_class_has_a_sentence_and_problems_name_no_content() -> None:
    """A problem is spelled by column, count, class and rows."""
    assert all(problem_class.sentence for problem_class in ProblemClass)
    problem = Problem(ProblemClass.TEXT, "AMK_NM", 7, (3, 5))
    assert str(problem) == "column AMK_NM: 7 × text that is not an MIC (rows 3, 5 …)"
    assert str(Problem(ProblemClass.BLANK_ROW, None, 1, (4,))) == "1 × row without any value (row 4)"
