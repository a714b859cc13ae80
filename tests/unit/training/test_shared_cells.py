"""Counts of hospitals in the place of their files."""

from pathlib import Path

import polars as pl
import pytest

from sirena.domain.errors import UsageError
from sirena.training.counts import CountedEvidence, HospitalCounts, pool_hospitals
from sirena.training.evidence import LabelSource
from sirena.training.fitting import TrainedModel, train_models
from sirena.training.hospitals import compare_hospitals
from sirena.training.shared_cells import read_cells, write_cells
from sirena.whonet.errors import UnavailableFileError, UnreadableFileError
from sirena.whonet.privacy import without_patients
from tests.laboratories import whonet_file

HEADER = "PATIENT_ID,LAST_NAME,ORGANISM,SPEC_TYPE,AMK_NM,Eti_AMK_NM,GEN_NM\n"
NORTH = "".join(
    f"p{row},Pérez{row},{organism},bl,{mic},{label},4\n"
    for row, (organism, mic, label) in enumerate(
        [("eco", "<=2", "S"), ("eco", "16", "I"), ("kpn", "64", "R"), ("eco", ">=64", "R")] * 30
    )
)
SOUTH = "".join(
    f"q{row},Gómez{row},{organism},bl,{mic},{label},4\n"
    for row, (organism, mic, label) in enumerate([("eco", "4", "S"), ("eco", "16", "R"), ("pae", "32", "R")] * 20)
)


def counts_of(folder: Path, rows: str) -> HospitalCounts:
    """Return the counts of a hospital with these rows."""
    return HospitalCounts.of_file(without_patients(whonet_file(folder, HEADER + rows)), seed=0)


def learnt(*hospitals: HospitalCounts) -> TrainedModel:
    """Train amikacin on hospitals together."""
    (model,) = train_models(CountedEvidence(pool_hospitals(hospitals), 0, LabelSource.FILE), drugs=["AMK"])
    assert isinstance(model, TrainedModel)
    return model


def test_cells_of_two_hospitals_teach_bit_for_bit_what_their_files_teach(tmp_path: Path) -> None:
    """In whatever order they come: weights, answers and report."""
    north, south = counts_of(tmp_path, NORTH), counts_of(tmp_path, SOUTH)
    paths = [tmp_path / "north.cells.parquet", tmp_path / "south.cells.parquet"]
    for counts, path in zip((north, south), paths, strict=True):
        write_cells(counts, path)
    of_files, of_cells = learnt(north, south), learnt(*(read_cells(path) for path in reversed(paths)))
    assert of_files.report == of_cells.report
    assert (of_files.table.cells == of_cells.table.cells).all()
    for ours, theirs in zip(of_files.network.get_weights(), of_cells.network.get_weights(), strict=True):
        assert (ours == theirs).all()


def test_a_file_of_cells_holds_every_mic_column_and_nobody(tmp_path: Path) -> None:
    """Also columns without labels, which the edition alone can teach; no patient, no row."""
    path = tmp_path / "north.cells.parquet"
    lines = write_cells(counts_of(tmp_path, NORTH), path)
    assert [test.name for test in read_cells(path).tests] == ["AMK_NM", "GEN_NM"]
    assert lines["results"].sum() == 120
    content = path.read_bytes()
    assert b"rez" not in content
    assert b"PATIENT" not in content


def test_small_cells_are_marked_whatever_their_parts(tmp_path: Path) -> None:
    """Fewer than five results of one label at one MIC, all parts together."""
    rows = "p,x,eco,bl,8,S,4\n" * 4 + "p,x,eco,bl,16,S,4\n" * 5
    lines = write_cells(counts_of(tmp_path, rows), tmp_path / "few.cells.parquet")
    assert dict(lines.group_by("mic").agg(pl.col("small").all()).rows()) == {"8": True, "16": False}


@pytest.mark.parametrize(
    ("column", "value"),
    [("organism", "Pérez"), ("mic", "3"), ("label", "X"), ("part", 20), ("results", 0), ("site", ""), ("column", "A")],
)
def test_a_line_that_cannot_be_is_named_without_its_content(tmp_path: Path, column: str, value: object) -> None:
    """By line and column."""
    path = tmp_path / "bad.cells.parquet"
    lines = write_cells(counts_of(tmp_path, NORTH), path)
    facts = {name: text for name, text in pl.read_parquet_metadata(path).items() if name.startswith("sirena")}
    wrong = pl.Series([value], dtype=lines[column].dtype)
    lines.with_columns(pl.concat([lines[column].head(1), wrong, lines[column].tail(-2)]).alias(column)).write_parquet(
        path, metadata=facts
    )
    with pytest.raises(UnreadableFileError, match=f"line 2: {column}") as refusal:
        read_cells(path)
    assert "Pérez" not in str(refusal.value)


def test_another_file_is_no_file_of_cells(tmp_path: Path) -> None:
    """Other Parquet, noise, nothing, and another name to write to."""
    path = tmp_path / "x.cells.parquet"
    with pytest.raises(UnavailableFileError):
        read_cells(path)
    path.write_bytes(b"noise")
    with pytest.raises(UnreadableFileError, match="no file of cells"):
        read_cells(path)
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(UnreadableFileError, match="no file of cells"):
        read_cells(path)
    with pytest.raises(UsageError, match="ends in"):
        write_cells(counts_of(tmp_path, NORTH), tmp_path / "x.parquet")


def test_hospitals_that_label_a_cell_differently_are_told(tmp_path: Path) -> None:
    """*E. coli* at 16 mg/L is I in the north and R in the south; nothing else differs."""
    cells = compare_hospitals({"north": counts_of(tmp_path, NORTH), "south": counts_of(tmp_path, SOUTH)})
    assert cells.rows(named=True) == [
        {
            "column": "AMK_NM",
            "organism": "eco",
            "site": "blood",
            "mic": "16",
            "results": 50,
            "distance": 1,
            "north": "I 30",
            "south": "R 20",
        }
    ]
