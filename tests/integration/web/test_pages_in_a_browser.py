"""The pages of `sirena open`, used at Chromium in both languages: no complaint of the browser, no page too wide.

One browser and one server serve all tests; the examiner of accessibility (axe) has a browser of its own, so that what
it does to a page hides no fault of the page.
"""

import base64
import json
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.accessibility import violations
from tests.browser_person import Person, person
from tests.integration.web.visiting import (
    ENTER,
    ESCAPE,
    PATIENCE,
    TAB,
    drop,
    enter,
    press,
    refuse_sideways_scrolling,
    wait_until,
)

SIGHT = """[document.querySelector('[name=CIP]').getBoundingClientRect().bottom,
    document.querySelector('#answers').getBoundingClientRect().top,
    document.querySelector('#answers .c').getBoundingClientRect().bottom]"""


@pytest.mark.parametrize(
    ("language", "words", "further"),
    [
        (
            "en",
            *(("300 isolates read.", "Rests on", "intermediate", "From rows to isolates", "columns were compared"),),
            {"drift": "Nothing drifts.", "labels": "results to look at", "mapping": "What the columns are"},
        ),
        (
            "es",
            *(("300 aislamientos leídos.", "Se basa en", "intermedio", "De filas a aislamientos", "Se compararon"),),
            {"drift": "Nada deriva.", "labels": "resultados que mirar", "mapping": "Qué son las columnas"},
        ),
    ],
)
def test_a_file_its_reasons_its_antibiogram_another_edition_and_one_isolate(
    who: Person, address: str, hospital: Path, language: str, words: tuple[str, ...], further: dict[str, str]
) -> None:
    """Journeys J1 to J4, J7, J9 and J10; no page is wider than its window."""
    isolates, reason, intermediate, steps, compared = words
    origin = enter(who, address, language)
    here = drop(who, origin, hospital)
    assert isolates in who.read()
    who.run("document.querySelector('td a.c').click()")
    who.wait_for("#why", reason)
    refuse_sideways_scrolling(who, "why")
    assert who.run("location.href") == here
    who.run("document.querySelector('#main').focus()")
    press(who, ESCAPE)
    assert who.run("document.activeElement === document.querySelector('td a.c')")
    refuse_sideways_scrolling(who)

    who.open(f"{here}/antibiogram?by=ward", arrives=f"{here}/antibiogram")
    assert steps in who.read()
    refuse_sideways_scrolling(who)
    who.open(f"{here}/edition?edition=CLSI+2025", arrives=f"{here}/edition")
    assert compared in who.read()
    refuse_sideways_scrolling(who)
    for page, sentence in further.items():
        who.open(f"{here}/{page}", arrives=f"{here}/{page}")
        assert sentence in who.read()
        refuse_sideways_scrolling(who)
    who.run("document.querySelector('select[name=role-0]').value = 'ignore'")
    who.click("main form button", arrives=here)
    who.wait_for("main", isolates)

    who.open(f"{origin}/isolate", arrives=f"{origin}/isolate")
    who.fill_in(organism="E. coli", CIP="0,5")
    who.wait_for("#answers", intermediate)
    refuse_sideways_scrolling(who, "answered")
    who.open(f"{origin}/isolate", arrives=f"{origin}/isolate")
    assert who.run("document.querySelector('[name=CIP]').value") == "0,5"
    assert intermediate in who.read("#answers")
    # on a telephone, where fields and answers stand below one another, both are in sight of whoever types
    who.run("document.querySelector('[name=CIP]').focus()")
    field, top, badge = who.run(SIGHT)
    assert 0 < field <= top < badge <= 844
    who.keep_picture("typing")
    who.click("button[form=clear]", arrives=f"{origin}/isolate")
    wait_until(who, "document.querySelector('[name=CIP]')?.value === ''")
    assert who.run("localStorage.length + sessionStorage.length") == 0
    assert who.complaints == []


