"""Models and releases on the pages of one's own machine: a registry, a gate and a ledger as a person has them."""

import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient

from sirena.acts.judged_panel import look_for_active
from sirena.cli.pages_answers import models_of
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.ledger.store import open_ledger
from sirena.registry.connection import connect
from sirena.registry.versions import Stage, find_version
from sirena.serving.server import bind, url_of
from sirena.settings.catalogue import Settings
from sirena.web.answers import NamedPanel, answers_of_editions, answers_of_release
from sirena.web.application import create_entry_pages, create_pages
from sirena.web.opened_files import OpenedFiles
from sirena.web.other_editions import OtherEditions
from sirena.web.records import keep_no_record
from tests.browser_person import Person
from tests.browser_person import person as browser_person
from tests.integration.registry import house
from tests.integration.registry.registry_models import Trained

ORIGIN = "http://127.0.0.1:5999"
KEY = "a-key-of-this-test"
MODEL = "modelo_CAZ_NM"
ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}


@cache
def answers_in_force() -> NamedPanel:
    """Return the answers of the editions in force."""
    return answers_of_editions(choose_editions(Editions()))


def person_at(settings: Settings, language: str = "en", answers: NamedPanel | None = None) -> TestClient:
    """Return somebody at the pages of a home; the editions answer where no release does."""
    answers = answers or answers_in_force()
    application = create_pages(answers, OpenedFiles(), KEY, installed_models=models_of(settings))
    headers = {"origin": ORIGIN, "accept-language": language}
    client = TestClient(application, base_url=ORIGIN, headers=headers)
    assert client.get(f"/enter/{KEY}").status_code == 200
    return client


@pytest.fixture
def settings(blank: Path, tmp_path: Path) -> Settings:
    """A home with an empty registry."""
    home = shutil.copytree(blank, tmp_path / "home")
    return Settings(home=home, tracking_uri=f"sqlite:///{home}/mlflow.db", user="ana")


@pytest.fixture
def person(settings: Settings, train: Callable[..., Trained]) -> TestClient:
    """Ana, with a right version of ceftazidime's model and a wrong one after it."""
    registry = connect(settings)
    for table in (house.reference(), house.wrong_reference()):
        house.log_trained(registry, replace(train("CAZ_NM"), table=table))  # type: ignore[arg-type]
    return person_at(settings)


@pytest.fixture
def who() -> Iterator[Person]:
    """Somebody at a browser."""
    with browser_person() as somebody:
        yield somebody


def give(person: TestClient, model: str, number: int, stage: str = "Production", **more: str) -> str:
    """Send the form that gives a stage; return the page it leads to."""
    page = person.post("/stage", data={"model": model, "version": str(number), "stage": stage, **more})
    assert page.status_code == 200
    return text_of(page.text)


