"""Lines for EARS-Net."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from sirena.cli import build_app
from sirena.domain.errors import UsageError
from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.panel.frame import Isolates
from sirena.stewardship.exports_ears_net import COLUMNS, EarsNetExport, Sender, export_ears_net, read_by_eucast
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.stewardship.isolates import read_isolates
from tests.unit.stewardship.facts import read
from tests.unit.stewardship.hospitals import TODAY

ROW = {"PATIENT_ID": "NHC77", "SPEC_DATE": "2024-03-01", "SPEC_TYPE": "bl", "ORGANISM": "eco", "CIP_EM": "<=0.06"}
TABLES = {
    table.column: table for table in compile_tables(load_edition("EUCAST 2025"), ["CIP", "AMK", "OXA", "VAN"]).values()
}


def export(rows: list[dict[str, str]], screening: dict[str, list[str]] | None = None) -> EarsNetExport:
    """Export some rows of 2024."""
    file = read(rows)
    facts = IsolateFacts.of(read_by_eucast(Isolates.of_file(file)), lambda column: TABLES.get(column.model_column))
    sender = Sender("ES", "ES001", "ES-SOURCE")
    return export_ears_net(file, read_isolates(file, TODAY), facts, sender, 2024, TODAY, screening=screening)


def line(**changes: str) -> dict[str, str | None]:
    """Return the one line of an isolate that differs from `ROW`."""
    return export([ROW | changes]).frame.row(0, named=True)


def lines(export: EarsNetExport, *columns: str) -> list[tuple[str | None, ...]]:
    """Return some columns of the file."""
    return export.frame.select(columns).rows()


def test_a_line_holds_what_the_network_takes() -> None:
    """In the platform's columns, each with its meaning, and nobody's number."""
    changes = {"SEX": "f", "AGE": "67", "WARD_TYPE": "icu", "DATE_ADMIS": "2024-02-27", "ESBL": "+"}
    result = export([ROW | changes])
    assert result.frame.columns == list(COLUMNS)
    expected = {
        "RecordId": "1-CIP",
        "RecordType": "AMRTEST",
        "DataSource": "ES-SOURCE",
        "ReportingCountry": "ES",
        "LaboratoryCode": "ES001",
        "DateUsedForStatistics": "2024-03-01",
        "Specimen": "BLOOD",
        "PatientCounter": "1",
        "Gender": "F",
        "Age": "67",
        "PatientType": "INPAT",
        "HospitalUnitType": "ICU",
        "DateOfHospitalisation": "2024-02-27",
        "Pathogen": "ESCCOL",
        "Antibiotic": "CIP",
        "SIR": "S",
        "ResultMICSign": "<=",
        "ResultMICValue": "0.06",
        "ResultMICSIR": "S",
        "ESBL": "POS",
        "ResultCarbapenemases": "UNK",
        "ReferenceGuidelinesSIR": "EUCAST",
    }
    row = result.frame.row(0, named=True)
    assert {name: row[name] for name in expected} == expected
    assert "NHC77" not in result.frame.write_csv()


def test_only_the_eight_pathogens_from_blood_and_cerebrospinal_fluid_are_exported() -> None:
    """Others are refused by row and reason."""
    rows = [ROW, ROW | {"SPEC_TYPE": "ur"}, ROW | {"ORGANISM": "pma"}, ROW | {"SPEC_TYPE": "sf", "ORGANISM": "kpn"}]
    result = export(rows)
    assert lines(result, "Specimen", "Pathogen") == [("BLOOD", "ESCCOL"), ("CSF", "KLEPNE")]
    assert result.refused_rows == (
        (1, "neither from blood nor from cerebrospinal fluid"),
        (2, "no pathogen of the protocol"),
    )


def test_the_first_of_patient_and_pathogen_in_the_year_counts() -> None:
    """By date, whatever the specimen; of one day cerebrospinal fluid; an unknown patient is one of its own."""
    rows = [
        ROW | {"SPEC_DATE": "2024-06-01"},
        ROW | {"CIP_EM": "1"},
        ROW | {"SPEC_TYPE": "sf"},
        ROW | {"PATIENT_ID": ""},
        ROW | {"PATIENT_ID": ""},
        ROW | {"SPEC_DATE": "2023-06-01"},
        ROW | {"PATIENT_ID": "B", "ORGANISM": "kpn"},
        ROW | {"ORGANISM": "kpn"},
    ]
    result = export(rows)
    assert [specimen for (specimen,) in lines(result, "Specimen")] == ["CSF", "BLOOD", "BLOOD", "BLOOD", "BLOOD"]
    counters = [str(counter) for (counter,) in lines(result, "PatientCounter")]
    assert counters[0] == counters[4]
    assert {counters[0], counters[3]} == {"1", "2"}
    assert counters[1:3] == ["3", "4"]
    assert [row for row, _ in result.refused_rows] == [0, 1, 5]


def test_an_mic_of_another_guidelines_column_is_read_by_eucast() -> None:
    """Ciprofloxacin at 0.5 mg/L is I by EUCAST, whose breakpoints the network asks for."""
    row = ROW | {"CIP_NM": "0.5", "CIP_EM": ""}
    assert lines(export([row]), "SIR", "ResultMICSign", "ResultMICValue") == [("I", "=", "0.5")]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [({"MRSA": "+"}, ["R"]), ({"MECA_PCR": "-"}, ["S"]), ({}, []), ({"MRSA": "+", "ORGANISM": "spn"}, [])],
)
def test_oxacillin_of_s_aureus_is_what_the_laboratory_says_of_mrsa(changes: dict[str, str], shown: list[str]) -> None:
    """EUCAST gives a note for it; without the laboratory's word it is refused, as in other organisms."""
    row = {**ROW, "ORGANISM": "sau", "CIP_EM": "", "OXA_EM": "8", **changes}
    assert [category for (category,) in lines(export([row]), "SIR")] == shown


