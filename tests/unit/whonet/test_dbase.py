"""dBASE: checked against files that another library writes, and that library reads ours."""

import struct
from pathlib import Path

import dbf
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.file import FileFormat
from sirena.whonet.problems import ProblemClass
from sirena.whonet.reading import read_file
from sirena.whonet.writing import write_file


def make_table(path: Path, kind: str, codepage: str, fields: str, rows: list[tuple[object, ...]]) -> None:
    """Write a table with the other library."""
    table = dbf.Table(str(path), fields, dbf_type=kind, codepage=codepage)
    table.open(dbf.READ_WRITE)
    for row in rows:
        table.append(row)
    table.close()


@pytest.mark.parametrize("kind", ["db3", "fp", "vfp"])
@pytest.mark.parametrize("codepage", ["cp850", "cp1252", "cp437"])
def test_tables_of_another_library_are_read(kind: str, codepage: str, tmp_path: Path) -> None:
    """Character, number, date and logical fields, Spanish letters in every code page."""
    path = tmp_path / "w2024.dbf"
    fields = "ORGANISM C(3); LAST_NAME C(20); AMK_NM C(6); CIP_NM N(8,3); AGE N(3,0); SPEC_DATE D; ESBL L"
    rows: list[tuple[object, ...]] = [
        ("eco", "Núñez Peña", "<=0,5", 0.5, 67, dbf.Date(2024, 5, 1), True),
        ("kpn", "", ">16", 4, None, None, None),
    ]
    make_table(path, kind, codepage, fields, rows)
    file = read_file(path.rename(tmp_path / "w2024hos.sir"))
    assert (FileFormat.DBASE, codepage) == (file.format, file.encoding)
    assert file.frame.columns == ["ORGANISM", "LAST_NAME", "AMK_NM", "CIP_NM", "AGE", "SPEC_DATE", "ESBL"]
    assert file.frame.rows() == [
        ("eco", "Núñez Peña", "<=0,5", "0.5", "67", "2024-05-01", "T"),
        ("kpn", None, ">16", "4", None, None, None),
    ]


def test_number_types_of_visual_foxpro_are_read(tmp_path: Path) -> None:
    """Integer, double, currency and timestamp are binary there."""
    path = tmp_path / "w2024.dbf"
    fields = "ORGANISM C(3); AGE I; AMK_NM B; COST Y; STAMP T"
    row = ("eco", 67, 0.5, 4.25, dbf.DateTime(2024, 5, 1, 13, 5))
    make_table(path, "vfp", "cp1252", fields, [row])
    assert read_file(path).frame.rows() == [("eco", "67", "0.5", "4.25", "2024-05-01 13:05:00")]


def test_the_other_library_reads_our_tables(tmp_path: Path) -> None:
    """Names, cells and the number of records."""
    frame = pl.DataFrame(
        {
            "ORGANISM": ["eco", None],
            "LAST_NAME": ["Núñez", "Ibáñez"],
            "AMK_NM": ["<=0,5", ">16"],
            "Eti_AMK_NM": ["S", "R"],
        }
    )
    path = tmp_path / "isolates.dbf"
    write_file(frame, path)
    table = dbf.Table(str(path))
    table.open(dbf.READ_ONLY)
    rows = [tuple(str(cell).strip() for cell in record) for record in table]
    names = list(table.field_names)
    table.close()
    assert [name.upper() for name in frame.columns] == names
    assert rows == [("eco", "Núñez", "<=0,5", "S"), ("", "Ibáñez", ">16", "R")]


