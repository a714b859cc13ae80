"""A file for WHONET, without anybody's identity."""

from sirena.stewardship.exports_whonet import WhonetExport, export_whonet
from tests.unit.stewardship.facts import read
from tests.unit.stewardship.hospitals import TODAY

ROW = {
    "NHC": "778899",
    "SPEC_NUM": "55123",
    "DATE_BIRTH": "1950-02-03",
    "SPEC_DATE": "5/1/2024",
    "SPEC_TYPE": "bl",
    "ORGANISM": "E. coli BLEE (+)",
    "CIP_NM": "<=0.25",
}


def export(*rows: dict[str, str]) -> WhonetExport:
    """Export some rows."""
    return export_whonet(read([ROW | row for row in rows]), TODAY)


def test_patients_are_numbered_anew_and_nothing_leads_to_them() -> None:
    """Two rows of one patient stay two of one; number, specimen number and birth date stay out."""
    frame = export({}, {}, {"NHC": "112233"}, {"NHC": ""}).frame
    first, second, third, fourth = frame["PATIENT_ID"].to_list()
    assert first == second != third
    assert fourth is None
    text = frame.write_csv()
    assert not any(secret in text for secret in ("778899", "112233", "55123", "1950"))


def test_codes_dates_and_mechanisms_are_whonets() -> None:
    """The name becomes a code, the mechanism behind it a column; the MIC stands as it was found."""
    row = export({}, {"SPEC_DATE": "25/1/2024"}).frame.row(0, named=True)
    assert row["ORGANISM"] == "eco"
    assert row["ESBL"] == "+"
    assert row["SPEC_DATE"] == "2024-01-05"
    assert row["CIP_NM"] == "<=0.25"
    assert row["AGE_GRP"] == "65-74"


def test_what_names_no_organism_is_refused_by_row() -> None:
    """And every column of the file has its meaning."""
    result = export({}, {"ORGANISM": "xxx"})
    assert result.refused_rows == ((1, "no organism, an unknown one, or no growth"),)
    assert result.frame.height == 1
    assert list(result.meanings) == result.frame.columns