def test_a_gradient_strip_has_columns_of_its_own() -> None:
    """One line an antimicrobial; the value stands as found, and the dilution's category goes first."""
    names = ("SIR", "ResultMICValue", "ResultGradSign", "ResultGradValue", "ResultGradSIR")
    both = export([ROW | {"CIP_EE": ">32"}])
    assert lines(both, *names) == [("S", "0.06", ">", "32", "R")]
    alone = export([ROW | {"CIP_EM": "", "CIP_EE": "0,38"}])
    assert lines(alone, *names) == [("I", None, "=", "0.38", "I")]


def test_a_test_without_a_category_is_refused() -> None:
    """So is the R of a breakpoint in brackets, which has no S, and an isolate without any MIC."""
    result = export([ROW | {"AMK_EM": "64"}, ROW | {"PATIENT_ID": "B", "CIP_EM": ""}])
    assert lines(result, "Antibiotic") == [("CIP",)]
    assert result.refused_rows == ((0, "AMK: no category S, I or R"), (1, "no MIC"))
    assert result.isolates == 1


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"AGE": "6m"}, ("0", "UNK", "UNK")),
        ({"AGE": "", "DATE_BIRTH": "1950-03-02"}, ("73", "UNK", "UNK")),
        ({"WARD_TYPE": "out"}, ("UNK", "OUTPAT", "UNK")),
        ({"DATE_ADMIS": "2024-03-01"}, ("UNK", "INPAT", "UNK")),
    ],
)
def test_age_and_place_are_those_of_the_day(changes: dict[str, str], shown: tuple[str, ...]) -> None:
    """Completed years; a ward type that the platform has no word for is unknown."""
    row = line(**changes)
    assert (row["Age"], row["PatientType"], row["HospitalUnitType"]) == shown


def run(tmp_path: Path, *options: str) -> str:
    """Run the command over one isolate and return what it tells."""
    source = tmp_path / "isolates.csv"
    source.write_text(",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n", encoding="utf-8")
    arguments = ["export", str(source), "--to", "ears-net", "--year", "2024", "-o", str(tmp_path / "lines.csv")]
    result = CliRunner().invoke(build_app(), [*arguments, *options])
    if result.exception:
        raise result.exception
    return result.stderr


def test_the_command_writes_lines_and_dictionary(tmp_path: Path) -> None:
    """And says that rows are persons'."""
    meanings = tmp_path / "dictionary.csv"
    told = run(tmp_path, "--country", "es", "--laboratory", "ES001", "--dictionary", str(meanings))
    assert "1 rows for EARS-Net, ES 2024" in told
    assert "may identify" in told
    assert pl.read_csv(meanings)["column"].to_list() == pl.read_csv(tmp_path / "lines.csv").columns


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--country", "ESP", "--laboratory", "ES001"], "two letters"),
        (["--country", "ES"], "--laboratory is missing"),
        (["--country", "ES", "--laboratory", "ES001", "--guideline", "CLSI 2025"], "no edition of EUCAST"),
    ],
)
def test_what_the_network_does_not_take_is_refused(tmp_path: Path, options: list[str], reason: str) -> None:
    """Before any work is done."""
    with pytest.raises(UsageError, match=reason):
        run(tmp_path, *options)
