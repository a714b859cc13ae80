"""One person at the pages of their own machine."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.web.answers import NamedPanel, answers_of_editions
from sirena.web.application import application_of
from sirena.web.opened_files import OpenedFiles
from sirena.web.other_editions import OtherEditions
from sirena.web.pages import Pages
from sirena.web.visitors import OwnMachineOnly

ORIGIN = "http://127.0.0.1:5999"
KEY = "a-key-of-this-test"
ISOLATES = (
    "PATIENT_ID,LAST_NAME,SPEC_NUM,SPEC_TYPE,ORGANISM,AMK_NM,CIP_NM,NIT_NM\n"
    "H-771204,Quiroga,M1,ur,eco,<=2,0.5,16\n"
    "H-771205,Zubiri,M2,bl,eco,8,>4,16\n"
    "H-771206,Quiroga,M3,bl,pae,many,1,\n"
)
"""Three isolates with patients; one MIC that is none."""


@pytest.fixture(scope="session")
def answers() -> NamedPanel:
    """The editions in force."""
    return answers_of_editions(choose_editions(Editions()))


@pytest.fixture(scope="session")
def own_pages(answers: NamedPanel) -> tuple[Pages, OwnMachineOnly]:
    """The pages of one's own machine: making their sixty routes takes longer than most tests."""
    pages = Pages(lambda: answers, OpenedFiles())
    return pages, OwnMachineOnly(application_of(pages, OtherEditions()), KEY)


@pytest.fixture
def visitor(own_pages: tuple[Pages, OwnMachineOnly]) -> Iterator[TestClient]:
    """Somebody without the key, at pages that nobody has used."""
    pages, application = own_pages
    with TestClient(application, base_url=ORIGIN, headers={"origin": ORIGIN, "accept-language": "en"}) as client:
        yield client
    pages.files.forget_owners(pages.files.owners())
    for typed in pages.text_stores():
        typed.forget_owners(typed.owners())


@pytest.fixture
def person(visitor: TestClient) -> TestClient:
    """Somebody who opened the printed address."""
    assert visitor.get(f"/enter/{KEY}").status_code == 200
    return visitor


def drop(person: TestClient, content: bytes, name: str = "hospital.csv") -> str:
    """Drop a file on the pages and return the address it is shown at."""
    taken = person.post("/files", files={"file": (name, content)}, follow_redirects=False)
    assert taken.status_code == 303, taken.text
    return str(taken.headers["location"])
