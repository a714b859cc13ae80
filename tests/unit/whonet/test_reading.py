"""Reading: every format, every encoding, every delimiter, and what they make of cells."""

import gzip
import sqlite3
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

from sirena.domain.errors import UsageError
from sirena.whonet.errors import DuplicateColumnsError, NoOrganismColumnError
from sirena.whonet.file import FileFormat
from sirena.whonet.problems import ProblemClass
from sirena.whonet.reading import read_file

TABLE = [
    ["Número de identificación", "Apellido", "Microorganismo", "Tipo de muestra", "AMK_NM", "Eti_AMK_NM"],
    ["7", "Núñez", "eco", "ur", "≤0,5".replace("≤", "<="), "S"],
    ["8", "Peña; Ibáñez, María|x", "kpn", "sa", ">16", "R"],
]


def quoted(delimiter: str) -> str:
    """Return the table with every cell in quotation marks, lines ended as Windows does."""
    return "".join(delimiter.join(f'"{cell}"' for cell in row) + "\r\n" for row in TABLE)


@pytest.mark.parametrize("delimiter", ["\t", "|", ";", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "cp850", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("packed", [False, True])
def test_text_is_read_in_every_encoding_and_with_every_delimiter(
    delimiter: str, encoding: str, packed: bool, tmp_path: Path
) -> None:
    """Accents, delimiters inside quotes and decimal commas survive, plain or packed."""
    data = quoted(delimiter).encode(encoding)
    path = tmp_path / "w2024hos.hos"
    path.write_bytes(gzip.compress(data) if packed else data)
    file = read_file(path)
    assert FileFormat.DELIMITED is file.format
    assert TABLE[0] == file.frame.columns
    assert [tuple(row) for row in TABLE[1:]] == file.frame.rows()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(end: str, tmp_path: Path) -> None:
    """Unix, Windows and old Macintosh; with and without an end of the last line."""
    path = tmp_path / "isolates"
    for last in ("", end):
        path.write_bytes((end.join(["ORGANISM,AMK_NM", "eco,4", "kpn,8"]) + last).encode())
        assert read_file(path).frame.rows() == [("eco", "4"), ("kpn", "8")]


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nORGANISM;AMK_NM\neco;4\n",
        "ORGANISM;AMK_NM;\neco;4;\n",
        "ORGANISM;AMK_NM\neco;4;\n",
        " ORGANISM ;AMK_NM\neco;4\n\n\n",
        "ORGANISM;AMK_NM\neco;4\n\x1a",
        '"ORGANISM";"AMK_NM"\n"eco";"4"',
    ],
)
def test_harmless_oddities_of_exports_are_read(text: str, tmp_path: Path) -> None:
    """Excel's sep line, delimiters at the end of lines, blank lines, DOS' end of file, quotation marks."""
    path = tmp_path / "isolates.csv"
    path.write_text(text)
    file = read_file(path)
    assert file.frame.columns == ["ORGANISM", "AMK_NM"]
    assert file.frame.rows() == [("eco", "4")]
    assert file.problems == ()


def test_line_breaks_inside_quotes_are_part_of_the_cell(tmp_path: Path) -> None:
    """In headers and in cells."""
    path = tmp_path / "isolates.csv"
    path.write_text('ORGANISM,"Tipo de\nmuestra",COMMENT\neco,ur,"two\nlines"\nkpn,ur,"say ""so"""\n')
    file = read_file(path)
    assert file.frame.rows() == [("eco", "ur", "two\nlines"), ("kpn", "ur", 'say "so"')]
    assert file.specimen_column == "Tipo de\nmuestra"


def test_rows_are_numbered_as_the_user_sees_them(tmp_path: Path) -> None:
    """The header is row 1, and blank lines count."""
    path = tmp_path / "isolates.csv"
    path.write_text("ORGANISM,AMK_NM\neco,4\n\n,\nkpn,abc\n\neco,def\n\n")
    file = read_file(path)
    assert file.row_numbers(np.arange(3)).tolist() == [2, 5, 7]
    problems = {problem.problem_class: problem for problem in file.problems}
    assert problems[ProblemClass.BLANK_ROW].rows == (3, 4, 6)
    assert problems[ProblemClass.TEXT].rows == (5, 7)


