"""The antibiogram of an open file: the command line's figures, asked for by the address."""

import base64
import csv
import re
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient

import sirena.web
from sirena.stewardship.counting import CountedFile
from sirena.web import antibiogram_report
from tests.command_line import run_command
from tests.unit.web.conftest import drop

HEADER = "PATIENT_ID,SPEC_NUM,SPEC_DATE,WARD,SPEC_TYPE,SPEC_REAS,ORGANISM,CIP_NM,CAZ_EM\n"
ROWS = (
    "P1,1,2024-01-05,uci,ur,dia,eco,0.25,1\n"
    "P1,2,2024-01-20,uci,bl,dia,eco,4,8\n"
    "P2,3,2024-03-01,med,ur,sur,eco,0.25,1\n"
    "P3,4,2024-05-01,med,bl,dia,pae,1,4\n"
    "P3,5,2025-02-01,med,bl,dia,pae,1,4\n"
    "P4,6,2025-02-02,=1+1,bl,dia,eco,0.25,1\n"
    "P5,7,,med,bl,dia,eco,0.25,1\n"
)
FILE = (HEADER + ROWS).encode()
YEARS = HEADER + "".join(
    f"Q{row},{row},{2023 + row % 2}-03-01,med,bl,dia,eco,{'0.25' if row % 3 else '4'},1\n" for row in range(80)
)
"""Enough isolates of two years for a trend and a distribution."""


@pytest.mark.parametrize("form", ["json", "csv", "html"])
@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("", []),
        ("period=2024&by=ward&by=year", ["--period", "2024", "--by", "ward", "--by", "year"]),
        (
            "first_day=2024-01-01&last_day=2025-02-01&mode=episode&days=10&screening=SPEC_REAS.1",
            [
                *("--period", "2024-01-01..2025-02-01", "--first", "episode", "--days", "10"),
                "--leave-out=SPEC_REAS=sur",
            ],
        ),
        ("mode=all&by=specimen", ["--first", "all", "--by", "specimen"]),
    ],
)
def test_downloads_are_the_command_lines(
    person: TestClient, capfd: pytest.CaptureFixture[str], tmp_path: Path, form: str, address: str, options: list[str]
) -> None:
    """Every byte of them, source and method included."""
    (tmp_path / "hospital.csv").write_bytes(FILE)
    written = tmp_path / f"out.{form}"
    ended = run_command(capfd, ["antibiogram", tmp_path / "hospital.csv", "-o", written, "--reference", *options])
    assert ended.code == 0, ended.errors
    sent = person.get(f"{drop(person, FILE)}/antibiogram/{form}?{address}")
    assert sent.headers["content-disposition"] == f'attachment; filename="antibiogram.{form}"'
    assert sent.content.decode() == written.read_text(encoding="utf-8")


def test_the_page_holds_the_reports_tables_and_its_method(person: TestClient) -> None:
    """Few isolates are marked, steps are counted, and the mode stands in the title."""
    address = f"{drop(person, FILE)}/antibiogram"
    page = person.get(f"{address}?mode=phenotype&by=ward").text
    report = person.get(f"{address}/html?mode=phenotype&by=ward").text
    cells = re.findall(r"<td class=.*?</td>", page)
    assert cells
    assert cells == re.findall(r"<td class=.*?</td>", report)
    assert 'class="few"' in page
    assert "differs in its phenotype" in page
    assert "no date that can be" in page
    assert "<style" not in page


def test_the_pages_pictures_are_those_of_the_report_and_counted_with_the_page(
    person: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is drawn when it is asked for, in the reader's language; page, Reload and pictures count the file once."""
    counted: list[str] = []
    count_opened = antibiogram_report.count_opened

    def noting(*given: Any) -> CountedFile:
        counted.append("once")
        return count_opened(*given)

    monkeypatch.setattr(antibiogram_report, "count_opened", noting)
    address = f"{drop(person, YEARS.encode())}/antibiogram"
    page = person.get(f"{address}?by=ward&mode=all").text
    places = [place.replace("&amp;", "&") for place in re.findall(r'<img src="([^"]+)"', page)]
    assert len(places) >= 2
    pictures = [person.get(place) for place in places]
    assert {picture.headers["content-type"] for picture in pictures} == {"image/svg+xml"}
    assert all(picture.text.startswith("<svg") for picture in pictures)
    assert person.get(f"{address}?by=ward&mode=all").text == page
    assert counted == ["once"]
    report = person.get(f"{address}/html?by=ward&mode=all").text
    inside = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)"', report)
    assert [base64.b64decode(one) for one in inside] == [picture.content for picture in pictures]
    spanish = person.get(places[0], headers={"accept-language": "es"})
    assert (spanish.status_code, spanish.text == pictures[0].text) == (200, False)
    for odd in ("trends/99", "trends/x", "elsewhere/0"):
        assert person.get(f"{address}/pictures/{odd}").status_code == 404
    assert person.get(f"{address}/pictures/trends/0?first_day=x").status_code == 404


