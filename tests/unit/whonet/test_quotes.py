"""Quotation marks in delimited text: records are never swallowed."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.errors import SirenaError
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.reading import read_file

HEADER = ["SPEC_NUM", "ORGANISM", "COMMENT", "AMK_NM"]
COMMENTS = st.text(st.sampled_from("ab \"'5é\n\r,;"), max_size=12)


def read(path: Path, text: str) -> list[tuple[str | None, ...]]:
    """Write a text and read it as a table."""
    path.write_bytes(text.encode())
    return read_file(path).frame.rows()


def test_a_mark_that_closes_nowhere_is_a_letter(tmp_path: Path) -> None:
    """Each line stays its row, with its own MIC."""
    text = 'SPEC_NUM\tORGANISM\tCOMMENT\tAMK_NM\n1\teco\t"blood x2\t2\n2\tkpn\tok\t16\n3\tpae\t2nd" bottle\t32\n'
    assert read(tmp_path / "a", text) == [
        ("1", "eco", '"blood x2', "2"),
        ("2", "kpn", "ok", "16"),
        ("3", "pae", '2nd" bottle', "32"),
    ]


def test_a_line_break_inside_quotes_is_still_read(tmp_path: Path) -> None:
    """With delimiters and doubled marks inside."""
    text = 'SPEC_NUM,ORGANISM,COMMENT,AMK_NM\n1,eco,"two\nlines, ""so""",2\n2,kpn,,16\n'
    assert read(tmp_path / "a", text) == [("1", "eco", 'two\nlines, "so"', "2"), ("2", "kpn", None, "16")]


def test_a_mark_inside_a_text_that_is_quoted_is_a_letter(tmp_path: Path) -> None:
    """Of programs that quote every cell and double no mark within; MicroScan's mark is the apostrophe."""
    text = '"SPEC_NUM","ORGANISM","COMMENT","AMK_NM"\n"1","eco","5" tube","2"\n"2","kpn","","16"\n'
    assert read(tmp_path / "a", text) == [("1", "eco", '5" tube', "2"), ("2", "kpn", None, "16")]
    other = "'SPEC_NUM','ORGANISM','COMMENT','AMK_NM'\n'1','eco','O'Donnell','2'\n'2','kpn','','16'\n"
    assert read(tmp_path / "a", other) == [("1", "eco", "O'Donnell", "2"), ("2", "kpn", None, "16")]


def test_what_could_be_both_is_refused_with_its_line(tmp_path: Path) -> None:
    """A quotation over lines that are full rows by themselves."""
    text = 'SPEC_NUM,ORGANISM,COMMENT,AMK_NM\n0,eco,,1\n1,eco,"open,2\n2,kpn,closed",16\n'
    with pytest.raises(UnreadableFileError, match="row 3 holds an open quotation mark"):
        read(tmp_path / "a", text)


@given(st.lists(COMMENTS, min_size=1, max_size=6), st.sampled_from(",;\t|"))
def test_a_file_written_by_the_rules_has_as_many_records_as_another_reader_finds(
    tmp_path_factory: pytest.TempPathFactory, comments: list[str], delimiter: str
) -> None:
    """Python's own reader is the other; MICs stay with their isolates, or the file is refused."""
    stream = io.StringIO(newline="")
    rows = [[str(number), "eco", comment, str(2**number)] for number, comment in enumerate(comments)]
    csv.writer(stream, delimiter=delimiter).writerows([HEADER, *rows])
    path = tmp_path_factory.mktemp("quotes") / "a"
    path.write_bytes(stream.getvalue().encode())
    try:
        frame = read_file(path).frame
    except SirenaError:
        return
    assert frame.select("SPEC_NUM", "AMK_NM").rows() == [(row[0], row[3]) for row in rows]


@given(st.lists(COMMENTS, min_size=1, max_size=6), st.sampled_from(",;\t|"))
def test_a_file_written_without_any_rule_has_as_many_records_as_lines(
    tmp_path_factory: pytest.TempPathFactory, comments: list[str], delimiter: str
) -> None:
    """Marks stand wherever people type them; each line is its row, or the file is refused."""
    plain = [comment.translate({ord(letter): "x" for letter in "\n\r,;\t|"}) for comment in comments]
    rows = [[str(number), "eco", comment, str(2**number)] for number, comment in enumerate(plain)]
    text = "".join(delimiter.join(row) + "\r\n" for row in [HEADER, *rows])
    path = tmp_path_factory.mktemp("quotes") / "a"
    path.write_bytes(text.encode())
    try:
        frame = read_file(path).frame
    except SirenaError:
        return
    assert frame.select("SPEC_NUM", "AMK_NM").rows() == [(row[0], row[3]) for row in rows]
