"""What the pages may ask the access service: two things and no more."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.pages_desk import _EVENTS, create_desk
from sirena.access.sessions import Sessions
from sirena.access.store import open_store
from sirena.domain.errors import SirenaError
from sirena.ledger.catalogue import CATALOGUE, AccessRefused, FileOpened
from sirena.ledger.event import ActOutcome, Event

CLARA = {"who": "clara", "origin": "10.0.0.7"}


class Desk:
    """The desk, and what it puts on record."""

    def __init__(self, folder: Path) -> None:
        """Make the tables of accounts."""
        engine = open_store(f"sqlite:///{folder / 'access.db'}")
        self.accounts, self.sessions = Accounts(engine), Sessions(engine, hours=1)
        self.events: list[Event] = []
        self.is_away = False
        self.client = TestClient(create_desk(self.sessions, self.notify))

    def notify(self, event: Event) -> None:
        """Put something on record."""
        if self.is_away:
            raise SirenaError("the ledger is away")
        self.events.append(event)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk without sessions."""
    return Desk(tmp_path)


def test_the_pages_put_their_own_events_on_record_and_no_others(desk: Desk) -> None:
    """Whoever breaks them activates no release by it."""
    facts = {**CLARA, "rows": 3, "size": 90, "columns": 2, "answered_by": "CLSI 2026"}
    assert desk.client.post("/events/file_opened", json=facts | {"outcome": "failed"}).status_code == 204
    [event] = desk.events
    opened = FileOpened(
        who="clara", origin="10.0.0.7", rows=3, size=90, columns=2, answered_by="CLSI 2026", outcome=ActOutcome.FAILED,
        act=event.act, at=event.at,
    )  # fmt: skip
    assert event == opened
    for name in ("activated", "logout", "login", "promoted", "nothing"):
        assert desk.client.post(f"/events/{name}", json=CLARA).status_code == 422
    wrong: list[dict[str, object]] = [
        {"rows": "3"}, {"name": "Quiroga.csv"}, {"rows": True}, {"who": ["a"]}, {"outcome": "perhaps"}
    ]  # fmt: skip
    for odd in [*({**CLARA, **facts} for facts in wrong), {"who": "clara"}, [], "x"]:
        assert desk.client.post("/events/file_opened", json=odd).status_code == 422
    assert desk.client.post("/events/file_opened", content=b"{").status_code == 422
    assert desk.client.post("/events/file_opened", content=b"{" + b" " * 10_000).status_code == 413
    assert len(desk.events) == 1


def test_each_event_of_the_pages_is_one_of_the_catalogue(desk: Desk) -> None:
    """With facts that it has."""
    for kind, types in _EVENTS.items():
        assert CATALOGUE[kind.event] is kind
        facts = {name: "done" if name == "outcome" else value() for name, value in types.items()}
        assert desk.client.post(f"/events/{kind.event}", json=facts).status_code == 204


def test_what_the_ledger_does_not_take_is_said_to_be_unrecorded(desk: Desk) -> None:
    """So that the pages do not do it."""
    desk.is_away = True
    assert desk.client.post("/events/file_opened", json=CLARA).status_code == 503


def test_refusals_without_end_fill_no_ledger_and_are_counted(desk: Desk) -> None:
    """Somebody who asks for foreign files: the same stands once, with the number of the others when the desk closes."""
    refusal = {**CLARA, "request_id": "r", "action": "GET", "resource": "/files/{identifier}", "cause": "foreign_file"}
    with desk.client as client:
        for _ in range(50):
            assert client.post("/events/refusal", json=refusal).status_code == 204
        assert len(desk.events) == 1
        other = {**refusal, "resource": "/files/{identifier}/antibiogram"}
        assert client.post("/events/refusal", json=other).status_code == 204
        assert client.post("/events/refusal", json={**other, "who": "ben"}).status_code == 204
        # what was really done stands one by one
        for _ in range(30):
            assert client.post("/events/file_opened", json=CLARA).status_code == 204
        assert len(desk.events) == 3 + 30
    counted = desk.events[-1]
    assert isinstance(counted, AccessRefused)
    assert (counted.who, counted.times, counted.cause) == ("clara", 49, "foreign_file")
    assert len(desk.events) == 34


def test_the_open_sessions_are_named_and_no_name_opens_anything(desk: Desk) -> None:
    """Left, expired and disabled ones are not among them."""
    for name in ("clara", "ben"):
        desk.accounts.add(name, frozenset({Role.CLINICIAN}), "correct horse battery staple")
    clara, left, ben = (desk.sessions.begin(name)[0] for name in ("clara", "clara", "ben"))
    session = desk.sessions.resolve(clara)
    assert session
    assert len(desk.client.get("/sessions").json()) == 3
    desk.sessions.end(left)
    desk.accounts.disable("ben")
    assert desk.client.get("/sessions").json() == [session.name]
    assert desk.sessions.resolve(session.name) is None
    assert desk.sessions.resolve(ben) is None
    late = Sessions(desk.sessions._engine, hours=1, clock=lambda: session.expires + 1)
    assert late.open_names() == frozenset()
