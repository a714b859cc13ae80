"""Diffs and certificates as a committee reads them: the gravest first, at most a page."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sirena.certification.certificate import Subject, certify
from sirena.certification.comparison import Kind
from sirena.cli.certificate_summary import difference_lines, summary
from sirena.cli.release_diff_page import print_file_changes, print_ranges
from sirena.whonet.reading import read_file
from tests.panels import cut_table, small_panel


def test_a_diff_of_releases_is_a_page_and_says_what_it_leaves_out(capfd: pytest.CaptureFixture[str]) -> None:
    """Title, ranges, and the sums of all; JSON holds the same ranges."""
    old, new = small_panel(), small_panel("release-2", shift=-3)
    print_ranges(old, new, every=True, as_json=False)
    page = capfd.readouterr().out
    assert page.startswith("From release-1 to release-2\n")
    first = page.splitlines()[2]
    assert first.split()[:4] == ["S", "->", "R", "AMK_NM"]
    print_ranges(old, new, every=False, as_json=True)
    document = json.loads(capfd.readouterr().out)
    assert f"{sum(change['answers'] for change in document['changes']):,} answers differ" in page
    assert document["changes"][0]["before"] == "S"


def test_changes_of_a_file_name_specimens_only_in_the_users_own_file(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Counts on the terminal; row and specimen number in the file asked for, and its headers if nothing changes."""
    source = tmp_path / "hospital.csv"
    source.write_text("SPEC_NUM,ORGANISM,AMK_NM\nS-77,eco,4\nS-78,eco,1\nS-79,pae,16\n")
    target = tmp_path / "rows.csv"
    print_file_changes(small_panel(), small_panel("b", shift=-1), read_file(source), target, as_json=False)
    told = capfd.readouterr().out
    assert "2 results of 3 isolates get another category" in told
    assert "S-7" not in told
    written = pl.read_csv(target, infer_schema_length=0)
    assert written.select("row", "specimen_number", "before", "after").rows() == [
        ("2", "S-77", "S", "I"),
        ("4", "S-79", "S", "I"),
    ]
    print_file_changes(small_panel(), small_panel("b"), read_file(source), target, as_json=False)
    assert pl.read_csv(target).schema.names() == written.columns
    assert "0 results of 3 isolates" in capfd.readouterr().out


def test_a_certificate_names_very_major_errors_first_and_organisms_alike_together() -> None:
    """A line for all organisms that differ alike; 'kpn' before it in the alphabet does not hide them."""
    reference = cut_table("AMK_NM", {"eco": (2, 4), "kpn": (2, 4), "sau": (2, 4)})
    candidate = cut_table("AMK_NM", {"eco": (5, 6), "kpn": (5, 6), "sau": (0, 1)})
    certificate = certify(
        candidate, reference, edition="CLSI 2026", edition_digest="d", subject=Subject("modelo_AMK_NM", "1")
    )
    lines = list(difference_lines(certificate.disagreements))
    assert lines[0].startswith("VME Enterobacteriaceae (2 organisms): 12 … 32")
    kinds = [list(Kind).index(Kind(line.split()[0])) for line in lines]
    assert kinds == sorted(kinds)
    told = summary(certificate, 1)
    assert told.index("VME, S where the edition says R:") < told.index("ME, R where the edition says S:")
    assert f"… and {len(lines) - 1} more lines" in told
    asked = sum(int(line.rpartition("(")[2].split()[0].replace(",", "")) for line in lines)
    assert asked == certificate.disagreeing
    assert np.isfinite(certificate.agreement_share)
