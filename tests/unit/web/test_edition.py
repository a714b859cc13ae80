"""What another edition would change in an open file."""

import re

import pytest
from starlette.testclient import TestClient

from tests.unit.web.conftest import drop

FILE = (
    b"SPEC_NUM,SPEC_TYPE,ORGANISM,FEP_NM,MEM_NM,TZP_NM,CIP_NM\n"
    b"M1,bl,eco,8,4,16,0.25\n"
    b"M2,bl,eco,1,2,8,0.5\n"
    b"M3,bl,eco,1,2,8,0.25\n"
)


def changes(page: str) -> list[tuple[str, str, str, int]]:
    """Return category now and then, column and results of each line of the page."""
    lines = re.findall(
        r'<tr><td><span class="c \w+">(\w+)</span></td><td><span class="c \w+">(\w+)</span></td>\s*'
        r'<td class="figure">(\d+)</td>\s*<th scope="row">[^<]*\((\w+)\)</th>',
        page,
    )
    return [(before, after, column, int(results)) for before, after, results, column in lines]


def test_a_change_of_guideline_is_told_with_its_rows(person: TestClient) -> None:
    """CLSI to EUCAST in Enterobacterales: FEP 8 SDD to R, MEM 4 R to I, MEM 2 I to S, TZP 16 SDD to R."""
    page = person.get(f"{drop(person, FILE)}/edition?edition=EUCAST 2025").text
    assert set(changes(page)) >= {
        ("SDD", "R", "FEP_NM", 1),
        ("R", "I", "MEM_NM", 1),
        ("I", "S", "MEM_NM", 2),
        ("SDD", "R", "TZP_NM", 1),
    }
    assert "so all are read as if they were" in page
    assert "4 columns were compared." in page
    assert "From CLSI 2026 to EUCAST 2025," in page
    assert re.search(r'/rows/0/FEP_NM">Row 2</a>', page)


def test_an_edition_answers_the_columns_of_its_own_guideline(person: TestClient) -> None:
    """The edition in force changes nothing; EUCAST's columns are not CLSI's to answer."""
    address = drop(person, b"ORGANISM,AMK_NM,AMK_EM\neco,8,8\neco,16,16\n")
    same = person.get(f"{address}/edition?edition=CLSI 2026").text
    assert "0 results get another category." in same
    assert "1 column was compared." in same
    assert "so all are read" not in same


def test_susceptible_that_becomes_resistant_stands_first(person: TestClient) -> None:
    """And is counted in a sentence."""
    # CLSI: R at 8 and above; EUCAST: R above 1 (Enterococcus and ampicillin stay as they are)
    page = person.get(f"{drop(person, b'ORGANISM,AMK_NM,CIP_NM,LVX_NM' + ROWS)}/edition?edition=EUCAST 2026").text
    listed = changes(page)
    grave = [line for line in listed if line[:2] == ("S", "R")]
    assert grave
    assert listed[: len(grave)] == grave
    assert f"{sum(line[3] for line in grave)} results are S now and would be R." in page


ROWS = b"\npae,8,0.5,1\npae,16,0.25,0.5\nabx,16,1,2\nabx,4,1,2\n"


@pytest.mark.parametrize("edition", ["", "CLSI 1999", "<script>"])
def test_an_edition_that_is_not_there_teaches_instead(person: TestClient, edition: str) -> None:
    """The page of nothing chosen yet."""
    page = person.get(f"{drop(person, FILE)}/edition", params={"edition": edition}).text
    assert "Choose an edition" in page
    assert "<script>" not in page
