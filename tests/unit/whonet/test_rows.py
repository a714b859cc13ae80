"""Rows that are no isolates: units, headers printed again, another table below."""

from pathlib import Path

import numpy as np
import pytest

from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.file import WhonetFile
from sirena.whonet.problems import ProblemClass
from sirena.whonet.reading import read_file


def table(path: Path, text: str) -> WhonetFile:
    """Read a text with semicolons."""
    (path / "a.csv").write_text(text, encoding="utf-8")
    return read_file(path / "a.csv")


def test_units_below_the_header_are_left_out(tmp_path: Path) -> None:
    """And reported; rows keep their numbers."""
    file = table(tmp_path, "Muestra;Microorganismo;Amikacina;Meropenem\n;;mg/L;mg/L\n1;eco;4;<=0.25\n")
    assert file.frame.height == 1
    assert file.row_numbers(np.array([0])).tolist() == [3]
    assert [problem.problem_class for problem in file.problems] == [ProblemClass.UNITS_ROW]


def test_a_header_printed_on_every_page_is_left_out(tmp_path: Path) -> None:
    """Where it stands, with its row."""
    text = "Muestra;Microorganismo;AMK_NM\n1;eco;4\n;;\nMuestra;Microorganismo;AMK_NM\n2;kpn;8\n"
    file = table(tmp_path, text)
    assert file.frame["Muestra"].to_list() == ["1", "2"]
    assert file.row_numbers(np.array([0, 1])).tolist() == [2, 5]
    problems = {problem.problem_class: problem.rows for problem in file.problems}
    assert problems == {ProblemClass.BLANK_ROW: (3,), ProblemClass.REPEATED_HEADER: (4,)}


def test_another_table_below_is_refused(tmp_path: Path) -> None:
    """Its columns are not those of the first, so its figures would go to other antimicrobials."""
    text = "Muestra;Microorganismo;AMK_NM\n1;eco;4\n;;\nNHC;Microorganismo;CIP_NM\n2;kpn;8\n"
    with pytest.raises(UnreadableFileError, match="row 4 begins another table"):
        table(tmp_path, text)
