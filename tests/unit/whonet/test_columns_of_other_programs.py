"""Parquet and Arrow files as other programs write them: columns without a name, of one name, of lengths of time."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet
import pytest

from sirena.whonet.errors import DuplicateColumnsError
from sirena.whonet.reading import read_file
from sirena.whonet.streamed import streamed

SUFFIXES = pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
ROWS = {"ORGANISM": ["eco", "kpn"] * 50, "AMK_NM": ["4", "8"] * 50}


def written(table: pa.Table, path: Path) -> Path:
    """Write a table by PyArrow alone."""
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    else:
        with ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=30)
    return path


@SUFFIXES
def test_a_column_without_a_name_hinders_no_long_file(tmp_path: Path, suffix: str) -> None:
    """It is read as a whole, as a short one is."""
    path = written(pa.table({**ROWS, "": ["x"] * 100}), tmp_path / f"hospital{suffix}")
    with streamed(path, tmp_path, shortest=0, part=10) as rows:
        assert rows is None
    assert read_file(path).frame["AMK_NM"].to_list() == ROWS["AMK_NM"]


@SUFFIXES
@pytest.mark.parametrize("name", ["AMK_NM", "REMARK"])
def test_two_columns_of_one_name_are_named(tmp_path: Path, suffix: str, name: str) -> None:
    """The file is not called damaged."""
    table = pa.table([ROWS["ORGANISM"], ROWS["AMK_NM"], ROWS["AMK_NM"]], names=["ORGANISM", name, name])
    with pytest.raises(DuplicateColumnsError, match=f"{name} and {name}"):
        read_file(written(table, tmp_path / f"hospital{suffix}"))


@SUFFIXES
def test_a_length_of_time_is_a_text(tmp_path: Path, suffix: str) -> None:
    """As of a stay, which nobody asks about."""
    table = pa.table({**ROWS, "STAY": [timedelta(days=3)] * 100})
    frame = read_file(written(table, tmp_path / f"hospital{suffix}")).frame
    assert frame["STAY"].unique().to_list() == ["P3D"]
    assert frame.schema["AMK_NM"] == pl.String