def test_missing_values_are_not_guessed_from_words(tmp_path: Path) -> None:
    """NA, null and nan are what the laboratory wrote; only nothing is missing."""
    path = tmp_path / "isolates.csv"
    path.write_text('ORGANISM,AMK_NM,CIP_NM\neco,NA,""\nkpn,null,\n')
    assert read_file(path).frame.rows() == [("eco", "NA", None), ("kpn", "null", None)]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash joins commands."""
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(gzip.compress(b"ORGANISM,AMK_NM\neco,4\n"))))
    assert read_file("-").frame.rows() == [("eco", "4")]


def test_the_organism_comes_from_the_code_then_from_the_name(tmp_path: Path) -> None:
    """ORGANISM before LOCAL_ORG; a code column without a value is no code column."""
    path = tmp_path / "isolates.csv"
    for text, expected in (
        ("LOCAL_ORG,ORGANISM\nE. coli,eco\n", "ORGANISM"),
        ("LOCAL_ORG,ORGANISM\nE. coli,\n", "LOCAL_ORG"),
        ("Organism,AMK_NM\neco,4\n", "Organism"),
        ("Microorganismo;AMK_NM\neco;4\n", "Microorganismo"),
        ("organism,amk_nm\neco,4\n", "organism"),
    ):
        path.write_text(text)
        file = read_file(path)
        assert expected == file.organism_column
        assert expected == file.require_organism()


def test_a_table_without_organism_is_read_but_not_answered(tmp_path: Path) -> None:
    """Who needs the organism is told how to name the column."""
    path = tmp_path / "isolates.csv"
    path.write_text("PATIENT_ID,AMK_NM\n1,4\n")
    file = read_file(path)
    assert file.organism_column is None
    with pytest.raises(NoOrganismColumnError, match="no column names the organism"):
        file.require_organism()


def test_long_headers_of_whonet_are_understood(shared_data: Path) -> None:
    """An export with long English headers, as another program's authors published it."""
    file = read_file(shared_data / "whonet_files" / "whonet_long_headers_500.csv")
    assert file.frame.shape == (500, 53)
    assert (
        file.organism_column,
        file.specimen_column,
        file.date_column,
    ) == ("Organism", "Specimen type", "Specimen date")
    assert {"PEN_EE", "AMP_EE", "CRO_EE", "CIP_EE"} == set(file.mic_columns)
    assert next(problem.count for problem in file.problems if problem.column == "PEN_EE") == 407


def test_whonets_own_sample_file_is_read(shared_data: Path) -> None:
    """Bars as delimiters, disk columns and a few MICs."""
    file = read_file(shared_data / "reference" / "whonet" / "SampleInputFile.txt")
    assert (file.table.detail, file.frame.height) == ("delimiter bar", 622)
    assert len(file.mic_columns) == 6
    assert file.problems == ()


def test_real_isolates_are_read_with_their_categories(shared_data: Path) -> None:
    """41 MIC columns and the laboratories' own calls beside them; zones among MICs are found."""
    file = read_file(shared_data / "isolates" / "ncbi_clsi_isolates.csv.gz")
    assert (file.frame.height, len(file.mic_columns), len(file.category_columns)) == (12_476, 41, 41)
    assert file.category_columns["VOR_NM"] == "Eti_VOR_NM"
    assert {ProblemClass.ZONE_LIKE} == {problem.problem_class for problem in file.problems}


def make_workbook(path: Path) -> None:
    """Write a workbook as people make them: typed numbers, dates, formulas, an empty row, a second sheet."""
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"}) as workbook:
        first = workbook.add_worksheet("Notes")
        first.write_row(0, 0, ["Organism", "AMK_NM"])
        first.write_row(1, 0, ["kpn", "8"])
        sheet = workbook.add_worksheet("Isolates")
        sheet.write_row(2, 1, ["ORGANISM", "AMK_NM", "CIP_NM", "SPEC_DATE", "Eti_AMK_NM", "ESBL"])
        sheet.write_row(3, 1, ["eco", 0.5, 0.1 + 0.2])
        sheet.write_datetime(3, 4, np.datetime64("2024-05-01").astype("O"))
        sheet.write(3, 6, True)
        sheet.write_row(5, 1, ["kpn", 4.0, "<=0,25"])
        sheet.write_datetime(6, 2, np.datetime64("2024-02-01").astype("O"))
        sheet.write(6, 1, "eco")
        sheet.write_formula(6, 3, "=1/0", None, "#DIV/0!")
        sheet.write_formula(6, 5, '="R"', None, "R")