@pytest.mark.parametrize(
    ("language", "drug", "words"),
    [
        ("en", "AMK", ("cell is empty", "are S now and would be R.", "waits for approval", "Approved.")),
        ("es", "TZP", ("celda", "son S ahora y serían R.", "espera aprobación", "Aprobada.")),
    ],
)
def test_a_rule_is_written_saved_and_approved_by_keyboard_alone(
    who: Person, address: str, hospital: Path, language: str, drug: str, words: tuple[str, ...]
) -> None:
    """Journey J6: a rule without its reason is refused by name, Reload loses nothing, and the next file is answered."""
    wrong, grave, waits, approved = words
    origin = enter(who, address, language)
    drop(who, origin, hospital)
    draft = f"{origin}/rules/overlay/edit"
    who.open(draft, arrives=draft)
    place = who.run("document.querySelectorAll('fieldset.rule').length") - 1
    for column, text in {"drug": drug, "group": "E. coli", "S": "0,25", "R": "0,5"}.items():
        type_into(who, f"[name={column}-{place}]", text)
    press(who, ENTER)
    read_through(who, "#outcome [role=alert]", wrong)
    # the console names the refusal's status, and must name nothing else
    assert all("422" in complaint for complaint in who.complaints)
    who.complaints.clear()
    place = who.run("[...document.querySelectorAll('[name^=why-]')].findIndex(one => !one.value)")
    type_into(who, f"[name=why-{place}]", "PROA")
    press(who, ENTER)
    read_through(who, "#preview", grave)
    who.open(draft, arrives=draft)
    who.wait_for("#preview", grave)
    refuse_sideways_scrolling(who)
    type_into(who, "#reason", "PROA")
    press(who, ENTER)
    read_through(who, "h1", waits)
    who.wait_for("#preview", grave)
    refuse_sideways_scrolling(who)
    reach(who, "form.act button")
    press(who, ENTER)
    read_through(who, "main", approved)
    refuse_sideways_scrolling(who)
    deadline = time.monotonic() + PATIENCE
    while f"+ overlay-{place + 1}.csv" not in who.read("footer"):  # asked once a second
        assert time.monotonic() < deadline
        who.open(f"{origin}/rules", arrives=f"{origin}/rules")
    refuse_sideways_scrolling(who)
    assert who.complaints == []


def read_through(who: Person, selector: str, words: str) -> None:
    """Wait until the page that comes after this one is whole and says something; one being left cannot answer."""
    deadline, text = time.monotonic() + PATIENCE, ""
    while words not in text:
        assert time.monotonic() < deadline, f"{selector} says {text!r}, not {words!r}"
        time.sleep(0.05)
        with suppress(AssertionError):
            text = who.read(selector) if who.run("document.readyState") == "complete" else ""


def reach(who: Person, selector: str) -> None:
    """Go by Tab until an element has the focus."""
    for _ in range(200):
        if who.run(f"document.activeElement.matches({json.dumps(selector)})"):
            return
        press(who, TAB)
    raise AssertionError(f"Tab does not reach {selector}")


def type_into(who: Person, selector: str, text: str) -> None:
    """Go to a field by Tab and type."""
    reach(who, selector)
    who.call("Input.insertText", text=text)


def test_a_keyboard_reaches_the_content_first(who: Person, address: str) -> None:
    """The first Tab shows the way past the head, Enter takes it, and the next Tab is at the content."""
    enter(who, address, "en")
    press(who, TAB)
    assert who.run("document.activeElement.className") == "skip"
    assert who.run("document.activeElement.getBoundingClientRect().left") >= 0
    press(who, ENTER)
    assert who.run("document.activeElement.id") == "main"
    press(who, TAB)
    assert who.run("document.activeElement.closest('main') !== null")


def test_on_paper_the_table_is_whole_and_its_head_comes_again(who: Person, address: str, hospital: Path) -> None:
    """A4 across; letters stand beside colours, and what only a screen can use is away."""
    here = drop(who, enter(who, address, "en"), hospital)
    paper = base64.b64decode(who.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    (width, height), *others = {
        (round(float(box[1])), round(float(box[2])))
        for box in re.finditer(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)
    }
    assert (width, height, others) == (842, 595, [])
    who.call("Emulation.setEmulatedMedia", media="print")
    who.set_width(1047)  # A4 across without its margins
    try:
        assert who.run("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
        assert who.run("getComputedStyle(document.querySelector('header nav')).display") == "none"
        assert who.run("getComputedStyle(document.querySelector('.key')).display") == "block"
        assert who.run("document.documentElement.scrollWidth") <= 1047
        who.open(f"{here}/antibiogram", arrives=f"{here}/antibiogram")
        assert who.run("document.documentElement.scrollWidth") <= 1047
    finally:
        who.call("Emulation.setEmulatedMedia", media="")


def test_axe_has_nothing_to_say(address: str, hospital: Path) -> None:
    """WCAG 2.2 at AA, of every page, on a screen and on a telephone."""
    with person() as examiner:
        origin = enter(examiner, address, "es")
        here = drop(examiner, origin, hospital)
        pages = [
            *(f"{origin}/", f"{origin}/isolate", f"{origin}/files/none", f"{here}?category=NS"),
            str(examiner.run("document.querySelector('td a.c').href")),
            *(f"{here}/antibiogram?by=ward&screening=SPEC_TYPE.1", f"{here}/antibiogram?first_day=2024-01-01"),
            *(f"{here}/edition", f"{here}/edition?edition=EUCAST+2025"),
            *(f"{here}/drift", f"{here}/drift?period=2020", f"{here}/labels", f"{here}/mapping"),
            *(f"{origin}/rules", f"{origin}/rules/overlay/edit", f"{origin}/rules/expert/edit"),
            f"{origin}/rules/overlay/1",  # of the journey above
        ]
        found = violations(examiner, {page.removeprefix(here).removeprefix(origin): page for page in pages})
    assert found == {}, json.dumps(found, indent=1, ensure_ascii=False)
