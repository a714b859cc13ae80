"""The pages behind the entry: whose files they are, what goes on record, and where they lie."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

import sirena.web
from sirena.cli.pages_answers import audit_labels_of
from sirena.domain.errors import SirenaError
from sirena.web.answers import NamedPanel
from sirena.web.application import create_entry_pages, forget_ended
from sirena.web.entry_visitors import MOST_AT_ONCE as MOST_REQUESTS
from sirena.web.entry_visitors import ThroughTheEntry
from sirena.web.opened_files import OpenedFiles
from sirena.web.other_editions import OtherEditions
from sirena.web.records import UnrecordedError
from sirena.web.typed_isolates import TypedIsolates
from sirena.web.unforeseen import answer_quietly
from sirena.web.uploads import MOST_AT_ONCE, Uploads
from tests.unit.web.conftest import ISOLATES

TEMPLATES = Path(sirena.web.__file__).parent / "templates"
ENTRY = "https://sirena.example"
FURTHER = ("/drift/json", "/edition", "/labels", "/mapping")
EVERYWHERE = "pages,files,counts,rows,isolate"


class House:
    """The pages, and what they tell the access service."""

    def __init__(self, answers: NamedPanel) -> None:
        """Open nothing yet."""
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.is_away = False
        self.files = OpenedFiles()
        self.app = create_entry_pages(
            lambda: answers, self.files, self.record, lambda: {"s1"}, OtherEditions(), audit=audit_labels_of
        )

    def record(self, event: str, facts: Mapping[str, Any]) -> None:
        """Put something on record, unless the access service is away."""
        if self.is_away:
            raise UnrecordedError("away")
        self.told.append((event, dict(facts)))

    def person(self, name: str = "clara", session: str = "s1", places: str = EVERYWHERE) -> TestClient:
        """Return a browser, with the headers that NGINX adds."""
        given = {"x-sirena-user": name, "x-sirena-session": session, "x-sirena-places": places, "x-real-ip": "10.0.0.7"}
        headers = {"accept-language": "en", **{key: text for key, text in given.items() if text}}
        return TestClient(self.app, base_url=ENTRY, headers=headers, follow_redirects=False)


@pytest.fixture
def house(answers: NamedPanel) -> House:
    """Pages that nobody has used."""
    return House(answers)


def open_file(person: TestClient) -> str:
    """Open a file and return its address."""
    taken = person.post("/app/files", files={"file": ("Quiroga.csv", ISOLATES.encode())})
    assert taken.status_code == 303, taken.text
    return taken.headers["location"]


def test_a_request_without_the_entrys_headers_is_answered_nothing(house: House) -> None:
    """Whoever reached the socket; the supervisor alone learns that they live."""
    stranger = house.person(name="")
    for path in ("/app/", "/app/isolate", "/app/static/sirena.css", "/", "/files/x", "/application"):
        assert stranger.get(path).status_code == 403
    assert stranger.get("/livez").status_code == 200
    assert house.person().get("/isolate").status_code == 403


def test_every_address_of_every_page_begins_where_the_pages_lie(house: House) -> None:
    """Links, forms, scripts, styles, what htmx asks for, and redirects."""
    person = house.person()
    address = open_file(person)
    assert address.startswith("/app/files/")
    assert person.get("/app").headers["location"] == "/app/"
    assert person.get("/app/files").headers["location"] == "/app/"
    places = [
        "/app/",
        "/app/isolate",
        address,
        f"{address}/rows/0/AMK_NM",
        f"{address}/antibiogram",
        f"{address}/drift",
        f"{address}/edition",
        f"{address}/labels",
        f"{address}/mapping",
    ]
    for page in (person.get(place) for place in places):
        assert page.status_code == 200
        found = re.findall(r'(?:href|src|action|formaction|hx-\w+)="(/[^"]*)"', page.text)
        assert {path for path in found if not path.startswith("/app/")} == {"/auth/account", "/auth/logout"}
        for path in found:
            if not path.startswith("/auth/") and "/download/" not in path and "/antibiogram/" not in path:
                assert person.get(path.replace("&amp;", "&")).status_code in (200, 303, 405), path
    switched = person.get("/app/language/es", params={"back": "/app/isolate"})
    assert switched.headers["location"] == "/app/isolate"
    assert "__Host-sirena_language=es" in switched.headers["set-cookie"]
    assert "secure" in switched.headers["set-cookie"].lower()
    assert person.get("/app/language/es", params={"back": "/auth/logout"}).headers["location"] == "/app/"
    assert person.post(f"{address}/forget").headers["location"] == "/app/"
    odd = house.person().get(address, params={"page": "two"})
    assert (odd.status_code, "not, or no longer, here" in odd.text) == (404, True)


def test_no_template_holds_an_address_that_begins_at_the_root() -> None:
    """It would lead out of the pages wherever they do not lie there."""
    for template in TEMPLATES.glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert re.findall(r'(?:href|src|action|hx-\w+)\s*=\s*["\']/', text) == [], template.name


def test_who_may_see_models_has_links_to_them_and_to_mlflow(house: House) -> None:
    """The entry says where somebody may go."""
    for address in ('href="/"', 'href="/app/models"'):
        assert address in house.person(places=f"{EVERYWHERE},models").get("/app/").text
        assert address not in house.person().get("/app/").text
    assert 'href="/app/"' in house.person().get("/app/isolate").text


def test_behind_the_entry_the_pages_themselves_decide_nothing(house: House) -> None:
    """The forms lead to the access service; there is no address of the pages that gives a stage."""
    for path in ("/app/stage", "/app/releases"):
        assert house.person(places=f"{EVERYWHERE},models,production").post(path).status_code in (404, 405)


def test_no_way_is_shown_that_ends_in_a_refusal(house: House) -> None:
    """A hospital may let somebody count and take no rows, or ask for single isolates alone."""
    counting = house.person(places="pages,files,counts")
    page = counting.get(open_file(counting)).text
    assert "/antibiogram" in page
    assert "/drift" in page
    assert "/download/" not in page
    asking = house.person(session="s4", places="pages,isolate").get("/app/").text
    assert "/app/isolate" in asking
    assert 'type="file"' not in asking
    assert "/app/isolate" not in counting.get("/app/").text


def test_files_belong_to_the_session_or_to_who_comes_without_one(house: House) -> None:
    """Another session of the same person, a token of theirs and somebody else get 404, on record."""
    address = open_file(house.person())
    others = [house.person(session="s2"), house.person(session=""), house.person("ben", "s3"), house.person("ben", "")]
    for other in others:
        for place in ("", "/download/csv", "/rows/0/AMK_NM", "/antibiogram", "/antibiogram/csv", *FURTHER):
            assert other.get(address + place).status_code == 404
        assert "Quiroga" not in other.get("/app/").text
        other.post(f"{address}/forget")
    assert house.person().get(address).status_code == 200
    causes = [(facts["who"], facts["cause"]) for event, facts in house.told if event == "refusal"]
    assert causes == [("clara", "foreign_file")] * 20 + [("ben", "foreign_file")] * 20
    by_token = open_file(house.person(session=""))
    assert house.person(session="").get(by_token).status_code == 200
    assert house.person().get("/app/files/nobodys").status_code == 404
    assert len([one for one in house.told if one[0] == "refusal"]) == 40


def test_what_happens_is_told_by_numbers_alone(house: House) -> None:
    """Rows, columns, bytes, format and what answered; no name of a file, nothing of a cell."""
    person = house.person()
    address = open_file(person)
    person.get(f"{address}/download/csv")
    person.get(f"{address}/antibiogram/csv")
    person.post("/app/files", files={"file": ("Quiroga.csv", b"\x00\x01noise")})
    assert [event for event, _ in house.told] == ["file_opened", "file_downloaded", "file_downloaded", "file_opened"]
    opened, rows, counted, noise = (facts for _, facts in house.told)
    assert (opened["who"], opened["origin"], opened["rows"], opened["size"]) == ("clara", "10.0.0.7", 3, len(ISOLATES))
    assert (rows["content"], rows["format"], counted["content"]) == ("rows", "csv", "antibiogram")
    assert (noise["outcome"], bool(noise["failure"])) == ("failed", True)
    assert not re.search("Quiroga|Zubiri|H-77|eco", str(house.told))


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_cannot_be_put_on_record_is_not_done(house: House, language: str) -> None:
    """Neither a file stays open nor do rows leave; the page says so in the reader's language."""
    person = house.person()
    address = open_file(person)
    house.is_away = True
    speaking = {"accept-language": language}
    words = {"en": "cannot be put on record", "es": "no se puede dejar registro"}[language]
    refused = person.post("/app/files", files={"file": ("a.csv", ISOLATES.encode())}, headers=speaking)
    assert (refused.status_code, words in refused.text) == (503, True)
    for place in ("/download/csv", "/antibiogram/csv"):
        download = person.get(address + place, headers=speaking)
        assert (download.status_code, words in download.text) == (503, True)
    assert len(house.files.all("session s1")) == 1


