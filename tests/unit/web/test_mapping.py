"""Correcting on the pages what Sirena understood of a file's columns."""

import re
import tomllib
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sirena.whonet.mapping import load_mapping
from sirena.whonet.reading import read_file
from tests.unit.web.conftest import drop

HEADER = "PATIENT_ID,Muestra tomada,SPEC_TYPE,ORGANISM,bicho,AMK_NM,columna 7,Cipro raro\n"
FILE = (HEADER + "H-771204,bl,xx,zzz,eco,<=2,0.25,>4\nH-771204,ur,xx,zzz,pae,8,2,0.25\n").encode()
COLUMNS = HEADER.strip().split(",")[1:]


def says(**words: tuple[str, str]) -> dict[str, str]:
    """Return the form in which columns, by number, are said to be something."""
    form = {f"role-{place}": "" for place in range(len(COLUMNS))}
    for name, (role, drug) in words.items():
        form |= {f"role-{name[1:]}": role, f"drug-{name[1:]}": drug}
    return form


CORRECTED = says(c0=("specimen", ""), c3=("organism", ""), c4=("ignore", ""), c6=("MIC", "Ciprofloxacino"))


def test_a_column_is_what_somebody_says_it_is(person: TestClient) -> None:
    """Organism, specimen, an antimicrobial by its Spanish name, and one to be left out; at the same address."""
    address = drop(person, FILE)
    assert f'href="{address}/mapping"' in person.get(address).text
    shown = person.get(f"{address}/mapping").text
    assert re.findall(r'<th scope="row" class="name">([^<]*)</th>', shown) == COLUMNS
    page = person.post(f"{address}/mapping", data=CORRECTED)
    assert page.url.path == address
    assert "Organism: column bicho" in page.text
    assert "Specimen: column Muestra tomada" in page.text
    assert "Escherichia coli" in page.text
    assert "2 results:" in page.text
    assert 'value="Cipro raro"' in page.text
    assert "AMK_NM" not in re.sub(r"(?s)<details.*?</details>", "", page.text)
    assert '<option value="organism" selected>' in person.get(f"{address}/mapping").text


def test_the_mapping_is_the_file_that_the_command_line_takes(person: TestClient, tmp_path: Path) -> None:
    """Read by it, the file has the same organism, specimen and tests."""
    address = drop(person, FILE)
    person.post(f"{address}/mapping", data=CORRECTED | {"guideline": "EUCAST"})
    taken = person.get(f"{address}/mapping/file")
    assert taken.headers["content-disposition"] == 'attachment; filename="mapping.toml"'
    assert set(tomllib.loads(taken.text)["columns"]) == {"Muestra tomada", "bicho", "AMK_NM", "Cipro raro"}
    mapping, path = tmp_path / "mapping.toml", tmp_path / "hospital.csv"
    mapping.write_bytes(taken.content)
    path.write_bytes(FILE)
    file = read_file(path, mapping=load_mapping(mapping))
    assert (file.organism_column, file.specimen_column) == ("bicho", "Muestra tomada")
    assert {header: test.name for header, test in file.mic_columns.items()} == {"Cipro raro": "CIP_EM"}


def test_what_was_known_of_patients_stays(person: TestClient) -> None:
    """Their columns are gone when the file is read again, and still two isolates of one patient count once."""
    rows = "H-771204,2025-01-05,eco,4\nH-771204,2025-02-05,eco,4\n"
    address = drop(person, f"PATIENT_ID,SPEC_DATE,ORGANISM,columna\n{rows}".encode())
    form = {"role-2": "MIC", "drug-2": "AMK"}
    assert person.post(f"{address}/mapping", data=form).status_code == 200
    document = person.get(f"{address}/antibiogram/json").json()
    (cell,) = document["cells"]
    assert (cell["n"], cell["column"]) == (1, "AMK_NM")


def test_a_word_can_be_taken_back(person: TestClient) -> None:
    """Then the column is again what Sirena understands."""
    address = drop(person, FILE)
    person.post(f"{address}/mapping", data=CORRECTED)
    page = person.post(f"{address}/mapping", data=says()).text
    assert "Organism: column ORGANISM" in page
    assert tomllib.loads(person.get(f"{address}/mapping/file").text) == {}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (says(c6=("MIC", "kryptonite")), "no antimicrobial of that name"),
        (says(c6=("MIC", "")), "no antimicrobial of that name"),
        (says(c2=("ignore", ""), c3=("ignore", "")), "no column names the organism"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(person: TestClient, form: dict[str, str], words: str) -> None:
    """In a sentence, with what was typed still in the form."""
    address = drop(person, FILE)
    before = person.get(address).text
    refused = person.post(f"{address}/mapping", data=form)
    assert refused.status_code == 422
    assert words in refused.text
    assert form.get("drug-6", "ignore") in refused.text
    assert person.get(address).text == before


def test_a_role_nobody_offers_says_nothing(person: TestClient) -> None:
    """Nor does a column that the file does not have."""
    address = drop(person, FILE)
    page = person.post(f"{address}/mapping", data={"role-0": "patient", "role-99": "organism", "guideline": "XX"})
    assert page.status_code == 200
    assert tomllib.loads(person.get(f"{address}/mapping/file").text) == {}


def test_a_file_whose_organisms_no_column_names_waits_to_be_told(person: TestClient) -> None:
    """It leads to its columns, shows no answer before, and is answered once one is the organism; patients stay."""
    content = b"PATIENT_ID,bicho,AMK_NM\nH-771204,eco,<=2\nH-771204,eco,8\n"
    page = person.post("/files", files={"file": ("isolates.csv", content)})
    address = page.url.path.removesuffix("/mapping")
    assert page.url.path == f"{address}/mapping"
    assert "Say which column does" in page.text
    for part in ("/antibiogram", "/download/csv", "/rows/0/AMK_NM"):
        refused = person.get(address + part)
        assert refused.status_code == 422
        assert "no column names the organism" in refused.text
    again = person.post(f"{address}/mapping", data={"role-0": "", "role-1": "MIC", "drug-1": "AMK"})
    assert again.status_code == 422
    answered = person.post(f"{address}/mapping", data={"role-0": "organism"})
    assert answered.url.path == address
    assert "Escherichia coli" in answered.text
    counted = person.get(f"{address}/antibiogram").text
    assert re.search(r"repeat[^0-9]*1\b|1 isolate", re.sub(r"<[^>]*>", " ", counted))
