"""A file on the pages: what is shown, what is kept, what is refused."""

import re
import tempfile
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from starlette.testclient import TestClient

from sirena.web.answers import NamedPanel
from sirena.web.opened_file import open_whonet_file
from sirena.web.opened_files import IDLE_SECONDS, MOST_FILES, NoRoomForFileError, OpenedFiles
from sirena.web.upload import MOST_BYTES
from sirena.whonet.reading import read_stream
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.unit.web.conftest import ISOLATES, drop


def test_a_file_shows_its_isolates_and_categories(person: TestClient) -> None:
    """The summary counts them, and a cell leads to its reason."""
    page = person.get(drop(person, ISOLATES.encode())).text
    assert "3 isolates read." in page
    assert "8 results:" in page
    assert page.count("<i>Escherichia coli</i>") == 2
    assert re.search(r'href="/files/[^"]+/rows/0/AMK_NM"', page)


def test_columns_of_patients_are_dropped_and_the_specimen_number_stays(person: TestClient) -> None:
    """Neither page nor download knows a name or a patient's number."""
    address = drop(person, ISOLATES.encode())
    shown = [person.get(address).text] + [
        person.get(f"{address}/download/{suffix}").content.decode("utf-8", "replace")
        for suffix in ("csv", "excel-es.csv")
    ]
    for text in shown:
        assert "M2" in text
        for secret in ("H-7712", "Quiroga", "Zubiri"):
            assert secret not in text


def test_filter_and_sort_stand_in_the_address_without_patients(person: TestClient) -> None:
    """Back and Reload keep them."""
    address = drop(person, ISOLATES.encode())
    resistant = person.get(f"{address}?test=CIP_NM&category=R").text
    assert "1 isolate matches." in resistant
    assert person.get(f"{address}?organism=pae").text.count("<i>Pseudomonas aeruginosa</i>") == 1
    assert person.get(f"{address}?sort=nonsense&page=99&organism=xyz").status_code == 200


def test_every_row_can_be_reached_by_pages(person: TestClient) -> None:
    """A hundred rows at a time, none lost and none twice."""
    hospital = generate_hospital(250, 3).write_csv().encode()
    address = drop(person, hospital)
    rows = [
        int(number)
        for page in (1, 2, 3)
        for number in re.findall(r"<tr>\s*<td>(\d+)</td>", person.get(f"{address}?page={page}").text)
    ]
    assert rows == list(range(2, 252))


def test_why_names_row_of_the_guideline_site_and_dilutions(person: TestClient) -> None:
    """The text says what the picture shows."""
    why = person.get(f"{drop(person, ISOLATES.encode())}/rows/1/AMK_NM").text
    assert "Row 3" in why
    assert "blood" in why
    assert "Enterobacterales" in why
    assert "S &lt;= 4, R &gt;= 16" in why
    assert why.count('class="I measured"') == 1


def test_a_cell_that_is_no_mic_says_so_and_is_not_repeated_in_the_address(person: TestClient) -> None:
    """NI always has its reason."""
    address = drop(person, ISOLATES.encode())
    why = person.get(f"{address}/rows/2/AMK_NM", headers={"HX-Request": "true"}).text
    assert "The value is not an MIC" in why
    assert "<html" not in why


@pytest.mark.parametrize("place", ["rows/99/AMK_NM", "rows/-1/AMK_NM", "rows/0/LAST_NAME", "download/exe", "rows/0/x"])
def test_what_a_file_does_not_have_is_not_found(person: TestClient, place: str) -> None:
    """One page that says so, never a stack trace."""
    missing = person.get(f"{drop(person, ISOLATES.encode())}/{place}")
    assert missing.status_code == 404
    assert "no longer, here" in missing.text


def test_answers_are_those_of_the_download(person: TestClient) -> None:
    """Excel, CSV and Parquet hold the same categories."""
    address = drop(person, ISOLATES.encode())
    csv = pl.read_csv(person.get(f"{address}/download/csv").content, infer_schema=False)
    parquet = pl.read_parquet(BytesIO(person.get(f"{address}/download/parquet").content))
    excel = pl.read_excel(BytesIO(person.get(f"{address}/download/xlsx").content), infer_schema_length=0)
    assert csv["Eti_AMK_NM"].to_list() == ["S", "I", "NI"]
    assert csv["SIRENA"].unique().to_list() == ["CLSI 2026, EUCAST 2026"]
    assert csv.equals(parquet)
    assert csv.equals(excel)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"\x00\x01\x02\x03" * 99, "no format"), (b"PK\x03\x04garbage", "")],
)
def test_a_file_of_noise_is_one_sentence(person: TestClient, content: bytes, words: str) -> None:
    """And nothing of it is kept."""
    refused = person.post("/files", files={"file": ("noise.bin", content)})
    assert refused.status_code == 422
    assert words in refused.text
    assert "Traceback" not in refused.text
    assert "noise.bin</a>" not in person.get("/").text