def test_the_files_of_a_session_that_ended_are_forgotten(house: House) -> None:
    """Those of others stay; while nobody can say which ended, none is forgotten before its time."""

    def away() -> set[str]:
        raise SirenaError("away")

    addresses = {owner: open_file(house.person(session=owner)) for owner in ("s1", "s2", "")}
    forget_ended(house.files, away)
    assert len(house.files.owners()) == 3
    forget_ended(house.files, lambda: {"s1"})
    shown = {owner: house.person(session=owner).get(address).status_code for owner, address in addresses.items()}
    assert shown == {"s1": 200, "s2": 404, "": 200}


def test_what_somebody_typed_of_one_isolate_is_the_sessions_and_gone_with_it(house: House) -> None:
    """Another session of the same person does not see it; nothing of it goes on record."""
    house.person().post("/app/isolate", data={"organism": "Quirogella", "CIP": "0.5"})
    assert "Quirogella" in house.person().get("/app/isolate").text
    assert "Quirogella" not in house.person(session="s2").get("/app/isolate").text
    assert house.told == []
    typed = TypedIsolates()
    for owner in ("session s1", "session s2", "person ben"):
        typed.keep(owner, {"organism": "eco"})
    forget_ended(house.files, lambda: {"s1"}, typed)
    assert typed.owners() == {"session s1", "person ben"}


