"""Hostile files and hostile pages: each is refused, or shown as the text it is."""

import gzip
import re
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

import sirena.web
from sirena.web.answers import NamedPanel
from sirena.web.application import create_pages
from sirena.web.formulas import without_formulas
from sirena.web.opened_files import OpenedFiles
from tests.unit.web.conftest import ISOLATES, KEY, ORIGIN, drop

MARKUP = "<img src=x onerror=alert(1)>"


def zipped(content: bytes, *names: str) -> bytes:
    """Return an archive of a content under each of some names."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


def swollen_archive() -> bytes:
    """Return an archive of 20 MB of one letter."""
    return zipped(b"0" * 20_000_000, "a.csv")


def swollen_stream() -> bytes:
    """Return a table of two rows and 70 MB of blanks, as gzip."""
    return gzip.compress(b"ORGANISM,AMK_NM\neco,2\neco," + b" " * 70_000_000)


def swollen_workbook() -> bytes:
    """Return a workbook whose directory says that it unpacks to 8 GB."""
    content = bytearray(zipped(b"<workbook/>", "xl/workbook.xml", "xl/styles.xml"))
    for entry in re.finditer(b"PK\x01\x02", bytes(content)):
        content[entry.start() + 24 : entry.start() + 28] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(content)


@pytest.mark.parametrize("make", [swollen_archive, swollen_stream, swollen_workbook])
def test_what_unpacks_to_far_more_than_a_table_is_refused(person: TestClient, make: Callable[[], bytes]) -> None:
    """By one sentence, before it is unpacked."""
    refused = person.post("/files", files={"file": ("a.zip", make())})
    assert refused.status_code == 422
    assert "unpacks to" in refused.text
    assert "Open files" not in person.get("/").text


def test_every_address_that_changes_something_refuses_another_sites_form(
    person: TestClient, answers: NamedPanel
) -> None:
    """Each route of the pages is tried, so that a new one cannot be left out."""
    guarded = create_pages(answers, OpenedFiles(), KEY)
    routes = [route for route in guarded._app.routes if isinstance(route, APIRoute)]  # type: ignore[attr-defined]
    changing = {route.path for route in routes if set(route.methods or ()) - {"GET", "HEAD"}}
    assert changing == {
        *("/files", "/files/{identifier}/forget", "/files/{identifier}/mapping", "/files/{identifier}/search"),
        *("/isolate", "/isolate/clear", "/stage", "/releases"),
        *("/rules/{kind}/edit", "/rules/{kind}/begin", "/rules/save", "/rules/approve"),
    }
    address = drop(person, ISOLATES.encode())
    for path in changing:
        hostile = path.replace("{identifier}", address.rpartition("/")[2])
        assert person.post(hostile, headers={"origin": "http://evil.example"}).status_code == 403
    assert person.get(address).status_code == 200


def test_an_identifier_of_another_session_opens_nothing(person: TestClient, answers: NamedPanel) -> None:
    """Neither its cookie there nor its file here."""
    address = drop(person, ISOLATES.encode())
    with TestClient(create_pages(answers, OpenedFiles(), "another-key"), base_url=ORIGIN) as other:
        other.cookies = person.cookies
        assert other.get(address).status_code == 403
        assert other.get("/enter/another-key").status_code == 200
        for place in ("", "/antibiogram", "/antibiogram/csv", "/drift", "/mapping", "/rows/0/AMK_NM", "/download/csv"):
            assert other.get(f"{address}{place}").status_code == 404


def test_no_text_of_a_file_becomes_markup(person: TestClient) -> None:
    """Name, specimen number, ward, organism, column and MIC, on every page that shows them."""
    rows = f"{MARKUP},{MARKUP},bl,{MARKUP},{MARKUP},2\n" + f"M1,{MARKUP},bl,eco,4,8\n" * 30
    content = f"SPEC_NUM,WARD,SPEC_TYPE,ORGANISM,AMK_NM,FEP_NM\n{rows}".encode()
    address = drop(person, content, f"{MARKUP}.csv")
    for place in (
        *("", "/rows/0/AMK_NM", "/rows/1/AMK_NM", "/antibiogram?by=ward", "/antibiogram/html?by=ward"),
        *("/edition?edition=EUCAST 2025", "/edition?edition=CLSI 2025", "/drift", "/mapping"),
    ):
        page = person.get(f"{address}{place}")
        assert page.status_code == 200
        assert MARKUP not in page.text
    assert MARKUP not in person.get("/").text
    assert MARKUP not in person.post("/isolate", data={"organism": MARKUP, "CIP": MARKUP, "specimen": MARKUP}).text


def test_no_download_for_excel_runs_a_formula(person: TestClient) -> None:
    """A sign alone and a negative number stay what they are."""
    rows = "=1+1,+,eco,2\n@SUM(1),-2,eco,2\n-2+cmd|' /C calc'!A0,x,eco,2\n"
    address = drop(person, f"SPEC_NUM,MRSA,ORGANISM,AMK_NM\n{rows}".encode())
    lines = person.get(f"{address}/download/excel-es.csv").content.decode("utf-8-sig").splitlines()
    assert [line.split(";")[0].strip('"') for line in lines[1:]] == ["'=1+1", "'@SUM(1)", "'-2+cmd|' /C calc'!A0"]
    assert [line.split(";")[1] for line in lines[1:]] == ["+", "-2", "x"]
    workbook = zipfile.ZipFile(BytesIO(person.get(f"{address}/download/xlsx").content))
    sheet = workbook.read("xl/worksheets/sheet1.xml").decode()
    assert "=1+1" in sheet
    assert "<f>" not in sheet


def test_formulas_are_told_from_figures() -> None:
    """What begins a formula in Excel, LibreOffice and Google's sheets."""
    import polars as pl

    texts = ["=A1", " =A1", "@x", "+x", "-x", "+1+x", "\t=1", "+", "-", "-1,5", "+2.5", "UCI", None]
    shown = without_formulas(pl.DataFrame({"a": texts, "b": range(len(texts))}))
    assert shown["a"].to_list() == [*(f"'{text}" for text in texts[:7]), *texts[7:]]
    assert shown["b"].to_list() == list(range(len(texts)))


