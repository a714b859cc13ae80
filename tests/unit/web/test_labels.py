"""The label audit on the pages."""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sirena.cli.pages_answers import audit_labels_of
from sirena.web.answers import NamedPanel
from sirena.web.application import create_entry_pages, create_pages
from sirena.web.labels_page import SHOWN_CELLS
from sirena.web.opened_files import OpenedFiles
from sirena.web.other_editions import OtherEditions
from tests.command_line import run_command
from tests.unit.web.conftest import KEY, ORIGIN, drop

HEADER = "PATIENT_ID,LAST_NAME,SPEC_NUM,SPEC_TYPE,ORGANISM,CIP_NM,Eti_CIP_NM,AMK_NM,Eti_AMK_NM\n"
ROWS = (
    "H-771204,Quiroga,M1,bl,eco,>4,S,2,S\n"
    "H-771205,Zubiri,M2,bl,eco,>4,R,2,S\n"
    "H-771206,Quiroga,M3,bl,eco,0.25,S,2,S\n"
    "H-771207,Quiroga,M4,bl,pae,0.5,I,2,S\n"
)
FILE = (HEADER + ROWS).encode()


@pytest.fixture
def laboratory(answers: NamedPanel) -> Iterator[TestClient]:
    """Somebody at pages that can audit."""
    application = create_pages(answers, OpenedFiles(), KEY, audit=audit_labels_of)
    with TestClient(application, base_url=ORIGIN, headers={"origin": ORIGIN, "accept-language": "en"}) as client:
        assert client.get(f"/enter/{KEY}").status_code == 200
        yield client


def test_the_gravest_cell_stands_first_with_row_and_specimen_number(laboratory: TestClient) -> None:
    """S of the laboratory where the edition says R, before I where it says S."""
    address = drop(laboratory, FILE)
    assert f'href="{address}/labels"' in laboratory.get(address).text
    page = laboratory.get(f"{address}/labels").text
    assert "3 results to look at, in 3 cells." in " ".join(page.split())
    first, *_ = re.findall(r"<tr><td.*?</td></tr>", page, re.DOTALL)
    assert "Escherichia coli" in first
    assert re.search(r'<span class="c S">S</span></td>\s*<td><span class="c R">R</span>', first)
    assert re.search(r'/rows/0/CIP_NM">Row 2</a> · specimen M1', first)
    assert laboratory.get(f"{address}/rows/0/CIP_NM").status_code == 200
    assert not re.search("H-7712|Quiroga|Zubiri", page)


def test_cells_words_and_isolates_are_the_command_lines(
    laboratory: TestClient, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The file to take away holds what `sirena inspect --audit-isolates` writes, in the reader's language."""
    path, written = tmp_path / "hospital.csv", tmp_path / "isolates.csv"
    path.write_bytes(FILE)
    options = ["--audit-isolates", written, "--language", "es"]
    assert run_command(capfd, ["inspect", path, *options]).code == 0
    address = drop(laboratory, FILE)
    taken = laboratory.get(f"{address}/labels/csv", headers={"accept-language": "es"})
    expected = list(csv.DictReader(StringIO(written.read_text(encoding="utf-8"))))
    assert list(csv.DictReader(StringIO(taken.text))) == expected
    page = laboratory.get(f"{address}/labels", headers={"accept-language": "es"}).text
    for row in expected:
        assert row["what"] in page
        assert f"muestra {row['specimen_number']}" in page
    assert laboratory.get(f"{address}/labels/docx").status_code == 404


def test_a_file_without_labels_or_without_contradictions_says_so(laboratory: TestClient) -> None:
    """In a sentence; there is nothing to take away."""
    bare = drop(laboratory, b"ORGANISM,CIP_NM\neco,1\n")
    assert "holds no categories of the laboratory" in laboratory.get(f"{bare}/labels").text
    assert laboratory.get(f"{bare}/labels/csv").status_code == 404
    right = drop(laboratory, b"SPEC_TYPE,ORGANISM,CIP_NM,Eti_CIP_NM\nbl,eco,>4,R\n")
    page = laboratory.get(f"{right}/labels").text
    assert "No category contradicts another" in page
    assert "<table" not in page


def test_many_cells_are_cut_and_counted(laboratory: TestClient) -> None:
    """The gravest stay on the page; the file holds all."""
    dilutions = ("0.06", "0.12", "0.25", "<=0.06", "<=0.12", "<=0.25", "0.03", "0.015")
    organisms = ("eco", "kpn", "ecl", "cfr", "pmi", "sma", "mmo", "pvu", "kox", "eae", "pae", "cko", "hal", "ste")
    rows = [f"bl,{organism},{mic},R" for organism in organisms for mic in dilutions]
    address = drop(laboratory, "\n".join(("SPEC_TYPE,ORGANISM,CIP_NM,Eti_CIP_NM", *rows, "")).encode())
    page = laboratory.get(f"{address}/labels").text
    assert page.count("<tr><td") == SHOWN_CELLS
    assert f"The table shows the first {SHOWN_CELLS} cells" in page
    assert len(laboratory.get(f"{address}/labels/csv").text.splitlines()) > SHOWN_CELLS


def test_what_is_taken_is_on_record_by_numbers_alone(answers: NamedPanel) -> None:
    """And is a way only for who may take rows."""
    told: list[tuple[str, dict[str, object]]] = []
    app = create_entry_pages(
        lambda: answers,
        OpenedFiles(),
        lambda event, facts: told.append((event, dict(facts))),
        lambda: {"s1"},
        OtherEditions(),
        audit=audit_labels_of,
    )
    headers = {"x-sirena-user": "clara", "x-sirena-session": "s1", "x-sirena-places": "pages,files,rows"}
    person = TestClient(app, base_url="https://sirena.example", headers=headers, follow_redirects=False)
    address = person.post("/app/files", files={"file": ("Quiroga.csv", FILE)}).headers["location"]
    assert person.get(f"{address}/labels/xlsx").status_code == 200
    assert "/labels/xlsx" in person.get(f"{address}/labels").text
    looking = person.get(f"{address}/labels", headers={"x-sirena-places": "pages,files"}).text
    assert "/labels/xlsx" not in looking
    assert (told[-1][0], told[-1][1]["content"], told[-1][1]["format"]) == ("file_downloaded", "labels", "xlsx")
    assert not re.search("Quiroga|H-7712|M1|eco", str(told))


def test_pages_that_cannot_audit_have_no_such_page(person: TestClient) -> None:
    """Nor a way to it."""
    address = drop(person, FILE)
    assert person.get(f"{address}/labels").status_code == 404
    assert "/labels" not in person.get(address).text
