"""A long file is read part by part and holds its tests as numbers; what is counted of it is the same."""

from pathlib import Path

import polars as pl
import pytest

from sirena.panel.basis import Language
from sirena.stewardship.antibiogram import Request
from sirena.stewardship.counting import read_to_count
from sirena.stewardship.exports import as_csv
from sirena.stewardship.quality import data_quality
from sirena.stewardship.strata import Stratum
from sirena.whonet.mapping import load_mapping
from sirena.whonet.reading import read_file
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.unit.stewardship.hospitals import counted_file


@pytest.fixture(scope="module")
def isolates() -> pl.DataFrame:
    """Return a hospital of 800 isolates, with categories of the laboratory's."""
    return generate_hospital(800, 8)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_a_file_read_in_parts_counts_as_the_whole(tmp_path: Path, isolates: pl.DataFrame, suffix: str) -> None:
    """Tables, cautions, losses and the quality of the data are the same."""
    path = tmp_path / f"hospital{suffix}"
    write_file(isolates, path)
    parted = read_to_count(path, folder=tmp_path, shortest=0, part=500 if suffix == ".parquet" else 60_000)
    whole = read_file(path)
    assert any(isinstance(kind, pl.Enum) for kind in parted.frame.dtypes)
    request = Request(by=(Stratum.WARD, Stratum.QUARTER))
    one, other = counted_file(parted, request), counted_file(whole, request)
    assert as_csv(one.antibiogram, Language.ENGLISH) == as_csv(other.antibiogram, Language.ENGLISH)
    assert one.antibiogram.losses == other.antibiogram.losses
    assert one.antibiogram.cautions == other.antibiogram.cautions
    assert one.antibiogram.moved_by_rules == other.antibiogram.moved_by_rules
    assert data_quality(parted, one.isolates, one.facts) == data_quality(whole, other.isolates, other.facts)


def test_the_laboratorys_mapping_holds_in_parts_too(tmp_path: Path, isolates: pl.DataFrame) -> None:
    """A ward under another header, named by the mapping, parts the antibiogram."""
    path, mapping = tmp_path / "hospital.csv", tmp_path / "mapping.toml"
    write_file(isolates.rename({"WARD": "Cama"}), path)
    mapping.write_text('[columns."Cama"]\nfield = "WARD"\n')
    word = load_mapping(mapping)
    parted = read_to_count(path, folder=tmp_path, mapping=word, shortest=0, part=60_000)
    request = Request(by=(Stratum.WARD,))
    tables = [
        as_csv(counted_file(file, request).antibiogram, Language.ENGLISH)
        for file in (parted, read_file(path, mapping=word))
    ]
    assert tables[0] == tables[1]
    assert "ward" in tables[0]


def test_nothing_of_who_a_patient_is_by_name_is_held(tmp_path: Path, isolates: pl.DataFrame) -> None:
    """Columns that counting does not look at stay in the file."""
    path = tmp_path / "hospital.csv"
    write_file(isolates.with_columns(LAST_NAME=pl.lit("Perez"), COMMENT=pl.lit("x")), path)
    parted = read_to_count(path, folder=tmp_path, shortest=0)
    assert not {"LAST_NAME", "COMMENT"} & set(parted.frame.columns)
    assert {file.name for file in tmp_path.iterdir()} == {"hospital.csv"}
