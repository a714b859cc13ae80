"""The door of training: no patient passes, whatever the column is called."""

import sqlite3
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.whonet.privacy import (
    columns_of_patients,
    drop_patient_columns,
    kept_columns,
    patient_columns,
    without_patients,
)
from sirena.whonet.reading import read_file
from sirena.whonet.synthetic import generate_hospital


def test_only_the_allow_list_passes() -> None:
    """Organism, tests, categories, and what many patients share; of the date the year."""
    kept = drop_patient_columns(generate_hospital(200, 1))
    others = [name for name in kept.columns if not name.endswith("_NM")]
    assert others == [
        "COUNTRY_A",
        "AGE_GRP",
        "WARD_TYPE",
        "SPEC_TYPE",
        "ORGANISM",
        "ORG_TYPE",
        "LOCAL_ORG",
        "DATA_YEAR",
    ]
    assert sum(name.endswith("_NM") for name in kept.columns) == 41
    assert set(kept["DATA_YEAR"]) <= {str(year) for year in range(2019, 2026)}


@pytest.mark.parametrize(
    "header",
    [
        "PATIENT_ID", "Identification number", "Número de identificación", "LAST_NAME", "Apellidos", "FIRST_NAME",
        "Nombre", "DATE_BIRTH", "Fecha de nacimiento", "AGE", "Edad", "SPEC_NUM", "SPEC_DATE", "COMMENT",
        "Comentario", "CONT_EMAIL", "E-mail", "SENDER", "ADDRESS", "Dirección", "LATITUDE", "Longitud", "WARD", "Sala",
        "X_DNI", "RUT", "Curp", "Hospital record", "X_NOTE", "COLUMN_7", "Eti_", "Eti_NAME", "AMK", "ROW_IDX",
    ],
)  # fmt: skip
def test_whatever_identifies_is_dropped(header: str) -> None:
    """Known in any language, or not known at all."""
    frame = pl.DataFrame({header: ["Garzonedo 4711"], "ORGANISM": ["eco"], "AMK_NM": ["4"], "Eti_AMK_NM": ["S"]})
    kept = drop_patient_columns(frame)
    assert kept.drop("DATA_YEAR", strict=False).columns == ["ORGANISM", "AMK_NM", "Eti_AMK_NM"]
    assert "Garzonedo" not in str(kept.rows())


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("2024-05-01", "2024"),
        ("1/5/2024 12:00:00 AM", "2024"),
        ("01.05.2024", "2024"),
        ("2024", "2024"),
        ("5/1/24", None),
        ("12024", None),
        (None, None),
    ],
)
def test_only_the_year_of_a_date_passes(date: str | None, year: str | None) -> None:
    """However it is written; a year that is not plain is none."""
    frame = pl.DataFrame({"ORGANISM": ["eco"], "SPEC_DATE": pl.Series([date], dtype=pl.String)})
    assert drop_patient_columns(frame)["DATA_YEAR"].to_list() == [year]


@given(st.lists(st.text(min_size=1, max_size=20), unique_by=lambda name: name.strip().casefold(), max_size=8))
def test_unknown_columns_never_pass(names: list[str]) -> None:
    """Whatever a laboratory calls its own fields."""
    headers = [f"ZZ {name}" for name in names]
    assert kept_columns([*headers, "ORGANISM"]) == ["ORGANISM"]


def test_fields_of_whonets_own_tables_are_known(shared_data: Path, tmp_path: Path) -> None:
    """Of a One Health table, senders, owners, places and notes are named as identifying."""
    path = tmp_path / "onehealth"
    schema = (shared_data / "whonet_files" / "schema_whonet_onehealth_sqlite.sql").read_text(encoding="utf-8")
    connection = sqlite3.connect(path)
    connection.executescript(schema.replace("CREATE TABLE sqlite_sequence(name,seq);", ""))
    connection.execute("INSERT INTO Isolates (ORGANISM) VALUES ('eco')")
    connection.commit()
    connection.close()
    headers = read_file(path).frame.columns
    assert {"SENDER", "OWNER", "CONT_EMAIL", "LATITUDE", "LONGITUDE", "COMMENT", "CITY"} <= set(
        patient_columns(headers)
    )
    passing = {name for name in kept_columns(headers) if "_N" not in name}
    assert passing <= {
        "DATA_YEAR", "COUNTRY_A", "WARD_TYPE", "SPEC_TYPE", "SPEC_CODE", "ORGANISM", "SEROTYPE", "BETA_LACT", "ESBL",
        "CARBAPENEM", "INDUC_CLI", "MRSA", "ORG_TYPE",
    }  # fmt: skip


def test_training_sees_the_same_results_without_patients(tmp_path: Path) -> None:
    """The file at the door of training keeps rows, organism, tests and labels, and nothing of a patient."""
    path = tmp_path / "hospital.csv"
    path.write_text(
        "PATIENT_ID,LAST_NAME,LOCAL_ORG,AMK_NM,Eti_AMK_NM,COMMENT\n17,Perez,Escherichia coli,<=2,S,told by Perez\n",
        encoding="utf-8",
    )
    file = without_patients(read_file(path))
    assert file.frame.columns == ["LOCAL_ORG", "AMK_NM", "Eti_AMK_NM"]
    assert file.frame.rows() == [("Escherichia coli", "<=2", "S")]
    assert (file.organism_column, list(file.mic_columns)) == ("LOCAL_ORG", ["AMK_NM"])


@pytest.mark.parametrize(
    "header",
    ["NHC", "Nº Historia", "HC", "DNI", "NASS", "RUT", "CURP", "cédula", "Cédula de identidad", "Expediente", "MRN"],
)
def test_columns_of_patients_have_many_names(header: str) -> None:
    """Of Spain and America."""
    assert patient_columns([header, "ORGANISM"]) == [header]


@pytest.mark.parametrize(
    "numbers",
    [
        ("12345678Z", "00000001R", "X1234567L"),
        ("12.345.678-5", "11111111-1", "7.654.321-6"),
        ("PERJ800101HDFRRN09", "GOMA750315MJCMRN02", "LOPL900520HNLPPS01"),
        ("28/12345678/40", "08/87654321/11", "41-00000001-22"),
    ],
)
def test_a_pattern_of_values_tells_patients_numbers(numbers: tuple[str, ...], tmp_path: Path) -> None:
    """Under any name; the check letter keeps codes of samples apart."""
    rows = "".join(f"{number};eco;4\n" for number in numbers)
    (tmp_path / "a.csv").write_text("Clave;ORGANISM;AMK_NM\n" + rows, encoding="utf-8")
    assert columns_of_patients(read_file(tmp_path / "a.csv")) == ["Clave"]
    (tmp_path / "b.csv").write_text("Clave;ORGANISM;AMK_NM\n24-0001;eco;4\n24-0002;eco;4\n24-0003;kpn;4\n")
    assert columns_of_patients(read_file(tmp_path / "b.csv")) == []
