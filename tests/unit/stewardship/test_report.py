"""The report: charts in the page, alerts, the quality of the data, the PDF."""

import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sirena.domain.language import Language
from sirena.stewardship.antibiogram import Request
from sirena.stewardship.exports import write_antibiogram
from sirena.stewardship.page import Paper, render_page
from sirena.stewardship.quality import ColumnDifference
from sirena.stewardship.report import report_parts
from sirena.stewardship.report_parts import DrawnChart
from sirena.stewardship.strata import Stratum
from sirena.whonet.file import WhonetFile
from tests.unit.stewardship.facts import read
from tests.unit.stewardship.hospitals import counted_file, hospital

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
    quality = counted.quality
    assert dict(quality.missing) | {"patient": 1, "date": 1, "specimen": 0, "ward": 3} == dict(quality.missing)
    assert (quality.blood, quality.contaminants) == (2, 1)
    assert quality.disagreements == (ColumnDifference("OXA_NM", 2, 1),)


@pytest.mark.parametrize("language", list(Language))
def test_the_page_shows_alerts_and_asks_nothing_of_anybody(file: WhonetFile, language: Language) -> None:
    """MRSA is counted with WHO's priority; pictures are inside the page and described."""
    counted = counted_file(file)
    page = render_page(counted.antibiogram, language, report_parts(counted, language))
    assert ">MRSA<" in page
    assert ("alta" if language is Language.SPANISH else "high") in page
    assert all(address.startswith("data:") for address in re.findall(r'(?:src|href)="([^"]*)', page))
    assert "url(" not in page


def test_the_pdf_is_tagged_and_says_what_it_is(file: WhonetFile, tmp_path: Path) -> None:
    """PDF/UA: marked content, language, title, the standard's name, headers of every cell, words for every picture.

    No validator is part of the tests: pdfua 0.1.3 found no error in a report of November 2026.
    """
    counted = counted_file(file)
    target = tmp_path / "report.pdf"
    parts = report_parts(counted, Language.SPANISH)
    parts = replace(parts, charts={**parts.charts, "trends": [DrawnChart("tendencia", _PICTURE)]})
    write_antibiogram(counted.antibiogram, target, Language.SPANISH, parts, paper=Paper.A3)
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    texts = content + b"".join(
        _unpacked(stream) for stream in re.findall(rb"stream\n(.*?)\nendstream", content, re.DOTALL)
    )
    assert all(name in texts for name in (b"/MarkInfo", b"/StructTreeRoot", b"pdfuaid"))
    assert re.search(rb"/Lang \(es\)", texts)
    assert b"/DisplayDocTitle true" in texts
    assert len(re.findall(rb"/S /Figure\b", texts)) == len(re.findall(rb"/Alt ", texts)) == 1
    assert len(re.findall(rb"/S /TD\b", texts)) == len(re.findall(rb"/Headers ", texts)) > 0
    assert re.search(rb"/MediaBox \[0 0 1190\.55\d* 841\.88\d*\]", texts)


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


_PICTURE = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI5IiBoZWlnaHQ9IjkiLz4="
)


class _Tables(HTMLParser):
    """Counts tables, and those within an element that scrolls."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.divisions: list[bool] = []
        self.inside = self.tables = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a division, and where a table stands."""
        if tag == "div":
            self.divisions.append(("class", "wide") in attrs)
        elif tag == "table":
            self.tables += 1
            self.inside += any(self.divisions)

    def handle_endtag(self, tag: str) -> None:
        """Leave a division."""
        if tag == "div":
            self.divisions.pop()


def test_every_table_scrolls_within_itself(file: WhonetFile) -> None:
    """So that a telephone shows the page without scrolling it sideways."""
    counted = counted_file(file, Request(wisca=True, by=(Stratum.SPECIMEN,)))
    tables = _Tables(render_page(counted.antibiogram, Language.ENGLISH, report_parts(counted, Language.ENGLISH)))
    assert tables.inside == tables.tables > 3


def test_a_larger_paper_holds_more_drugs_side_by_side(tmp_path: Path) -> None:
    """25 drugs stand in two tables on A4 and in one on A3."""
    drugs = [
        *("AMK", "GEN", "TOB", "AMC", "CZA", "CZT", "SAM", "TZP", "ETP", "IPM", "MEM", "CAZ", "CRO", "CTX", "CXM"),
        *("CZO", "FEP", "FOX", "SXT", "ATM", "AMP", "CIP", "LVX", "TCY", "COL"),
    ]
    header = ",".join(("PATIENT_ID,SPEC_DATE,SPEC_TYPE,ORGANISM", *(f"{drug}_NM" for drug in drugs)))
    made = counted_file(hospital(tmp_path, header, [",".join(("1,2024-01-05,bl,eco", *(["1"] * len(drugs))))]))
    pages = {paper: render_page(made.antibiogram, Language.ENGLISH, paper=paper) for paper in Paper}
    assert pages[Paper.A4].count("<caption>") == 2
    assert pages[Paper.A3].count("<caption>") == 1
    assert "size: A3 landscape" in pages[Paper.A3]
