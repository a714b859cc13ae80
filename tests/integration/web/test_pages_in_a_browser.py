"""The pages of `sirena open`, used at Chromium in both languages: no complaint of the browser, no page too wide."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.browser_person import Person, person

PATIENCE = 30.0


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address that `sirena open` prints; at the end SIGTERM ends it in order."""
    program = [str(Path(sys.executable).with_name("sirena")), "open", "--no-browser"]
    home = str(tmp_path_factory.mktemp("home"))
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env={**os.environ, "SIRENA_HOME": home}) as pages:
        assert pages.stdout is not None
        yield pages.stdout.readline().split()[-1]
        pages.terminate()
        assert pages.wait(PATIENCE) == 0


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 300 isolates."""
    path = tmp_path_factory.mktemp("files") / "hospital.sir"
    write_file(generate_hospital(300, 5), path)
    return path


def wait_for(who: Person, selector: str, words: str) -> str:
    """Wait until an element says something, and return all it says."""
    deadline = time.monotonic() + PATIENCE
    while words not in (text := who.read(selector)):
        assert time.monotonic() < deadline, f"{selector} says {text!r}, not {words!r}"
        time.sleep(0.05)
    return text


def choose_file(who: Person, path: Path) -> None:
    """Choose a file in the form, as the browser's own window does."""
    document = who.call("DOM.getDocument")["root"]["nodeId"]
    field = who.call("DOM.querySelector", nodeId=document, selector="input[type=file]")["nodeId"]
    who.call("DOM.setFileInputFiles", nodeId=field, files=[str(path)])


@pytest.mark.parametrize(
    ("language", "isolates", "reason", "intermediate"),
    [
        ("en", "300 isolates read.", "Rests on", "intermediate"),
        ("es", "300 aislamientos leídos.", "Se basa en", "intermedio"),
    ],
)
def test_a_file_its_reasons_and_one_isolate(
    address: str, hospital: Path, language: str, isolates: str, reason: str, intermediate: str
) -> None:
    """Journeys J1 to J3 at 1280 and 390 px; what the page shows is there without leaving it."""
    origin = address.partition("/enter/")[0]
    with person() as who:
        who.open(address, arrives=f"{origin}/")
        who.open(f"{origin}/language/{language}", arrives=f"{origin}/")
        choose_file(who, hospital)
        who.click("main form button", arrives=f"{origin}/files/")
        assert isolates in who.read()
        here = who.run("location.href")
        who.run("document.querySelector('td a.c').click()")
        wait_for(who, "#why", reason)
        assert who.run("location.href") == here
        for width in (1280, 390):
            who.call("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=False)
            assert who.run("document.documentElement.scrollWidth") <= width

        who.open(f"{origin}/isolate", arrives=f"{origin}/isolate")
        who.fill_in(organism="E. coli", CIP="0,5")
        assert intermediate in wait_for(who, "#answers", intermediate)
        assert who.run("document.documentElement.scrollWidth") <= 390
        assert who.run("localStorage.length + sessionStorage.length") == 0
        assert who.complaints == []
