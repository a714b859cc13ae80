"""Beside the answers of an open file: alerts, what expert rules report, and the search."""

import re
from dataclasses import replace

import polars as pl
import pytest
from starlette.testclient import TestClient

from sirena.web.answers import NamedPanel
from sirena.web.application import application_of, create_pages
from sirena.web.opened_files import OpenedFiles
from sirena.web.other_editions import OtherEditions
from sirena.web.pages import Pages
from sirena.web.visitors import ENTER, OwnMachineOnly
from tests.unit.web.conftest import KEY, ORIGIN, drop

FILE = b"""SPEC_NUM,WARD,SPEC_TYPE,ORGANISM,MRSA,OXA_NM,FEP_NM,MEM_NM,AMK_NM
M-1,UCI,bl,sau,+,>=4,,,
M-2,UCI,bl,eco,,,>=32,>=16,4
M-3,MED,ur,eco,,,<=1,<=0.25,4
M-4,MED,ur,pae,,,8,1,4
"""


def words(page: str) -> str:
    """Return the text of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


@pytest.mark.parametrize(("language", "sentence"), [("en", "WHO 2024: critical"), ("es", "OMS 2024: crítica")])
def test_alerts_stand_before_the_table_and_filter_it(person: TestClient, language: str, sentence: str) -> None:
    """WHO's critical first; each leads to its isolates, and the address names nobody."""
    address = drop(person, FILE)
    page = person.get(address, headers={"accept-language": language}).text
    assert page.index('id="alerts"') < page.index("<table>")
    first = re.search(r'id="alerts".*?<li>(.*?)</li>', page, re.DOTALL)
    assert first is not None
    assert sentence in first[1]
    link = re.search(r'href="([^"]*alert=[^"]*)"', first[1])
    assert link is not None
    shown = words(person.get(link[1].replace("&amp;", "&")).text)
    assert "1 isolate matches." in shown
    assert "M-2" in shown
    assert "M-3" not in shown


def test_a_file_without_findings_says_how_much_was_looked_for(person: TestClient) -> None:
    """None found is not none looked for."""
    address = drop(person, b"ORGANISM,MEM_NM\neco,<=0.25\n")
    assert re.search(r"No alert: \d+ were looked for", words(person.get(address).text))


def test_what_a_rule_reports_stands_beside_the_answer(person: TestClient) -> None:
    """A beta-lactam of an MRSA that is answered S is marked R!, and its reason names the rule."""
    content = b"SPEC_NUM,ORGANISM,MRSA,CPT_NM,AMC_NM\nM-1,sau,+,0.5,2\nM-2,sau,-,0.5,2\n"
    address = drop(person, content)
    page = person.get(address).text
    assert "R!" in page
    tests = re.findall(r"/rows/0/(\w+)", page)
    reasons = [words(person.get(f"{address}/rows/0/{test}").text) for test in tests]
    assert any("Reported R by an expert rule: MRS" in reason for reason in reasons)
    others = [words(person.get(f"{address}/rows/1/{test}").text) for test in tests]
    assert not any("Reported R" in reason for reason in others)
    taken = pl.read_csv(person.get(f"{address}/download/csv").content, infer_schema=False)
    reported = [name for name in taken.columns if name.endswith("_reported")]
    assert reported
    assert all(taken[name].to_list()[0] == "R" for name in reported)
    assert all((taken[name.replace("_reported", "_rule")][0] or "").startswith("MRS") for name in reported)


def test_a_search_stays_and_stands_in_no_address(person: TestClient) -> None:
    """Specimen number, ward or the organism's name, in whatever case; an empty one shows all again."""
    address = drop(person, FILE)
    for text, expected in (("m-4", "M-4"), ("med", "M-3"), ("pseudo", "M-4")):
        page = person.post(f"{address}/search", data={"text": text})
        assert page.url.path == address
        assert page.url.query == b""
        assert expected in words(page.text)
        assert "M-1" not in words(page.text)
    assert "M-1" not in words(person.get(address).text)
    assert "M-1" in words(person.post(f"{address}/search", data={"text": ""}).text)


def test_what_was_searched_goes_with_its_file(answers: NamedPanel) -> None:
    """It may be a specimen's number: by Delete now it is gone, and that of another file stays."""
    pages = Pages(lambda: answers, OpenedFiles())
    guarded = OwnMachineOnly(application_of(pages, OtherEditions()), KEY)
    with TestClient(guarded, base_url=ORIGIN, headers={"origin": ORIGIN}) as person:
        person.get(f"{ENTER}{KEY}")
        first, second = (drop(person, FILE) for _ in range(2))
        for address in (first, second):
            person.post(f"{address}/search", data={"text": "M-4"})
        person.post(f"{first}/forget")
        assert dict(pages.searches.of("")) == {second.rpartition("/")[2]: "M-4"}
        assert "M-1" not in words(person.get(second).text)


@pytest.mark.parametrize(
    ("edition", "said"), [("CLSI 2026", "R CLSI 2026"), ("EUCAST 2026", "I EUCAST 2026: otherwise than the model")]
)
def test_a_models_answer_stands_beside_the_editions_own(answers: NamedPanel, edition: str, said: str) -> None:
    """With model, version and release: meropenem 4 is R by CLSI and I by EUCAST."""
    provenance = {"model": "modelo_MEM_NM", "version": "2", "release": "panel_SIR/3", "edition": edition}
    panel = replace(answers.panel, provenance={"MEM_NM": provenance}, release="panel_SIR/3")
    pages = create_pages(replace(answers, panel=panel, by_models=True), OpenedFiles(), KEY)
    with TestClient(pages, base_url=ORIGIN, headers={"origin": ORIGIN}) as person:
        person.get(f"{ENTER}{KEY}")
        address = drop(person, b"ORGANISM,MEM_NM\neco,4\n")
        reason = words(person.get(f"{address}/rows/0/MEM_NM").text)
    assert "modelo_MEM_NM/2" in reason
    assert "panel_SIR/3" in reason
    assert f"The edition itself {said}" in reason