def test_a_spreadsheet_gives_what_excel_shows(tmp_path: Path) -> None:
    """0.5 and not 0.5000000001, 4 and not 4.0, dates as dates, failed formulas as such, rows by Excel's number."""
    make_workbook(tmp_path / "book.xlsx")
    file = read_file(tmp_path / "book.xlsx", sheet="isolates")
    assert file.frame.rows() == [
        ("eco", "0.5", "0.3", "2024-05-01", None, "true"),
        ("kpn", "4", "<=0,25", None, None, None),
        ("eco", "2024-02-01", "#N/A", None, "R", None),
    ]
    found = {(problem.column, problem.problem_class): problem.rows for problem in file.problems}
    assert found == {
        (None, ProblemClass.BLANK_ROW): (5,),
        ("AMK_NM", ProblemClass.DATE): (7,),
        ("CIP_NM", ProblemClass.SPREADSHEET_ERROR): (7,),
    }


def test_the_first_sheet_with_a_table_is_read_unless_one_is_named(tmp_path: Path) -> None:
    """And a name that is not there lists those that are."""
    make_workbook(tmp_path / "book.xlsx")
    assert read_file(tmp_path / "book.xlsx").frame.rows() == [("kpn", "8")]
    with pytest.raises(UsageError) as raised:
        read_file(tmp_path / "book.xlsx", sheet="2024")
    assert "Notes, Isolates" in raised.value.hint


def test_a_sheet_of_what_has_none_is_wrong_use(tmp_path: Path) -> None:
    """Text has no sheets."""
    (tmp_path / "isolates.csv").write_text("ORGANISM,AMK_NM\neco,4\n")
    with pytest.raises(UsageError, match="no spreadsheet"):
        read_file(tmp_path / "isolates.csv", sheet="Isolates")


def test_parquet_numbers_become_what_a_laboratory_would_write(tmp_path: Path) -> None:
    """Of every type, NaN included, which is reported later."""
    frame = pl.DataFrame(
        {
            "ORGANISM": pl.Series(["eco", "kpn", "sau"], dtype=pl.Categorical),
            "AMK_NM": [0.5, 4.0, None],
            "CIP_NM": pl.Series([0.12, 0.015, float("nan")], dtype=pl.Float32),
            "GEN_NM": [1, 16, None],
            "MEM_NM": [0.1 + 0.2, 1e-5, 1e16],
            "SPEC_DATE": pl.Series(["2024-05-01", None, None]).str.to_date(),
            "ESBL": [True, False, None],
        }
    )
    frame.write_parquet(tmp_path / "isolates.parquet")
    file = read_file(tmp_path / "isolates.parquet")
    assert file.frame.rows() == [
        ("eco", "0.5", "0.12", "1", "0.3", "2024-05-01", "true"),
        ("kpn", "4", "0.015", "16", "0.00001", None, "false"),
        ("sau", None, "NaN", None, "10000000000000000", None, None),
    ]
    assert file.row_numbers(np.array([0]))[0] == 1


def test_sqlite_is_opened_for_reading_only(tmp_path: Path) -> None:
    """Typed cells become text, nothing is written beside the file, and the file may be read-only."""
    path = tmp_path / "w2024.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE isolates (ROW_IDX INTEGER PRIMARY KEY, ORGANISM TEXT, AMK_NM, CIP_NM TEXT)")
    connection.executemany(
        "INSERT INTO isolates VALUES (?, ?, ?, ?)", [(1, "eco", 0.5, "<=0,5"), (2, "kpn", 4, ""), (3, None, 4.0, None)]
    )
    connection.commit()
    connection.close()
    path.chmod(0o444)
    before = path.read_bytes()
    file = read_file(path)
    assert file.frame.rows() == [("1", "eco", "0.5", "<=0,5"), ("2", "kpn", "4", None), ("3", None, "4", None)]
    assert before == path.read_bytes()
    assert [path] == list(tmp_path.glob("w2024*"))