def test_one_owner_sends_one_file_at_a_time_and_all_together_a_few() -> None:
    """Bodies are held in memory from their first byte."""
    uploads = Uploads()
    holding = [uploads.room_for(f"owner {number}") for number in range(MOST_AT_ONCE)]
    for one in holding:
        one.__enter__()
    for owner in ("owner 0", "another"):
        with pytest.raises(HTTPException) as refused, uploads.room_for(owner):
            pass
        assert refused.value.status_code == 503
    holding[0].__exit__(None, None, None)
    with uploads.room_for("another"):
        pass


def test_a_file_that_does_not_arrive_is_given_up() -> None:
    """Else slow ones would keep all others out."""
    with pytest.raises(HTTPException) as refused:
        asyncio.run(Uploads(0.01).arrive(asyncio.sleep(30)))
    assert refused.value.status_code == 408


def test_an_error_that_nobody_foresaw_is_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    """It may hold a cell; kind and place are enough to look for it."""

    async def broken(*_: object) -> None:
        raise RuntimeError("Quiroga")

    asyncio.run(answer_quietly(broken, {}, broken, broken))  # type: ignore[arg-type]
    assert "RuntimeError at test_behind_the_entry.py" in caplog.text
    assert "Quiroga" not in caplog.text


def test_one_person_has_so_many_requests_answered_at_a_time() -> None:
    """Who asks for more is asked to wait; others are answered, and so is the same person afterwards."""
    statuses: list[int] = []

    async def ask(pages: ThroughTheEntry, name: str) -> None:
        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        headers = [(b"x-sirena-user", name.encode())]
        await pages({"type": "http", "method": "GET", "path": "/app/", "headers": headers}, None, send)  # type: ignore[arg-type]

    async def many() -> None:
        go_on = asyncio.Event()

        async def slow(_: object, __: object, send: Any) -> None:
            await go_on.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})

        pages = ThroughTheEntry(slow)
        waiting = [asyncio.create_task(ask(pages, "clara")) for _ in range(MOST_REQUESTS)]
        await asyncio.sleep(0)
        await ask(pages, "clara")
        assert statuses == [503]
        go_on.set()
        await ask(pages, "ben")
        await asyncio.gather(*waiting)
        await ask(pages, "clara")

    asyncio.run(many())
    assert statuses == [503, *[200] * (MOST_REQUESTS + 2)]
