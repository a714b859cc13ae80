"""The pages at Chromium when all is not as usual: every format, noise, large files, little motion, keys alone."""

from pathlib import Path

import pytest

from sirena.whonet.reading import read_file
from sirena.whonet.writing import write_file
from tests.browser_person import Person
from tests.integration.web.visiting import TAB, drop, enter, press, refuse_sideways_scrolling, wait_through

FORMATS = ("csv", "csv.gz", "tsv", "txt", "xlsx", "parquet", "sqlite", "db", "dbf", "sir")
MOVES = """[...document.querySelectorAll('*')].filter(one => {
    const style = getComputedStyle(one);
    return style.scrollBehavior !== 'auto' || style.animationName !== 'none'
        || !style.transitionDuration.split(', ').every(seconds => seconds === '0s');
}).map(one => one.outerHTML.slice(0, 80))"""
FOCUS = """(() => {
    const one = document.activeElement, box = one.getBoundingClientRect();
    return {place: [...document.querySelectorAll('*')].indexOf(one), tag: one.tagName, top: box.top, left: box.left,
        bottom: box.bottom, outline: getComputedStyle(one).outlineStyle};
})()"""


def forget(who: Person, origin: str) -> None:
    """Delete the first open file."""
    who.open(f"{origin}/", arrives=f"{origin}/")
    who.run("window.isLeft = true")
    who.click("form[action$='/forget'] button", arrives=f"{origin}/")
    wait_through(who, "window.isLeft === undefined && document.readyState === 'complete'")


def test_every_format_opens_with_the_same_summary(who: Person, address: str, hospital: Path, tmp_path: Path) -> None:
    """As the laboratory's own system exports it, or a spreadsheet: the same isolates, results and categories."""
    origin = enter(who, address, "en")
    frame = read_file(hospital).frame.head(60)
    summaries = {}
    for end in FORMATS:
        file = tmp_path / f"hospital.{end}"
        write_file(frame, file)
        drop(who, origin, file)
        summaries[end] = who.read(".summary")
        assert file.name in who.read("h1")
        forget(who, origin)
    assert set(summaries.values()) == {summaries["sir"]}
    assert "60 isolates read." in summaries["sir"]
    assert who.complaints == []


def test_noise_is_refused_in_a_sentence_and_what_was_open_stays(
    who: Person, address: str, hospital: Path, tmp_path: Path
) -> None:
    """A second upload stands beside the first; a file of noise beside both is named as none, and takes nothing away."""
    origin = enter(who, address, "es")
    first, second = drop(who, origin, hospital), ""
    who.open(f"{origin}/", arrives=f"{origin}/")
    second = drop(who, origin, hospital)
    noise = tmp_path / "ruido.sir"
    noise.write_bytes(bytes(range(256)) * 40)
    who.open(f"{origin}/", arrives=f"{origin}/")
    who.choose_file(noise)
    who.click("main form button", arrives=f"{origin}/files")
    assert "No ha sido posible" in who.read("h1")
    refuse_sideways_scrolling(who, "noise")
    for here in (first, second):
        who.open(here, arrives=here)
        assert "300 aislamientos leídos." in who.read(".summary")
    forget(who, origin)
    forget(who, origin)
    # the console names the refusal's status, and nothing else
    assert all("422" in complaint for complaint in who.complaints)
    who.complaints.clear()


def test_two_hundred_megabytes_open_and_more_are_refused_in_a_sentence(
    who: Person, address: str, tmp_path: Path
) -> None:
    """Few isolates with long remarks, so that the bytes and not the answers are tried."""
    origin = enter(who, address, "en")
    file = tmp_path / "large.csv"
    row = b"M1,eco,<=2," + b"x" * 199_000 + b"\n"
    with file.open("wb") as stream:
        stream.write(b"SPEC_NUM,ORGANISM,AMK_NM,COMMENT\n")
        stream.writelines(row for _ in range(1_050))
    drop(who, origin, file)
    assert "1,050 isolates read." in who.read(".summary")
    forget(who, origin)
    with file.open("ab") as stream:
        stream.truncate(210 * 1024**2)
    who.choose_file(file)
    who.click("main form button", arrives=f"{origin}/")
    assert "The file is too large. The pages take up to 200 MB." in who.wait_for("[role=alert]", "200 MB")
    assert who.run("document.querySelector('.on-its-way').hidden")
    refuse_sideways_scrolling(who, "too-large")
    assert who.complaints == []


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_nothing_moves(who: Person, address: str, hospital: Path, wish: str) -> None:
    """Whoever asks for little motion sees none, and nobody else does: neither styles nor the exchange of parts move."""
    origin = enter(who, address, "en")
    who.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": wish}])
    try:
        here = drop(who, origin, hospital)
        who.run("document.startViewTransition = () => { throw new Error('moves') }")
        who.run("document.querySelector('td a.c').click()")
        who.wait_for("#why", "Rests on")
        assert who.run(MOVES) == []
        assert who.run("document.getAnimations().length") == 0
        for page in (f"{here}/antibiogram", f"{origin}/isolate", f"{origin}/"):
            who.open(page, arrives=page)
            assert who.run(MOVES) == []
        forget(who, origin)
    finally:
        who.call("Emulation.setEmulatedMedia", features=[])
    assert who.complaints == []


def test_the_focus_goes_as_one_reads_and_is_seen(who: Person, address: str, hospital: Path) -> None:
    """By Tab through a file, its antibiogram and one isolate: in the order of the page, outlined, within the window."""
    origin = enter(who, address, "en")
    here = drop(who, origin, hospital)
    who.set_width(1280)
    for page in (here, f"{here}/antibiogram", f"{origin}/isolate"):
        who.open(page, arrives=page)
        places = []
        for _ in range(45):
            press(who, TAB)
            focus = who.run(FOCUS)
            if focus["tag"] == "BODY":
                break
            places.append(focus["place"])
            assert focus["outline"] != "none", who.run("document.activeElement.outerHTML")
            assert focus["left"] >= 0
            assert 0 <= focus["bottom"] <= 844 + 44, who.run("document.activeElement.outerHTML")
        assert len(places) > 10
        assert places == sorted(places)
    forget(who, origin)
