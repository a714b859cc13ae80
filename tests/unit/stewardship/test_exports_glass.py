"""Counts for WHO's GLASS."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from sirena.cli import build_app
from sirena.domain.errors import UsageError
from sirena.stewardship.exports_glass import COLUMNS, GlassExport, export_glass
from sirena.stewardship.isolates import read_isolates
from tests.unit.stewardship.facts import answered, read
from tests.unit.stewardship.hospitals import TODAY

COUNTS = ("RESISTANT", "INTERMEDIATE", "SUSCEPTIBLE", "UNKNOWN_NO_BREAKPOINTS", "UNKNOWN_NO_AST")
ROW = {"PATIENT_ID": "P1", "SPEC_DATE": "2024-03-01", "SPEC_TYPE": "bl", "ORGANISM": "eco", "CIP_NM": "<=0.25"}


def counted(export: GlassExport) -> dict[tuple[str, str, str], tuple[int, ...]]:
    """Return the counts by specimen, pathogen and antimicrobial, over gender, origin and age."""
    sums = export.frame.group_by("SPECIMEN", "PATHOGEN", "ANTIBIOTIC").agg(pl.col(COUNTS).sum())
    return {(row[0], row[1], row[2]): tuple(row[3:]) for row in sums.rows()}


def export(rows: list[dict[str, str]], screening: dict[str, list[str]] | None = None) -> GlassExport:
    """Export some rows of 2024."""
    return export_glass(read_isolates(read(rows), TODAY), answered(rows), "TST", 2024, screening=screening)


def one(**changes: str) -> GlassExport:
    """Export one isolate that differs from `ROW`."""
    return export([ROW | changes])


def test_the_worked_example_gives_the_expected_counts(shared_data: Path) -> None:
    """R, I, S and the censored MIC without a category; the isolate of blood counts beside an earlier one of a wound."""
    rows = pl.read_csv(shared_data / "antibiogram" / "m39_small.csv", infer_schema=False).to_dicts()
    result = export(rows, {"SPEC_REAS": ["sur"]})
    counts = counted(result)
    assert counts["BLOOD", "ESCCOL", "CIP"] == (1, 0, 1, 0, 0)
    assert counts["URINE", "ESCCOL", "CIP"] == (1, 1, 3, 1, 0)
    assert counts["BLOOD", "STAAUR", "OXA"] == (2, 0, 0, 0, 0)
    reasons = {int(row) + 1: reason for row, reason in result.refused_rows}
    assert reasons == {
        3: "not the first of patient, specimen and pathogen in the year",
        4: "another year",
        7: "taken to screen",
        11: "no specimen of the protocol for this pathogen",
        14: "no pathogen of the protocol",
        16: "no specimen date that can be",
        17: "no organism, an unknown one, or no growth",
        19: "another year",
    }


def test_the_columns_are_those_of_the_platform() -> None:
    """In its order, and each has its meaning."""
    assert one().frame.columns == list(COLUMNS)
    assert one().frame.row(0, named=True)["BATCHID"] == "DS1"


def test_a_row_without_a_patient_is_a_patient_of_its_own() -> None:
    """Two of them are two; two of one patient are one, the earlier."""
    anonymous = export([ROW | {"PATIENT_ID": ""}, ROW | {"PATIENT_ID": ""}])
    assert counted(anonymous)["BLOOD", "ESCCOL", "CIP"] == (0, 0, 2, 0, 0)
    known = export([ROW | {"SPEC_DATE": "2024-05-01", "CIP_NM": ">2"}, ROW])
    assert counted(known)["BLOOD", "ESCCOL", "CIP"] == (0, 0, 1, 0, 0)


@pytest.mark.parametrize(("admitted", "origin"), [("2024-02-27", "HO"), ("2024-02-28", "CO"), ("", "UNK")])
def test_hospital_origin_is_more_than_two_calendar_days_after_admission(admitted: str, origin: str) -> None:
    """2024 has a 29 February: the 28th is two days before 1 March, the 27th three."""
    assert one(DATE_ADMIS=admitted).frame["ORIGIN"].to_list() == [origin]


@pytest.mark.parametrize(
    ("age", "group"),
    [("0", "<1"), ("6m", "<1"), ("4", "01<04"), ("5", "05<14"), ("84", "75<84"), ("85", "85<"), ("", "UNK")],
)
def test_ages_are_grouped_as_the_platform_does(age: str, group: str) -> None:
    """And an age that cannot be read is unknown."""
    assert one(AGE=age).frame["AGEGROUP"].to_list() == [group]


def test_an_isolate_that_was_not_tested_counts_as_such() -> None:
    """Beside the NI of a tested drug, which is another column."""
    exported = export([ROW | {"CIP_NM": ""}, ROW | {"PATIENT_ID": "P2", "CIP_NM": "<=1"}])
    assert counted(exported)["BLOOD", "ESCCOL", "CIP"] == (0, 0, 0, 1, 1)


def test_a_breakpoint_that_tells_r_alone_counts_as_no_breakpoint() -> None:
    """Amikacin in Acinetobacter is in brackets by EUCAST: R alone would be all that is counted."""
    rows = [ROW | {"ORGANISM": "aba", "CIP_NM": "", "AMK_EM": mic, "PATIENT_ID": mic} for mic in ("1", "64")]
    exported = export_glass(read_isolates(read(rows), TODAY), answered(rows, "EUCAST 2025"), "TST", 2024)
    assert counted(exported)["BLOOD", "ACISPP", "AMK"] == (0, 0, 0, 2, 0)


def test_typhi_is_a_pathogen_of_its_own() -> None:
    """And no other Salmonella counts with it."""
    exported = export([ROW | {"ORGANISM": "sat"}, ROW | {"ORGANISM": "sal", "PATIENT_ID": "P2"}])
    assert {key[1] for key in counted(exported)} == {"SALTYP", "SALSPP"}


def run(tmp_path: Path, *options: str) -> str:
    """Run the command over one isolate and return what it tells."""
    source = tmp_path / "isolates.csv"
    source.write_text(",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n" + "P1,,bl,eco,1\n", encoding="utf-8")
    arguments = ["export", str(source), "--to", "glass", "--year", "2024", "-o", str(tmp_path / "ris.csv"), *options]
    result = CliRunner().invoke(build_app(), arguments)
    if result.exception:
        raise result.exception
    return result.stderr


def test_the_command_writes_counts_refusals_and_dictionary(tmp_path: Path) -> None:
    """And warns of rows so fine that they may identify somebody."""
    extra = [str(tmp_path / name) for name in ("refused.csv", "dictionary.csv")]
    told = run(tmp_path, "--country", "tst", "--refused", extra[0], "--dictionary", extra[1])
    assert "1 rows for GLASS, TST 2024" in told
    assert "not exported: 1 isolates, no specimen date that can be" in told
    assert "may identify" in told
    assert pl.read_csv(extra[0], infer_schema=False).rows() == [("3", "no specimen date that can be")]
    assert pl.read_csv(extra[1])["column"].to_list() == list(COLUMNS)
    assert "P1" not in (tmp_path / "ris.csv").read_text(encoding="utf-8")


def test_the_command_writes_rows_for_whonet(tmp_path: Path) -> None:
    """With its dictionary; the options of GLASS are refused beside it."""
    source, target, meanings = (tmp_path / name for name in ("isolates.csv", "whonet.csv", "dictionary.csv"))
    source.write_text(",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n", encoding="utf-8")
    arguments = ["export", str(source), "--to", "whonet", "-o", str(target), "--dictionary", str(meanings)]
    result = CliRunner().invoke(build_app(), arguments)
    assert "1 rows for WHONET" in result.stderr
    assert pl.read_csv(meanings)["column"].to_list() == pl.read_csv(target).columns
    refused = CliRunner().invoke(build_app(), [*arguments, "--year", "2024"])
    assert isinstance(refused.exception, UsageError)


def test_a_country_that_is_no_code_is_refused(tmp_path: Path) -> None:
    """Before any work is done."""
    with pytest.raises(UsageError, match="three letters"):
        run(tmp_path, "--country", "Argentina")