def test_deleted_records_are_left_out_and_reported(tmp_path: Path) -> None:
    """DBASE only marks what is deleted; the numbers of the others stay."""
    path = tmp_path / "w2024.dbf"
    make_table(path, "db3", "cp850", "ORGANISM C(3); AMK_NM C(6)", [("eco", "4"), ("sau", "8"), ("kpn", "abc")])
    table = dbf.Table(str(path))
    table.open(dbf.READ_WRITE)
    dbf.delete(table[1])
    table.close()
    file = read_file(path)
    assert file.frame.rows() == [("eco", "4"), ("kpn", "abc")]
    found = {problem.problem_class: problem.rows for problem in file.problems}
    assert found == {ProblemClass.DELETED_RECORD: (2,), ProblemClass.TEXT: (3,)}


def test_memo_fields_are_named_as_not_read(tmp_path: Path) -> None:
    """Their text lies in another file; the column stays, empty."""
    path = tmp_path / "w2024.dbf"
    make_table(path, "db3", "cp850", "ORGANISM C(3); COMMENT M", [("eco", "long text"), ("kpn", "")])
    file = read_file(path)
    assert file.frame.rows() == [("eco", None), ("kpn", None)]
    assert [(problem.problem_class, problem.column) for problem in file.problems] == [(ProblemClass.MEMO, "COMMENT")]


def test_a_code_page_that_is_not_stated_is_told_from_the_letters(tmp_path: Path) -> None:
    """WHONET wrote none; DOS and Windows have their Spanish letters at different places."""
    path = tmp_path / "w2024.dbf"
    for codepage in ("cp850", "cp1252"):
        make_table(path, "db3", codepage, "ORGANISM C(3); LAST_NAME C(20)", [("eco", "Núñez"), ("kpn", "Ibáñez")])
        data = bytearray(path.read_bytes())
        data[29] = 0
        path.write_bytes(data)
        file = read_file(path)
        assert codepage == file.encoding
        assert file.frame["LAST_NAME"].to_list() == ["Núñez", "Ibáñez"]


def test_a_table_cut_off_is_refused_with_what_is_there(tmp_path: Path) -> None:
    """A copy that broke off would lose isolates in silence."""
    path = tmp_path / "isolates.dbf"
    write_file(pl.DataFrame({"ORGANISM": ["eco"] * 100, "AMK_NM": ["4"] * 100}), path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UnreadableFileError, match="promises 100 records and 90 are there"):
        read_file(path)


def test_bytes_after_the_last_record_are_reported(tmp_path: Path) -> None:
    """A program that crashed may have written records and not the header."""
    path = tmp_path / "isolates.dbf"
    write_file(pl.DataFrame({"ORGANISM": ["eco"] * 3, "AMK_NM": ["4"] * 3}), path)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 4, 2)
    path.write_bytes(data)
    file = read_file(path)
    assert file.frame.height == 2
    assert [problem.problem_class for problem in file.problems] == [ProblemClass.TRAILING_BYTES]


def test_two_hundred_fields_survive(tmp_path: Path) -> None:
    """WHONET tables are wide."""
    frame = pl.DataFrame({"ORGANISM": ["eco", "kpn"]} | {f"X{number}": [str(number), None] for number in range(200)})
    write_file(frame, tmp_path / "wide.sir")
    assert_frame_equal(frame, read_file(tmp_path / "wide.sir").frame)


def test_dbase_7_is_read_where_its_cells_are_plain(shared_data: Path) -> None:
    """Texts, numbers and dates; other types are named."""
    path = shared_data / "cases" / "c20_dbase7.dbf"
    file = read_file(path)
    assert file.table.detail == "dBASE 7"
    assert file.frame.rows() == [("1", "eco", "<=2"), ("2", "kpn", "16")]


def test_dbase_7_with_fields_of_its_own_is_named(shared_data: Path, tmp_path: Path) -> None:
    """Its integers and timestamps are written in another way."""
    content = bytearray((shared_data / "cases" / "c20_dbase7.dbf").read_bytes())
    content[68 + 32] = ord("I")
    (tmp_path / "a.dbf").write_bytes(content)
    with pytest.raises(UnreadableFileError, match="dBASE 7"):
        read_file(tmp_path / "a.dbf")
