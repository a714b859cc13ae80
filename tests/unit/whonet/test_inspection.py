"""What `sirena inspect` and `sirena synthesize` tell, on paper and as JSON."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sirena.whonet.inspection import inspect_file, looks_like_an_organism
from sirena.whonet.reading import read_file
from sirena.whonet.specimen_reading import looks_like_a_specimen
from tests.command_line import Ended, run_command

FILE = """\
PATIENT_ID;LAST_NAME;ORGANISM;SPEC_TYPE;AMK_NM;Eti_AMK_NM;CIP_NM;GEN_ND10
4711;Garzonedo;eco;ur;<=0,5;S;abc;18
4712;Bermejal;E. coli;ur;>16;R;S;
4713;Espinal;kpn;bl;4;S;-1;20
4714;Nogaleda;Pseudomonas martiana;bl;16;16;0.25;
4715;Olmedilla;Garzonedo DNI 30.111.222;bl;;;22;
4716;Sauceda;;bl;2;S;;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small file with something of everything."""
    path = tmp_path / "w2024hos.hos"
    path.write_text(FILE, encoding="cp1252")
    return path


Typed = Callable[..., Ended]


@pytest.fixture
def sirena(capfd: pytest.CaptureFixture[str]) -> Typed:
    """Run a command in this process."""
    return lambda *arguments: run_command(capfd, arguments)


def process(*arguments: object, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does."""
    command = [sys.executable, "-W", "error", "-m", "sirena.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=text, env={**os.environ}, check=False)


def test_a_file_is_summarised_by_column(path: Path) -> None:
    """Results, organisms, range, share censored, labels and what is unreadable."""
    inspection = inspect_file(read_file(path))
    amikacin, ciprofloxacin, gentamicin = inspection.tests
    assert (inspection.rows, inspection.columns, inspection.format) == (6, 8, "delimited")
    assert (amikacin.results, amikacin.organisms) == (5, 2)
    assert (amikacin.lowest, amikacin.highest, amikacin.censored) == ("<=0.5", ">=32", 0.4)
    assert amikacin.labels == {"S": 3, "R": 1}
    assert (amikacin.unreadable, ciprofloxacin.unreadable) == (0, 3)
    assert {problem.problem_class: problem.rows for problem in ciprofloxacin.problems} == {
        "category": (3,),
        "zone_like_number": (6,),
        "negative": (4,),
        "text": (2,),
    }
    assert (gentamicin.is_mic, gentamicin.results, gentamicin.problems) == (False, 2, ())


def test_organisms_are_counted_and_unknown_ones_named_by_row(path: Path) -> None:
    """A name that could be an organism is shown; what could be a patient's is not."""
    inspection = inspect_file(read_file(path))
    assert [(one.code, one.count) for one in inspection.organisms] == [("eco", 2), ("kpn", 1)]
    assert {one.text: one.rows for one in inspection.unknown_organisms} == {"Pseudomonas martiana": (5,), None: (6,)}
    assert inspection.missing_organisms == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("xqz", True),
        ("ac-", True),
        ("103", True),
        ("Escherichia colli", True),
        ("Staph. áureus (MRSA)", True),
        ("ESCHERICHA SP", True),
        ("Garzonedo Ñandubay", False),
        ("Pérez", False),
        ("María 30111222", False),
        ("x" * 41, False),
        ("12.03.1961", False),
        ("eco;kpn", False),
        ("see comment: patient moved to ward 3", False),
    ],
)
def test_only_what_looks_like_an_organism_is_shown(text: str, shown: bool) -> None:
    """A code of three, or words that begin like an organism's name: not a patient's."""
    assert looks_like_an_organism(text) is shown


SPECIMENS = "ORGANISM,SPEC_TYPE,AMK_NM\neco,ur,4\neco,,4\neco,qwx,4\neco,qwx,4\neco,Garzonedo,4\neco,Orinna,4\n"


def test_sites_are_counted_and_unknown_specimens_named_by_row(tmp_path: Path, sirena: Typed) -> None:
    """An unknown word is reported, never passed over; what may be a patient's is named by its row alone."""
    path = tmp_path / "specimens.csv"
    path.write_text(SPECIMENS, encoding="utf-8")
    specimens = inspect_file(read_file(path), examples=1).specimens
    assert specimens.sites == {"urine": 1, "unknown": 1}
    assert [(one.text, one.count, one.rows) for one in specimens.unknown] == [
        ("qwx", 2, (4,)),
        (None, 1, (6,)),
        ("Orinna", 1, (7,)),
    ]
    printed = sirena("inspect", path).output
    assert "4 isolates have an unknown site of infection." in printed
    assert "Garzonedo" not in printed


