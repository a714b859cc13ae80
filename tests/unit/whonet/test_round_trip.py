"""What is written can be read again: every column, row and cell, in order, in every format."""

import sqlite3
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sirena.domain.errors import UsageError
from sirena.whonet.errors import UnavailableFileError
from sirena.whonet.file import FileFormat
from sirena.whonet.reading import read_file
from sirena.whonet.writing import SUFFIXES, write_file

FORMATS = {
    ".csv": FileFormat.DELIMITED,
    ".csv.gz": FileFormat.DELIMITED,
    ".tsv": FileFormat.DELIMITED,
    ".txt": FileFormat.DELIMITED,
    ".xlsx": FileFormat.EXCEL,
    ".parquet": FileFormat.PARQUET,
    ".arrow": FileFormat.ARROW,
    ".feather": FileFormat.ARROW,
    ".sqlite": FileFormat.SQLITE,
    ".db": FileFormat.SQLITE,
    ".dbf": FileFormat.DBASE,
    ".sir": FileFormat.DBASE,
}


@pytest.fixture
def isolates() -> pl.DataFrame:
    """A small table with what breaks formats: commas, accents, quotes, formulas, comparators, empty cells."""
    return pl.DataFrame(
        {
            "ROW_IDX": ["1", "2", "3"],
            "LAST_NAME": ["Núñez", 'O"Neill, jr; x|y', "=1+1"],
            "ORGANISM": ["eco", "kpn", None],
            "AMK_NM": ["<=0,5", ">=32", "004"],
            "Eti_AMK_NM": ["S", None, "R"],
            "COMMENT": [None, "two  spaces", "1-2"],
            "EMPTY": [None, None, None],
        },
        schema_overrides={"EMPTY": pl.String},
    )


def test_every_suffix_is_tried() -> None:
    """A format added to the writer must be added to these tests."""
    assert set(SUFFIXES) == set(FORMATS)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_table_survives_writing_and_reading(suffix: str, isolates: pl.DataFrame, tmp_path: Path) -> None:
    """Every column, row and cell comes back as it was, and the format is known again."""
    path = tmp_path / f"isolates{suffix}"
    write_file(isolates, path)
    file = read_file(path)
    assert_frame_equal(isolates, file.frame)
    assert FORMATS[suffix] is file.format
    assert [path] == list(tmp_path.glob("[!s]*"))  # nothing beside it but the private home


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_format_is_told_from_content_not_from_the_name(suffix: str, isolates: pl.DataFrame, tmp_path: Path) -> None:
    """WHONET uses the laboratory's code as suffix, so a name says nothing."""
    path = tmp_path / f"isolates{suffix}"
    write_file(isolates, path)
    renamed = path.rename(tmp_path / "w2024arg.tst")
    assert FORMATS[suffix] is read_file(renamed).format


CELLS = st.one_of(
    st.none(),
    st.sampled_from(["<=0.25", ">32", "0,5", "S", "4", "NaN", "null", "-", "'", '"', "a\tb", "x|y;z,", "#N/A", "TRUE"]),
    st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), min_size=1, max_size=20).filter(
        lambda text: text == text.strip() and not text.isspace()
    ),
)


