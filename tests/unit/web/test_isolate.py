"""One isolate, as somebody types it."""

import pytest
from starlette.testclient import TestClient

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
