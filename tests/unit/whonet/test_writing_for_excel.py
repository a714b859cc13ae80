"""Written so that Excel opens it: separators, decimal signs, encodings, colours and filters."""

import zipfile
from pathlib import Path

import polars as pl
import pytest

from sirena.whonet.csv_style import EXCEL_ES, CsvStyle
from sirena.whonet.reading import read_file
from sirena.whonet.writing import write_file

FRAME = pl.DataFrame(
    {"ORGANISM": ["eco", "kpn"], "WARD": ["Cirugía", None], "AMK_NM": ["<=0.5", "16"], "Eti_AMK_NM": ["S", "R"]}
)


def test_a_text_for_spanish_excel(tmp_path: Path) -> None:
    """Semicolons, decimal commas, the mark of UTF-8; read again it is the same table."""
    write_file(FRAME, tmp_path / "a.csv", EXCEL_ES)
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbfORGANISM;WARD;AMK_NM;Eti_AMK_NM\n")
    assert read_file(tmp_path / "a.csv").frame["AMK_NM"].to_list() == ["<=0,5", "16"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "cp850", "utf-16-le"])
@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
def test_a_text_keeps_separator_and_encoding(separator: str, encoding: str, tmp_path: Path) -> None:
    """Of the file it was read from; MICs stay as they stand."""
    write_file(FRAME, tmp_path / "a.csv", CsvStyle(separator, encoding))
    file = read_file(tmp_path / "a.csv")
    assert file.frame.rows() == FRAME.rows()
    assert file.table.csv_style == CsvStyle(separator, encoding)


def test_letters_an_encoding_does_not_hold_make_it_utf_8(tmp_path: Path) -> None:
    """Nothing is lost for the sake of a code page."""
    frame = FRAME.with_columns(WARD=pl.lit("≤ Ω"))
    write_file(frame, tmp_path / "a.csv", CsvStyle(";", "cp1252"))
    assert read_file(tmp_path / "a.csv").frame["WARD"][0] == "≤ Ω"


def test_a_sheet_has_filter_frozen_header_and_colours_beside_letters(tmp_path: Path) -> None:
    """By rules of the sheet, so that sorting and typing keep them right."""
    write_file(FRAME, tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert '<autoFilter ref="A1:D3"/>' in sheet
    assert 'state="frozen"' in sheet
    assert '<conditionalFormatting sqref="D2:D3">' in sheet
    assert "<formula>&quot;R&quot;</formula>" in sheet or '<formula>"R"</formula>' in sheet
    assert read_file(tmp_path / "a.xlsx").frame.rows() == FRAME.rows()
