"""Alerts: what is looked for, what is found, and what could not be told."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from sirena.cli import build_app
from sirena.domain.errors import UsageError
from sirena.domain.language import Language
from sirena.stewardship.alert_tables import alert_records
from sirena.stewardship.alerts import find_alerts
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.whonet.synthetic_stays import generate_counted_hospital
from tests.unit.stewardship.facts import answered


def raised(facts: IsolateFacts) -> dict[int, set[str]]:
    """Return by row the alerts that stand beside it."""
    findings = find_alerts(facts)
    return {
        row: {finding.alert.code for finding in findings if finding.rows[row]} - {"MDR-UNKNOWN"}
        for row in range(facts.rows)
    }


@pytest.mark.parametrize(
    ("row", "alert", "priority"),
    [
        ({"ORGANISM": "sau", "OXA_NM": ">4"}, "MRSA", "high"),
        ({"ORGANISM": "sau", "MRSA": "+"}, "MRSA", "high"),
        ({"ORGANISM": "efm", "VAN_NM": ">16"}, "VRE", "high"),
        ({"ORGANISM": "efa", "VAN_NM": ">16"}, "VRE", ""),
        ({"ORGANISM": "kpn", "MEM_NM": ">8"}, "CRE", "critical"),
        ({"ORGANISM": "aba", "MEM_NM": ">8"}, "CRAB", "critical"),
        ({"ORGANISM": "pae", "MEM_NM": ">8"}, "CRPA", "high"),
        ({"ORGANISM": "eco", "CRO_NM": ">32"}, "3GC", "critical"),
        ({"ORGANISM": "sal", "CIP_NM": ">2"}, "FQ-SAL", "high"),
        ({"ORGANISM": "shi", "CIP_NM": ">2"}, "FQ-SHI", "high"),
        ({"ORGANISM": "spn", "ERY_NM": ">2"}, "MAC-SPN", "medium"),
        ({"ORGANISM": "spy", "ERY_NM": ">2"}, "MAC-GAS", "medium"),
        ({"ORGANISM": "hin", "BETA_LACT": "+"}, "AMP-HIN", "medium"),
        ({"ORGANISM": "sau", "VAN_NM": "8"}, "CHECK-VAN-SAU", ""),
        ({"ORGANISM": "sau", "MRSA": "-", "OXA_NM": ">4"}, "CHECK-MRSA", ""),
        ({"ORGANISM": "eco", "MEM_NM": ">8", "CRO_NM": "<=1", "ETP_NM": "<=0.5"}, "CHECK-MEM", ""),
    ],
)
def test_each_resistance_raises_its_alert_with_the_priority_of_who(
    row: dict[str, str], alert: str, priority: str
) -> None:
    """The list of 2024, and what the laboratory should check."""
    facts = answered([row])
    assert alert in raised(facts)[0]
    assert {
        finding.alert.priority for finding in find_alerts(facts) if finding.alert.code == alert and finding.count
    } == {priority}


def test_resistance_by_nature_raises_no_alert() -> None:
    """Stenotrophomonas and meropenem, Enterococcus gallinarum and vancomycin, Klebsiella and ampicillin."""
    rows = [
        {"ORGANISM": "pma", "MEM_NM": ">8"},
        {"ORGANISM": "ega", "VAN_NM": "16"},
        {"ORGANISM": "kpn", "AMP_NM": ">32"},
    ]
    assert raised(answered(rows)) == {0: set(), 1: set(), 2: set()}


def test_the_worked_cases_raise_their_alerts(shared_data: Path) -> None:
    """Row by row: MRSA, nothing, ESBL, nothing, CRE, VRE, BLNAR, a contradiction."""
    rows = pl.read_csv(shared_data / "antibiogram" / "expert.csv", infer_schema=False).to_dicts()
    assert raised(answered(rows)) == {
        0: {"MRSA", "MDR"},
        1: set(),
        2: {"3GC", "MDR"},
        3: set(),
        4: {"CRE", "3GC", "MDR"},
        5: {"VRE"},
        6: {"AMP-HIN"},
        7: {"CRE", "CHECK-MEM"},
    }


def test_an_alert_says_how_many_isolates_were_tested_for_it() -> None:
    """None found is not none looked for."""
    facts = answered([{"ORGANISM": "kpn", "MEM_NM": "<=1"}, {"ORGANISM": "kpn", "CIP_NM": "1"}])
    carbapenems = next(
        record
        for record in alert_records([finding.alert_count for finding in find_alerts(facts)], Language.SPANISH)
        if record["alert"] == "CRE"
    )
    assert (carbapenems["isolates"], carbapenems["tested"], carbapenems["of_organism"]) == (0, 1, 2)
    assert carbapenems["text"] == "Enterobacterales resistente a carbapenémicos (ERC)"


def test_what_was_put_into_an_invented_hospital_is_found() -> None:
    """The outbreak is one of carbapenem-resistant Enterobacterales, and every positive MRSA test an MRSA."""
    hospital = generate_counted_hospital(2000, 1)
    chosen = (
        hospital.frame.select("ORGANISM", "SPEC_TYPE", "MRSA", "MEM_NM")
        .with_row_index("row")
        .with_columns(hospital.truth["OUTBREAK"])
    )
    chosen = chosen.filter((pl.col("OUTBREAK") == "1") | (pl.col("MRSA") == "+"))
    facts = answered(chosen.drop("row", "OUTBREAK").to_dicts())
    alerts = raised(facts)
    for row, (outbreak, mrsa) in enumerate(chosen.select("OUTBREAK", "MRSA").rows()):
        assert ("CRE" in alerts[row]) == (outbreak == "1")
        assert ("MRSA" in alerts[row]) == (mrsa == "+")
    assert chosen.filter(pl.col("OUTBREAK") == "1").height == 12


FILE = "SPEC_NUM;PATIENT_ID;ORGANISM;MEM_NM\n70001;F1;kpn;>8\n70002;F2;kpn;<=1\n70003;F3;eco;\n"


def run(tmp_path: Path, *options: str) -> str:
    """Run the command over a small file and return its standard output."""
    file = tmp_path / "isolates.csv"
    file.write_text(FILE, encoding="utf-8")
    result = CliRunner().invoke(build_app(), ["alerts", str(file), "--guideline", "CLSI 2025", *options])
    if result.exception:
        raise result.exception
    return result.stdout


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_counts_name_no_row_and_no_specimen(tmp_path: Path, form: str) -> None:
    """What is printed may be shown to everybody."""
    printed = run(tmp_path, "--format", form, "--language", "es")
    assert "ERC" in printed
    assert "7000" not in printed
    if form == "json":
        assert {record["alert"]: record["isolates"] for record in json.loads(printed)}["CRE"] == 1


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_isolates_are_listed_in_a_file_that_the_user_names(tmp_path: Path, suffix: str) -> None:
    """By row and specimen number, with the results that raised the alert, and without the patient."""
    target = tmp_path / f"alerts.{suffix}"
    run(tmp_path, "-o", str(target))
    text = target.read_text(encoding="utf-8")
    frame = pl.read_csv(target, infer_schema=False) if suffix == "csv" else pl.read_json(target)
    assert frame.filter(pl.col("alert") == "CRE").select("row", "specimen_number", "because").rows() == [
        ("2", "70001", "MEM_NM=R")
    ]
    assert "F1" not in text


def test_the_list_is_not_printed(tmp_path: Path) -> None:
    """Specimen numbers never reach a terminal."""
    with pytest.raises(UsageError, match="not printed"):
        run(tmp_path, "-o", "-")