def test_the_pages_hold_no_script_no_style_no_motion_and_no_order_of_their_own() -> None:
    """What the content policy would refuse, and what makes people ill or loses them."""
    for template in (Path(sirena.web.__file__).parent / "templates").glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"\son\w+=|style=|<style|hx-on|\bjs:|tabindex=\"[1-9]|\|\s*safe", text), template.name
    style = (Path(sirena.web.__file__).parent / "static" / "sirena.css").read_text(encoding="utf-8")
    assert not re.search(r"transition|animation|@import|url\(", style)


@pytest.mark.parametrize(
    "name",
    [" of " + "x " * 40 + " to " * 40 + ", " * 40 + "y removed", "a: " * 1300, "x" * 4000],
    ids=["hard", "deep", "long"],
)
def test_a_name_made_to_be_hard_to_translate_is_shown_like_any_other(person: TestClient, name: str) -> None:
    """It fits many sentences nearly, or looks like one within another."""
    refused = person.post("/files", files={"file": (name, b"-")}, headers={"accept-language": "es"})
    assert refused.status_code == 422


def test_a_file_sent_to_the_form_of_one_isolate_is_not_taken(person: TestClient) -> None:
    """There it would roll over onto a disk; nor are more fields than the page has."""
    assert person.post("/isolate", files={"organism": ("a.csv", b"0" * 2_000_000)}).status_code == 400
    assert person.post("/isolate", data={f"f{number}": "1" for number in range(1000)}).status_code == 400


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW Isolates AS WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a FROM n) SELECT a FROM n",
        "CREATE TABLE Isolates (ORGANISM TEXT, AMK_NM TEXT AS (zeroblob(1000000000)))",
    ],
    ids=["view", "computed column"],
)
def test_a_database_whose_rows_are_computed_is_refused(person: TestClient, tmp_path: Path, statement: str) -> None:
    """A few bytes could yield rows without end."""
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as database:
        database.execute(statement)
    content = (tmp_path / "a.sqlite").read_bytes()
    refused = person.post("/files", files={"file": ("a.sqlite", content)})
    assert refused.status_code == 422


def test_days_of_many_digits_are_none(person: TestClient) -> None:
    """Python reads no number of more than 4,300."""
    here = drop(person, ISOLATES.encode())
    assert person.get(f"{here}/antibiogram?mode=episode&days=000000001{'9' * 5000}").status_code == 200
