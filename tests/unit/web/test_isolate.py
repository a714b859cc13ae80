"""One isolate, as somebody types it."""

import pytest
from starlette.testclient import TestClient

from sirena.web.opened_files import IDLE_SECONDS
from sirena.web.typed_isolates import LONGEST, MOST_OWNERS, TypedIsolates

LIVE = {"HX-Request": "true"}


@pytest.mark.parametrize("organism", ["eco", "E. coli", "Escherichia coli"])
@pytest.mark.parametrize("mic", ["0.5", "0,5", " 0.5 "])
def test_an_organism_is_known_by_code_and_name_and_an_mic_by_comma_and_point(
    person: TestClient, organism: str, mic: str
) -> None:
    """CLSI 2026: ciprofloxacin 0.5 mg/L in Enterobacterales is I."""
    answer = person.post("/isolate", data={"organism": organism, "CIP": mic}, headers=LIVE).text
    assert '<span class="c I">I</span>' in answer
    assert "intermediate" in answer


def test_each_guideline_answers_for_itself(person: TestClient) -> None:
    """EUCAST's I is susceptible at increased exposure, and the page says so."""
    asked = {"organism": "pae", "CAZ": "4"}
    assert "susceptible, increased exposure" in person.post("/isolate", data={**asked, "guideline": "EUCAST"}).text
    assert '<span class="c S">S</span>' in person.post("/isolate", data={**asked, "guideline": "CLSI"}).text


def test_the_specimen_decides(person: TestClient) -> None:
    """Nitrofurantoin is for urine alone; without a specimen the answer carries its mark."""
    asked = {"organism": "eco", "NIT": "16"}
    in_blood = person.post("/isolate", data={**asked, "specimen": "sangre"}, headers=LIVE).text
    assert '<span class="c NI">NI</span>' in in_blood
    unknown = person.post("/isolate", data=asked, headers=LIVE).text
    assert "(urine isolates only)" in unknown


def test_what_cannot_be_read_is_a_sentence_and_never_an_error(person: TestClient) -> None:
    """Organisms nobody knows, MICs that are none, nothing at all."""
    assert "The organism is not known" in person.post("/isolate", data={"organism": "zzz", "CIP": "1"}).text
    assert "The value is not an MIC" in person.post("/isolate", data={"organism": "eco", "CIP": "<script>"}).text
    assert "Type an organism" in person.post("/isolate", data={}, headers=LIVE).text
    assert person.post("/isolate", data={"organism": "x" * 5000, "CIP": "9" * 500}).status_code == 200


def test_reload_and_back_lose_nothing_that_was_typed(person: TestClient) -> None:
    """Neither in an address nor in the browser: the server keeps it, and the answers stand beside it."""
    typed = {"organism": "eco", "specimen": "sangre", "guideline": "EUCAST", "CIP": "0.5", "VOR": "1"}
    assert person.post("/isolate", data=typed, headers=LIVE).status_code == 200
    page = person.get("/isolate")
    assert page.url.query == b""
    for name in ("organism", "specimen", "CIP"):
        assert f'name="{name}"' in page.text
        assert f'value="{typed[name]}"' in page.text
    assert 'value="EUCAST" checked' in page.text
    assert "susceptible, increased exposure" in page.text
    assert "set-cookie" not in page.headers


def test_what_was_typed_is_gone_when_it_is_cleared(person: TestClient) -> None:
    """And when the fields are emptied."""
    for address, form in (("/isolate/clear", {}), ("/isolate", {"organism": ""})):
        person.post("/isolate", data={"organism": "Quirogella"}, headers=LIVE)
        assert "Quirogella" in person.get("/isolate").text
        assert person.post(address, data=form).status_code == 200
        assert "Quirogella" not in person.get("/isolate").text


def test_each_owner_has_one_isolate_until_nobody_looks_at_it() -> None:
    """Nobody sees another's; the one seen longest ago makes room; a very long one is not kept."""
    now = 0.0
    typed = TypedIsolates(lambda: now)
    typed.keep("session a", {"organism": "eco", "CIP": ""})
    typed.keep("session b", {"organism": "pae"})
    assert (typed.of("session a"), typed.of("session b")) == ({"organism": "eco"}, {"organism": "pae"})
    assert typed.of("session c") == {}
    now = IDLE_SECONDS - 1.0
    assert typed.of("session a")
    now = IDLE_SECONDS + 1.0
    assert typed.of("session b") == {}
    assert typed.owners() == {"session a"}
    for number in range(MOST_OWNERS):
        typed.keep(f"person {number}", {"organism": "eco"})
    assert typed.of("session a") == {}
    assert len(typed.owners()) == MOST_OWNERS
    typed.keep("person 1", {"organism": "x" * LONGEST})
    assert typed.of("person 1") == {}


def test_the_models_category_stays_and_the_rule_stands_beside_it(person: TestClient) -> None:
    """An MRSA by its cefoxitin: amoxicillin/clavulanic acid and penicillin are R!, what is R already is not."""
    asked = {"organism": "S. aureus", "FOX": "16", "PEN": "0.03", "CIP": "0.25"}
    answer = person.post("/isolate", data=asked, headers=LIVE).text
    parts = {
        name: part
        for name in ("Cefoxitin", "Penicillin", "Ciprofloxacin")
        for part in answer.split("<li><details")
        if f" {name} " in part.partition("</summary>")[0]
    }
    assert '<span class="c S">S</span> <span class="c R">R!</span>' in parts["Penicillin"].partition("</summary>")[0]
    assert "Reported R by an expert rule: MRS" in parts["Penicillin"]
    assert "R!" not in parts["Cefoxitin"] + parts["Ciprofloxacin"]
    assert "R!" in person.get("/isolate").text


def test_a_mechanism_that_was_tested_for_is_what_rules_go_by(person: TestClient) -> None:
    """Clindamycin 0.25 stays S and is reported R where resistance can be induced; Reload loses nothing."""
    asked = {"organism": "sau", "CLI": "0.25", "INDUC_CLI": "+"}
    assert "Reported R by an expert rule: ICR" in person.post("/isolate", data=asked, headers=LIVE).text
    page = person.get("/isolate").text
    assert '<option value="+" selected>positive' in page
    assert "R!" in page
    for sign in ("-", "", "<b>"):
        answer = person.post("/isolate", data={**asked, "INDUC_CLI": sign}, headers=LIVE).text
        assert '<span class="c S">S</span>' in answer
        assert "R!" not in answer


def test_only_mechanisms_that_a_rule_in_force_names_are_asked_for(person: TestClient) -> None:
    """CLSI's rule for ESBL ended in 2009: the editions of today ask for none."""
    page = person.get("/isolate").text
    assert 'name="MRSA"' in page
    assert 'name="BETA_LACT"' in page
    assert 'name="ESBL"' not in page