def text_of(page: str) -> str:
    """Return what a page says, without markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_without_a_registry_the_pages_teach_and_make_none(tmp_path: Path) -> None:
    """Looking makes no database."""
    person = person_at(Settings(home=tmp_path, tracking_uri=f"sqlite:///{tmp_path}/mlflow.db"))
    assert "sirena train hospital.sir" in person.get("/models").text
    assert "There is no release yet." in person.get("/releases").text
    missing = person.get(f"/models/{MODEL}/1")
    assert (missing.status_code, "no model on this machine yet" in missing.text) == (422, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("places", "is_shown"), [("models,make_release", True), ("models", False)])
def test_behind_the_entry_a_release_is_made_by_who_may(tmp_path: Path, places: str, is_shown: bool) -> None:
    """The form leads to the access service; whoever may not make one is shown no way that ends in a refusal."""
    answers = answers_in_force()
    settings = Settings(home=tmp_path, tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    application = create_entry_pages(
        lambda: answers, OpenedFiles(), keep_no_record, frozenset, OtherEditions(), models_of(settings)
    )
    headers = {"x-sirena-user": "carl", "x-sirena-session": "s1", "x-sirena-places": places}
    page = TestClient(application, base_url="https://sirena.example", headers=headers).get("/app/releases")
    assert page.status_code == 200
    assert ('action="/auth/release"' in page.text) is is_shown
    assert ("sirena release create" in page.text) is not is_shown


def test_a_version_is_promoted_released_activated_and_rolled_back_on_the_pages(
    person: TestClient, settings: Settings
) -> None:
    """Journey J5 on one's own machine: what the gate refuses is not done but for a reason, which is on record."""
    assert "1 model: 0 in production" in text_of(person.get("/models").text)
    assert "Its stage now: Production" in give(person, MODEL, 1)
    glance = text_of(person.get("/models").text)
    assert "1 model: 1 in production, 1 certificate to renew, 1 newer version that waits." in glance

    refused = give(person, MODEL, 2)
    assert "It was refused and nothing was changed." in refused
    assert re.search(r"GridAgreement ✗ not met \d+ of \d+ compared cells agreeing", refused)
    assert "S R Ceftazidime" not in refused
    assert re.search(r"R S Ceftazidime CAZ_NM", refused), "what the wrong version answers otherwise"
    registry = connect(settings)
    assert find_version(registry, f"{MODEL}/2").stage is Stage.NONE

    made = person.post("/releases", data={"note": "first"})
    assert (made.url.path, "“first”" in made.text) == ("/releases/1", True)
    assert "this release answers now" in give(person, "panel_SIR", 1)
    assert "Its stage now: Production" in give(person, MODEL, 2, override="a test")
    assert person.post("/releases").url.path == "/releases/2"
    refused = give(person, "panel_SIR", 2)
    assert f"{MODEL}/2 GridAgreement" in refused
    assert "1 model has another version." in refused
    assert "this release answers now" in give(person, "panel_SIR", 2, override="a test")
    assert "Release 2 answers, since" in text_of(person.get("/releases").text)
    assert "Roll back to this release" in person.get("/releases/1").text
    assert "brought back by ana" in give(person, "panel_SIR", 1)

    ledger = open_ledger(settings)
    done = [(entry.event, entry.who) for entry in ledger.read() if entry.outcome == "done"]
    ledger.close()
    counts = Counter(event for event, _ in done)
    assert (counts["promoted"], counts["activated"], counts["overridden"], counts["rolled_back"]) == (2, 2, 2, 1)
    assert {who for _, who in done} == {"ana"}


def test_the_reason_of_an_answer_names_who_approved_its_release(person: TestClient, settings: Settings) -> None:
    """Journey J2: at a file and at one isolate, from the ledger as it is now; a ledger that is away hides no reason."""
    give(person, MODEL, 1)
    person.post("/releases")
    give(person, "panel_SIR", 1)
    answers = answers_of_release(look_for_active(settings).panel)
    reader = person_at(settings, answers=answers)
    taken = reader.post("/files", files={"file": ("a.csv", b"ORGANISM,CAZ_NM\neco,4\n")})
    why = text_of(reader.get(f"{taken.url.path}/rows/0/CAZ_NM").text)
    assert re.search(r"panel_SIR/1 , approved by ana, answers since \w+ \d", why), why
    assert "approved by ana" in text_of(reader.post("/isolate", data={"organism": "eco", "CAZ": "4"}).text)
    give(person, MODEL, 2, override="a test")
    person.post("/releases")
    give(person, "panel_SIR", 2, override="a test")
    assert re.search(
        r"approved by ana.*, answered from .* until ", text_of(reader.get(f"{taken.url.path}/rows/0/CAZ_NM").text)
    )
    of_second = person_at(settings, answers=answers_of_release(look_for_active(settings).panel))
    why = text_of(of_second.post("/isolate", data={"organism": "eco", "CAZ": "4"}).text)
    assert "panel_SIR/2 , approved by ana against the gate: “a test”, answers since" in why
    give(person, "panel_SIR", 1)
    assert "brought back by ana" in text_of(reader.get(f"{taken.url.path}/rows/0/CAZ_NM").text)
    unknown = person_at(Settings(home=settings.home / "elsewhere"), answers=answers)
    taken = unknown.post("/files", files={"file": ("a.csv", b"ORGANISM,CAZ_NM\neco,4\n")})
    why = text_of(unknown.get(f"{taken.url.path}/rows/0/CAZ_NM").text)
    assert "panel_SIR/1" in why
    assert "approved by" not in why