def test_every_class_of_the_report_has_its_style(person: TestClient) -> None:
    """The page's own style sheet stands in for the report's, which the content policy keeps out."""
    report = person.get(f"{drop(person, FILE)}/antibiogram/html?by=ward").text
    style = (Path(sirena.web.__file__).parent / "static" / "sirena.css").read_text(encoding="utf-8")
    ruled = set(re.findall(r"\.([a-z][\w-]*)[^{}]*\{", report[: report.index("</style>")]))
    assert {"few", "ri", "wide", "s0", "s5"} <= ruled
    assert {name for name in ruled - {"sub"} if not re.search(rf"\.{name}\b", style)} == set()


def test_a_value_nobody_can_ask_is_not_asked(person: TestClient) -> None:
    """The page never fails by its address, and never repeats it as markup."""
    address = f"{drop(person, FILE)}/antibiogram"
    plain = re.findall(r"<td class=.*?</td>", person.get(address).text)
    for odd in ("period=1850", "mode=<b>", "days=0", "days=99999999999999999999", "by=floor", "screening=WARD.0"):
        page = person.get(f"{address}?{odd}")
        assert page.status_code == 200
        assert "<b>" not in page.text.replace("<b>7</b>", "").replace("<b>5</b>", "")
        assert re.findall(r"<td class=.*?</td>", page.text) == plain


@pytest.mark.parametrize("days", ["first_day=2025-01-01&last_day=2024-01-01", "first_day=2024-01-01", "last_day=x"])
def test_days_that_are_none_are_told_at_their_fields(person: TestClient, days: str) -> None:
    """Nothing is counted of a period that was not meant."""
    address = f"{drop(person, FILE)}/antibiogram"
    page = person.get(f"{address}?{days}").text
    assert "Give both days" in page
    assert page.count('aria-describedby="wrong-days"') == 2
    assert 'class="report"' not in page
    assert person.get(f"{address}/csv?{days}").status_code == 404


def test_no_isolate_left_and_nothing_to_count_are_sentences(person: TestClient) -> None:
    """An empty table teaches nothing."""
    nobody = person.get(f"{drop(person, FILE)}/antibiogram?first_day=1990-01-01&last_day=1990-01-02")
    assert "No isolate is left" in nobody.text
    zones = drop(person, b"ORGANISM,CIP_ND5\neco,22\n")
    assert "nothing to count" in person.get(f"{zones}/antibiogram").text
    undated = drop(person, b"ORGANISM,CIP_NM\neco,1\n")
    assert "No row has a date" in person.get(f"{undated}/antibiogram").text


def test_a_ward_stands_as_text_in_the_page_and_as_no_formula_in_excels_form(person: TestClient) -> None:
    """A file from elsewhere may hold both."""
    hostile = "".join(f"H{row},{row},2024-01-05,<script>alert(1)</script>,bl,dia,eco,0.25,1\n" for row in range(30))
    address = f"{drop(person, (HEADER + hostile + ROWS).encode())}/antibiogram"
    for page in (person.get(f"{address}?by=ward").text, person.get(f"{address}/html?by=ward").text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
    text = person.get(f"{address}/excel-es.csv?by=ward").content.decode("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    assert "'=1+1" in {row["stratum"] for row in rows}
    assert {row["mic50"] for row in rows if row["by"] == "all" and row["column"] == "CIP_NM"} >= {"0,25"}


def test_the_page_is_spanish_for_spanish_readers(person: TestClient) -> None:
    """The report's sentences with it."""
    page = person.get(f"{drop(person, FILE)}/antibiogram?mode=all", headers={"accept-language": "es"}).text
    assert "Antibiograma acumulado – sin deduplicar" in page
    assert "todos los aislamientos, también los repetidos" in page
    assert "ediciones de las guías · CLSI 2026, EUCAST 2026 · reglas expertas" in page
    assert "expert rules" not in page
    assert 'lang="es"' in page


def test_the_workbook_is_made_in_memory_and_holds_the_same_figures(
    person: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No part of a file touches a disk, and a ward's name is no formula."""
    address = f"{drop(person, FILE)}/antibiogram"
    lines = list(csv.DictReader(person.get(f"{address}/csv").text.splitlines()))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was made")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    content = person.get(f"{address}/xlsx?by=ward").content
    monkeypatch.undo()
    sheet = pl.read_excel(BytesIO(content), sheet_id=1, read_options={"header_row": 1})
    assert sheet["n"].to_list() == [int(line["n"]) for line in lines if line["by"] == "all"]
    assert "<f>" not in zipfile.ZipFile(BytesIO(content)).read("xl/worksheets/sheet2.xml").decode()