@settings(max_examples=10, deadline=None)  # a file costs more than its cells: few files of many cells
@given(cells=st.lists(st.tuples(st.just("eco"), CELLS, CELLS), min_size=1, max_size=20))
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".xlsx", ".parquet", ".arrow", ".sqlite", ".dbf"])
def test_any_cells_survive(
    suffix: str, cells: list[tuple[str | None, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No content of cells breaks a format or is changed by it."""
    frame = pl.DataFrame(cells, schema=dict.fromkeys(["ORGANISM", "AMK_NM", "COMMENT"], pl.String), orient="row")
    path = tmp_path_factory.mktemp("any") / f"isolates{suffix}"
    write_file(frame, path)
    read = read_file(path).frame
    assert_frame_equal(frame, read.drop("ROW_IDX", strict=False))


def test_sqlite_is_made_as_whonet_makes_it(isolates: pl.DataFrame, tmp_path: Path) -> None:
    """The table is Isolates and its key ROW_IDX, added when the table has none."""
    path = tmp_path / "isolates.sqlite"
    write_file(isolates.drop("ROW_IDX"), path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT ROW_IDX FROM Isolates ORDER BY ROW_IDX").fetchall() == [(1,), (2,), (3,)]
    columns = connection.execute("PRAGMA table_info(Isolates)").fetchall()
    connection.close()
    assert (columns[0][1], columns[0][2], columns[0][5]) == ("ROW_IDX", "INTEGER", 1)
    assert {"TEXT"} == {column[2] for column in columns[1:]}


def test_row_indexes_that_are_no_key_are_kept_as_text(tmp_path: Path) -> None:
    """Two exports joined have every ROW_IDX twice; they are kept and not renumbered."""
    frame = pl.DataFrame({"ROW_IDX": ["1", "1"], "ORGANISM": ["eco", "kpn"]})
    write_file(frame, tmp_path / "isolates.sqlite")
    assert_frame_equal(frame, read_file(tmp_path / "isolates.sqlite").frame)


@pytest.mark.parametrize("name", ["isolates.doc", "isolates", ".csv", "isolates.csv.zip"])
def test_an_unknown_suffix_is_wrong_use(name: str, isolates: pl.DataFrame, tmp_path: Path) -> None:
    """The format is never guessed, and nothing is written."""
    with pytest.raises(UsageError, match="no format"):
        write_file(isolates, tmp_path / name)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (pl.DataFrame({"ORGANISM": ["eco"], "Eti_AMC_ND20": ["S"]}), "Eti_AMC_ND20"),
        (pl.DataFrame({"ORGANISM": ["eco"], "COMMENT": ["x" * 255]}), "255 characters"),
        (pl.DataFrame({"ORGANISM": ["eco", "kpn"], "AMK_NM": ["4", "≤4"]}), "column AMK_NM, record 2"),
        (pl.DataFrame({f"C{number}": ["1"] for number in range(256)}), "255 columns"),
    ],
)
def test_what_dbase_cannot_hold_is_refused(frame: pl.DataFrame, complaint: str, tmp_path: Path) -> None:
    """Long names, long cells, foreign characters and too many columns are named, never cut."""
    with pytest.raises(UsageError, match=complaint):
        write_file(frame, tmp_path / "isolates.dbf")
    assert list(tmp_path.glob("*isolates*")) == []


def test_a_file_is_replaced_only_when_the_new_one_is_complete(isolates: pl.DataFrame, tmp_path: Path) -> None:
    """A failed writing leaves the old file as it was and no half-written one beside it."""
    path = tmp_path / "isolates.dbf"
    write_file(isolates, path)
    before = path.read_bytes()
    with pytest.raises(UsageError):
        write_file(isolates.with_columns(AMK_NM=pl.lit("≤4")), path)
    assert before == path.read_bytes()
    assert [path] == list(tmp_path.glob("*isolates*"))


def test_a_missing_folder_is_told(isolates: pl.DataFrame, tmp_path: Path) -> None:
    """The message names the folder to make."""
    with pytest.raises(UnavailableFileError, match="folder does not exist"):
        write_file(isolates, tmp_path / "nowhere" / "isolates.csv")


def test_a_folder_is_no_destination(isolates: pl.DataFrame, tmp_path: Path) -> None:
    """A folder of that name is told and not replaced."""
    (tmp_path / "isolates.csv").mkdir()
    with pytest.raises(UnavailableFileError, match="is a folder"):
        write_file(isolates, tmp_path / "isolates.csv")


def test_standard_output_gets_comma_separated_text(
    isolates: pl.DataFrame, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A dash is CSV, so commands can be joined."""
    write_file(isolates, "-")
    assert isolates.write_csv().encode() == capfdbinary.readouterr().out