def test_the_certificate_is_shown_as_a_picture_and_as_tables(person: TestClient) -> None:
    """Learned against official cut points, and where it differs; in the reader's language."""
    page = text_of(person.get(f"/models/{MODEL}/2/certificate").text)
    assert "S where the edition says R (VME)" in page
    assert "✗ no" in page
    picture = person.get(f"/models/{MODEL}/2/grid.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.content.startswith(b"<svg")
    assert " style=" not in picture.text


def test_in_spanish_nothing_of_the_pages_stays_english(person: TestClient, settings: Settings) -> None:
    """What the gate got and expects too."""
    del person
    reader = person_at(settings, "es")
    page = reader.get(f"/models/{MODEL}/2").text
    assert 'lang="en"' not in page.replace('hreflang="en" lang="en"', "")
    assert "celdas que difieren" in page
    assert "Aprendió de" in reader.get("/models").text


@pytest.mark.parametrize(
    "form",
    [
        {"model": MODEL, "version": "x", "stage": "Production"},
        {"model": MODEL, "version": "1", "stage": "Elsewhere"},
        {"model": MODEL, "version": "7", "stage": "Production"},
        {"model": "modelo_<b>", "version": "1", "stage": "Production"},
        {"model": "panel_SIR", "version": "1", "stage": "Staging"},
    ],
)
def test_a_form_that_names_nothing_there_is_changes_nothing(person: TestClient, form: dict[str, str]) -> None:
    """And its texts become no markup."""
    page = person.post("/stage", data=form)
    assert page.status_code in (404, 422)
    assert "<b>" not in page.text
    assert "0 in production" in text_of(person.get("/models").text)


def test_at_a_browser_in_spanish_a_version_comes_to_answer(person: TestClient, settings: Settings, who: Person) -> None:
    """Journey J5 with mouse and keyboard, at a screen's width and a telephone's; no complaint of the browser."""
    del person
    answers = answers_in_force()
    application = create_pages(answers, OpenedFiles(), KEY, installed_models=models_of(settings))
    bound = bind("127.0.0.1", 0)
    origin = url_of(bound)
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        who.open(f"{origin}/enter/{KEY}", arrives=f"{origin}/")
        who.open(f"{origin}/language/es?back=/models", arrives=f"{origin}/models")
        assert "0 en producción" in who.read()
        who.open(f"{origin}/models/{MODEL}/1", arrives=f"{origin}/models/{MODEL}/1")
        who.run("document.querySelector('form.act button').focus()")
        for kind in ("keyDown", "keyUp"):
            who.call("Input.dispatchKeyEvent", type=kind, **ENTER)
        who.arrive(f"{origin}/models/{MODEL}/1?done=1")
        assert "Su etapa ahora: Producción" in who.read("[role=status]")
        who.open(f"{origin}/releases", arrives=f"{origin}/releases")
        who.click("form.act button", arrives=f"{origin}/releases/1")
        who.click("form.act button", arrives=f"{origin}/releases/1?done=1")
        assert "ahora responde esta publicación" in who.read("[role=status]")
        places = ("/models", f"/models/{MODEL}/2", f"/models/{MODEL}/2/certificate", "/releases", "/releases/1")
        for width, place in [(width, place) for width in (1280, 390) for place in places]:
            who.call("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=False)
            who.open(f"{origin}{place}", arrives=f"{origin}{place}")
            assert who.run("document.documentElement.scrollWidth") <= width, place
            who.keep_picture()
        assert who.complaints == []
    finally:
        server.should_exit = True
        thread.join()
        bound.close()
