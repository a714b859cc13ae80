"""The report: charts in the page, alerts, the quality of the data, the PDF."""

import re
import zlib
from pathlib import Path

import pytest

from sirena.panel.basis import Language
from sirena.stewardship.exports import write_antibiogram
from sirena.stewardship.page import render_page
from sirena.stewardship.quality import ColumnDifference, data_quality
from sirena.stewardship.report import report_parts
from sirena.whonet.file import WhonetFile
from tests.unit.stewardship.facts import read
from tests.unit.stewardship.hospitals import counted_file

ROWS = [
    {
        "PATIENT_ID": "1",
        "SPEC_DATE": "2024-01-05",
        "SPEC_TYPE": "bl",
        "ORGANISM": "sau",
        "OXA_NM": ">4",
        "Eti_OXA_NM": "S",
    },
    {
        "PATIENT_ID": "2",
        "SPEC_DATE": "2024-01-05",
        "SPEC_TYPE": "bl",
        "ORGANISM": "sep",
        "OXA_NM": ">4",
        "Eti_OXA_NM": "R",
    },
    {"PATIENT_ID": "", "SPEC_DATE": "", "SPEC_TYPE": "ur", "ORGANISM": "eco", "OXA_NM": "", "Eti_OXA_NM": ""},
]


@pytest.fixture(scope="module")
def file() -> WhonetFile:
    """Two staphylococci from blood, and a row that lacks patient and date."""
    return read(ROWS)


def test_quality_counts_what_is_missing_contaminants_and_other_categories(file: WhonetFile) -> None:
    """S. epidermidis from blood is a likely contaminant, S. aureus is none; the laboratory called an R an S."""
    counted = counted_file(file)
    quality = data_quality(file, counted.isolates, counted.facts)
    assert dict(quality.missing) | {"patient": 1, "date": 1, "specimen": 0, "ward": 3} == dict(quality.missing)
    assert (quality.blood, quality.contaminants) == (2, 1)
    assert quality.disagreements == (ColumnDifference("OXA_NM", 2, 1),)


@pytest.mark.parametrize("language", list(Language))
def test_the_page_shows_alerts_and_asks_nothing_of_anybody(file: WhonetFile, language: Language) -> None:
    """MRSA is counted with WHO's priority; pictures are inside the page and described."""
    counted = counted_file(file)
    page = render_page(counted.antibiogram, language, report_parts(file, counted, language))
    assert ">MRSA<" in page
    assert ("alta" if language is Language.SPANISH else "high") in page
    assert all(address.startswith("data:") for address in re.findall(r'(?:src|href)="([^"]*)', page))
    assert "url(" not in page


def test_the_pdf_is_tagged_and_says_what_it_is(file: WhonetFile, tmp_path: Path) -> None:
    """PDF/UA: marked content, a language and the standard's name."""
    counted = counted_file(file)
    target = tmp_path / "report.pdf"
    write_antibiogram(counted.antibiogram, target, Language.SPANISH, report_parts(file, counted, Language.SPANISH))
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    texts = content + b"".join(
        _unpacked(stream) for stream in re.findall(rb"stream\n(.*?)\nendstream", content, re.DOTALL)
    )
    assert all(name in texts for name in (b"/MarkInfo", b"/StructTreeRoot", b"pdfuaid"))


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""