def test_a_file_without_specimens_says_so(tmp_path: Path, sirena: Typed) -> None:
    """And how to name one site for all."""
    path = tmp_path / "plain.csv"
    path.write_text("ORGANISM,AMK_NM\neco,4\n", encoding="utf-8")
    assert "--site gives one" in sirena("inspect", path).output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abc", True),
        ("orinna", True),
        ("Líquidos varios raros", True),
        ("Pérez", False),
        ("Garzonedo Ñandubay", False),
        ("orina 30111222", False),
        ("orina " + "x" * 30, False),
        ("", False),
    ],
)
def test_only_what_looks_like_a_specimen_is_shown(text: str, shown: bool) -> None:
    """Up to three letters, or words that begin like a specimen."""
    assert looks_like_a_specimen(text) is shown


def test_the_command_names_places_and_no_patient(path: Path, sirena: Typed) -> None:
    """Plain text through a pipe: no colours, no table lines, no content of misplaced cells."""
    result = sirena("inspect", path)
    assert (result.code, result.errors) == (0, "")
    lines = [line.split() for line in result.output.splitlines()]
    assert ["AMK_NM", "CLSI", "5", "2", "<=0.5", "…", ">=32", "40%", "S", "3", "R", "1"] in lines
    assert any(line[:1] == ["CIP_NM"] and line[-1] == "2" and "text" in line for line in lines)
    assert "of patients    PATIENT_ID, LAST_NAME" in result.output
    assert not any(secret in result.output for secret in ("Garzonedo", "4711", "abc", "30.111", "\x1b", "│"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ORGANISM;AMK_ND30;CIP_ND5\neco;22;31\nkpn;17;9\n", "zone diameters"),
        ("ORGANISM;AMK_NM;CIP_NM\neco;S;R\nkpn;I;\n", "categories"),
        ("ORGANISM;AMK_NM\neco;POS\nkpn;neg\n", "positive or negative"),
    ],
)
def test_a_file_without_mics_says_so_first(text: str, kind: str, tmp_path: Path, sirena: Typed) -> None:
    """And what Sirena answers to it, before anything else."""
    (tmp_path / "a.csv").write_text(text)
    result = sirena("inspect", tmp_path / "a.csv")
    first, second, *_ = result.output.splitlines()
    assert first.startswith(f"This file holds {kind}")
    assert "no MICs" in first
    assert "NI" in second
    assert result.code == 0


def test_headers_of_other_systems_are_shown_with_what_was_understood(tmp_path: Path, sirena: Typed) -> None:
    """Header, what it is, drug, guideline and why; a mapping is written and read again."""
    path = tmp_path / "a.csv"
    path.write_text("Muestra;Microorganismo;Amikacina CIM;Amikacina Int\n1;eco;<=2;S\n", encoding="utf-8")
    result = sirena("inspect", path, "--write-mapping", tmp_path / "hospital.toml")
    lines = [line.split() for line in result.output.splitlines()]
    assert any(line[:5] == ["Amikacina", "CIM", "MIC", "AMK", "CLSI"] for line in lines)
    again = sirena("inspect", path, "--mapping", tmp_path / "hospital.toml")
    assert again.code == 0
    assert "said by the mapping" in again.output


def test_the_command_prints_one_json_document(path: Path, sirena: Typed) -> None:
    """For other programs, with as many rows as asked for."""
    result = sirena("inspect", path, "--json", "--rows", "1")
    document = json.loads(result.output)
    assert document["organism_column"] == "ORGANISM"
    assert [test["header"] for test in document["tests"]] == ["AMK_NM", "CIP_NM", "GEN_ND10"]
    assert document["tests"][1]["problems"][0]["rows"] == [3]
    assert "Garzonedo" not in result.output


def test_synthesize_and_inspect_join_through_a_pipe(tmp_path: Path, sirena: Typed) -> None:
    """The hospital is written in the format of the suffix, or to standard output, and read again."""
    result = sirena("synthesize", "-n", 300, "--seed", 3, "-o", tmp_path / "hospital.sqlite")
    assert result.code == 0
    assert read_file(tmp_path / "hospital.sqlite").frame.height == 300
    piped = process("inspect", "-", text=process("synthesize", "-n", 300, "--seed", 3, "-o", "-").stdout)
    assert (piped.returncode, piped.stderr) == (0, "")
    assert "isolates       300" in piped.stdout
    assert "Not readable" not in piped.stdout


def test_synthesize_refuses_an_unknown_suffix(tmp_path: Path, sirena: Typed) -> None:
    """Before the work begins, with exit code 2."""
    result = sirena("synthesize", "-o", tmp_path / "hospital.doc")
    assert (result.code, list(tmp_path.glob("hospital*"))) == (2, [])


def test_a_file_without_mics_is_told_before_it_is_answered(tmp_path: Path, sirena: Typed) -> None:
    """The commands that answer say it too: every answer is NI."""
    (tmp_path / "a.csv").write_text("ORGANISM;AMK_NM\neco;S\n")
    result = sirena("reference", tmp_path / "a.csv", "-o", "-")
    assert result.errors.startswith("this file holds no readable MIC")
    assert not read_file(tmp_path / "a.csv").holds_mics