def test_names_of_files_organisms_and_specimens_are_text_and_no_markup(person: TestClient) -> None:
    """Whatever stands in a file is escaped."""
    hostile = "<script>alert(1)</script>"
    content = f"SPEC_NUM,ORGANISM,AMK_NM\n{hostile},{hostile},2\n".encode()
    page = person.get(drop(person, content, f"{hostile}.csv")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_form_without_a_file_is_one_sentence(person: TestClient) -> None:
    """Of whatever kind the form is."""
    assert person.post("/files", data={"file": "text"}).status_code == 422
    assert person.post("/files", content=b"x", headers={"content-type": "multipart/form-data"}).status_code == 422


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(person: TestClient) -> None:
    """By what it says of its size."""
    refused = person.post("/files", content=b"x", headers={"content-length": str(MOST_BYTES + 1)})
    assert refused.status_code == 413


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".sqlite", ".parquet", ".dbf"])
def test_an_upload_never_touches_a_disk(
    person: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, suffix: str
) -> None:
    """Of any format, and larger than what a server keeps in memory by habit."""
    hospital = generate_hospital(6000, 1) if suffix == ".csv" else generate_hospital(60, 1)
    written = tmp_path / f"hospital{suffix}"
    write_file(hospital, written)
    content = written.read_bytes()
    written.unlink()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was made")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    assert f"{hospital.height:,} isolates read." in person.get(drop(person, content)).text


def test_delete_now_forgets_the_file(person: TestClient) -> None:
    """Its address leads to a page that says so."""
    address = drop(person, ISOLATES.encode())
    assert person.post(f"{address}/forget", follow_redirects=False).status_code == 303
    assert person.get(address).status_code == 404


def test_one_that_nobody_looked_at_is_gone_and_so_is_the_oldest_of_too_many(answers: NamedPanel) -> None:
    """A look keeps a file; another's look does not."""
    now = [0.0]
    files = OpenedFiles(lambda: now[0])
    opened = open_whonet_file("a.csv", read_stream(BytesIO(ISOLATES.encode()), "a.csv"), answers)
    first, second = files.add(opened), files.add(opened)
    now[0] = IDLE_SECONDS - 1
    assert files.get(first) is opened
    now[0] = IDLE_SECONDS + 1
    assert files.get(second) is None
    assert files.get(first) is opened
    for _ in range(MOST_FILES):
        files.add(opened)
    assert files.get(first) is None
    assert len(files.all()) == MOST_FILES


def test_nobodys_file_makes_room_for_anothers(answers: NamedPanel) -> None:
    """Who opens many loses the own ones; when all is full, a further owner is told so."""
    opened = open_whonet_file("a.csv", read_stream(BytesIO(ISOLATES.encode()), "a.csv"), answers)
    assert opened.size > len(ISOLATES)
    files = OpenedFiles(most_bytes=opened.size * (MOST_FILES + 1))
    kept = files.add(opened, "anna")
    for _ in range(2 * MOST_FILES):
        files.add(opened, "ben")
    assert files.get(kept, "anna") is opened
    assert files.get(kept, "ben") is None
    assert len(files.all("ben")) == MOST_FILES
    with pytest.raises(NoRoomForFileError):
        files.add(opened, "carla")
    files.remove(kept, "ben")
    assert files.get(kept, "anna") is opened
    files.forget_owners({"ben"})
    assert (len(files.all("ben")), files.owners()) == (0, frozenset({"anna"}))
    files.add(opened, "carla")


def test_a_column_whose_header_needs_escapes_has_a_number_in_addresses(person: TestClient) -> None:
    """The entry refuses paths with escaped slashes, and a laboratory may call a column as it likes."""
    content = "ORGANISM,AMC/CLA_NM,Amikacin (mg/L)\neco,<=2,4\n"
    address = drop(person, content.encode())
    links = re.findall(rf'href="({re.escape(address)}/rows/[^"]+)"', person.get(address).text)
    assert links
    for link in links:
        assert re.fullmatch(r"[\w/-]+", link)
        assert person.get(link).status_code == 200
    assert person.get(f"{address}/rows/0/99").status_code == 404
    assert person.get(f"{address}/rows/0/{'9' * 5000}").status_code == 404