def test_a_database_copied_without_its_write_ahead_log_says_so(shared_data: Path) -> None:
    """What was written last may lie in the file that was left behind."""
    file = read_file(shared_data / "cases" / "c19_copied_without_wal.sqlite")
    assert [problem.problem_class for problem in file.problems] == [ProblemClass.WRITE_AHEAD_LOG]


def test_a_write_ahead_log_is_read_and_nothing_is_written_beside_it(tmp_path: Path) -> None:
    """WHONET still open: the newest isolates are there, and the folder is as it was."""
    path = tmp_path / "w2024.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("CREATE TABLE Isolates (ORGANISM TEXT, AMK_NM TEXT)")
    connection.execute("INSERT INTO Isolates VALUES ('kpn', '8')")
    connection.commit()
    copied = tmp_path / "copy"
    copied.mkdir()
    for name in ("w2024.sqlite", "w2024.sqlite-wal"):
        (copied / name).write_bytes((tmp_path / name).read_bytes())
    connection.close()
    before = {file.name: file.read_bytes() for file in copied.iterdir()}
    file = read_file(copied / "w2024.sqlite")
    assert file.frame.rows() == [("kpn", "8")]
    assert file.problems == ()
    assert before == {file.name: file.read_bytes() for file in copied.iterdir()}


def test_whonets_sqlite_schemas_are_understood(shared_data: Path, tmp_path: Path) -> None:
    """Files made from WHONET's own table definitions, human and One Health."""
    for schema in (shared_data / "whonet_files").glob("*.sql"):
        path = tmp_path / schema.stem
        connection = sqlite3.connect(path)
        connection.executescript(
            schema.read_text(encoding="utf-8").replace("CREATE TABLE sqlite_sequence(name,seq);", "")
        )
        connection.execute("INSERT INTO Isolates (ORGANISM, SPEC_DATE, SPEC_TYPE) VALUES ('eco', '2024-05-01', 'ur')")
        connection.commit()
        connection.close()
        file = read_file(path)
        assert FileFormat.SQLITE is file.format
        assert (file.organism_column, file.date_column, file.specimen_column) == ("ORGANISM", "SPEC_DATE", "SPEC_TYPE")
        assert len(file.test_columns) > 40


def test_packed_databases_and_workbooks_are_read_too(tmp_path: Path) -> None:
    """Gzip around any format, and any format through a pipe."""
    make_workbook(tmp_path / "book.xlsx")
    connection = sqlite3.connect(tmp_path / "base")
    connection.execute("CREATE TABLE Isolates (ORGANISM TEXT, AMK_NM TEXT)")
    connection.execute("INSERT INTO Isolates VALUES ('kpn', '8')")
    connection.commit()
    connection.close()
    for name in ("book.xlsx", "base"):
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        assert read_file(path).frame.rows() == [("kpn", "8")]


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("ORGANISM,AMK_NM,amk_nm", "AMK_NM and amk_nm"),
        ("ORGANISM,AMK_NM,AMK_NM", "AMK_NM and AMK_NM"),
        ("ORGANISM,Amikacin_NM,AMK_NM", "Amikacin_NM and AMK_NM"),
        ("ORGANISM,organism ,AMK_NM", "ORGANISM and organism"),
    ],
)
def test_duplicate_columns_are_one_error_that_names_them(header: str, named: str, tmp_path: Path) -> None:
    """Which of two cells is right cannot be known."""
    path = tmp_path / "isolates.csv"
    path.write_text(f"{header}\neco,4,8\n")
    with pytest.raises(DuplicateColumnsError, match=named):
        read_file(path)


def test_unnamed_columns_are_kept_when_they_hold_something(tmp_path: Path) -> None:
    """Under a name that says so, and reported."""
    path = tmp_path / "isolates.csv"
    path.write_text("ORGANISM,,AMK_NM,\neco,x,4,\nkpn,,8,\n")
    file = read_file(path)
    expected = pl.DataFrame({"ORGANISM": ["eco", "kpn"], "COLUMN_2": ["x", None], "AMK_NM": ["4", "8"]})
    assert_frame_equal(expected, file.frame)
    assert [problem.problem_class for problem in file.problems] == [ProblemClass.UNNAMED_COLUMN]
