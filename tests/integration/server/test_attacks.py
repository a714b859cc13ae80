"""Every attack of the list, on the real entry before the real MLflow: refused, unseen by MLflow, and in the ledger."""

import json
import re
import time

import pytest

from sirena.access.accounts import Accounts
from sirena.access.actions import Action, Role
from sirena.access.tokens import DAY, Tokens
from tests.attack_list import ATTACKS, READ, SECRET, Attack, Credentials
from tests.guarded_house import PASSWORD, House
from tests.hostile_client import Answer

pytestmark = pytest.mark.slow

SECURITY_HEADERS = {
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


@pytest.fixture(scope="module")
def credentials(house: House) -> Credentials:
    """``Authorization`` values: good ones by role, and some that hold no more."""
    tokens, accounts = Tokens(house.engine), Accounts(house.engine)
    accounts.add("gone", frozenset({Role.ADMIN}), PASSWORD)
    revoked, disabled = tokens.create("viewer"), tokens.create("gone")
    tokens.revoke(revoked[0].id)
    accounts.disable("gone")
    secrets = {
        **house.tokens,
        "revoked": revoked[1],
        "disabled": disabled[1],
        "expired": Tokens(house.engine, clock=lambda: time.time() - 2 * DAY).create("viewer", days=1)[1],
        "narrow": tokens.create("viewer", scopes=frozenset({Action.METRICS}))[1],
    }
    return {name: f"Bearer {secret}" for name, secret in secrets.items()}


def address_of(attack: Attack) -> str:
    """Return an address that only this attack comes from."""
    number = ATTACKS.index(attack)
    return f"127.1.{number // 200}.{number % 200 + 1}"


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_an_attack_is_refused_unseen_and_on_record(house: House, credentials: Credentials, attack: Attack) -> None:
    """One answer, a refusal; MLflow saw nothing of that address; the ledger says what, whence, why, and no secret."""
    address = address_of(attack)
    answers = house.client.send(attack.raw(credentials), address)
    assert [answer.status for answer in answers] == [attack.status]
    assert answers[0].headers.items() >= SECURITY_HEADERS.items()
    assert re.fullmatch("[0-9a-f]{32}", answers[0].request_id)

    entry = house.await_entry(address, lambda one: (one.event, one.request_id) == (attack.event, answers[0].request_id))
    facts = entry.facts()
    assert (facts["cause"], entry.who, entry.outcome) == (attack.cause, attack.who, "refused")
    assert attack.resource in (None, facts.get("resource"))
    assert not [line for line in house.seen_by_mlflow() if f" {address}:" in line]
    assert SECRET not in str(house.entries(address))


def test_all_of_them_are_shown_by_audit_show_and_no_secret_was_written_anywhere(
    house: House, credentials: Credentials
) -> None:
    """Neither ledger nor any log holds what was typed; every line of every log is one record."""
    house.client.send(ATTACKS[0].raw(credentials), address_of(ATTACKS[0]))
    shown = house.sirena("audit", "show", "--last", "1000", "--event", "refusal", "--event", "login_failed")
    assert shown.returncode == 0, shown.stderr
    assert address_of(ATTACKS[0]) in shown.stdout
    written = house.written() + shown.stdout
    print(
        f"\n{len(ATTACKS)} known tricks, each refused at the entry; {len(written):,} characters of logs and ledger read"
    )
    for secret in (SECRET, *(value.partition(" ")[2] for value in credentials.values())):
        assert secret not in written
    assert "\x1b" not in written
    for log in (house.settings.home / "logs" / "entry.jsonl", house.entry.refusals):
        text = log.read_text(encoding="ascii")
        assert text.replace("\n", "").isprintable()
        for line in text.splitlines():
            assert set(json.loads(line)) >= {"from", "method", "path", "request_id"}
    assert house.sirena("audit", "verify").returncode == 0


@pytest.mark.parametrize(
    "headers",
    [
        ["X_Sirena_User: admin", "X_Sirena_Role: admin"],
        ["X-Forwarded-User: admin", "X-Remote-User: admin", "X-Forwarded-Host: evil.example", "X-Real-IP: 10.0.0.1"],
        ["Connection: close, X-Sirena-User, Authorization"],
        ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"],
        ["Transfer_Encoding: chunked"],
    ],
    ids=lambda headers: headers[0].partition(":")[0],
)
def test_headers_that_nobody_behind_the_entry_gets_change_nothing(
    house: House, credentials: Credentials, headers: list[str]
) -> None:
    """They are dropped or overwritten, so the request is answered as if they were not there, as its sender's own."""
    answers = house.client.send(
        b"".join(
            [
                b"GET /auth/me HTTP/1.1\r\nHost: localhost\r\n",
                f"Authorization: {credentials['viewer']}\r\n".encode(),
                *(f"{header}\r\n".encode() for header in headers),
                b"\r\n",
            ]
        )
    )
    assert [answer.status for answer in answers] == [200]
    assert json.loads(answers[0].body)["name"] == "viewer"


def test_bare_line_feeds_hide_nothing_because_nginx_writes_each_request_anew(
    house: House, credentials: Credentials
) -> None:
    """NGINX takes a bare LF for a line end, as RFC 9112 allows; what it passes on has none."""
    address = "127.2.0.1"
    lines = [f"GET {READ} HTTP/1.1", "Host: localhost", f"Authorization: {credentials['viewer']}", "", ""]
    assert [one.status for one in house.client.send("\n".join(lines).encode(), address)] == [200]
    assert len([line for line in house.seen_by_mlflow() if f" {address}:" in line]) == 1


def test_a_pipelined_request_is_judged_by_itself(house: House, credentials: Credentials) -> None:
    """What follows a good request on its connection gets nothing of its credential."""
    address = "127.2.0.2"
    first = f"GET {READ} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {credentials['viewer']}\r\n\r\n"
    second = "GET /api/2.0/mlflow/runs/get?run_id=hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answers = house.client.send((first + second).encode(), address)
    assert [answer.status for answer in answers] == [200, 401]
    house.await_entry(address, lambda one: one.request_id == answers[1].request_id)
    assert not [line for line in house.seen_by_mlflow() if "hidden" in line]


def test_a_request_hidden_in_an_allowed_body_is_a_body(house: House, credentials: Credentials) -> None:
    """MLflow is asked once."""
    address = "127.2.0.3"
    hidden = b"GET /api/2.0/mlflow/runs/get?run_id=smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: {credentials['viewer']}\r\n"
    body = f"Content-Length: {len(hidden)}\r\n\r\n".encode() + hidden
    assert len(house.client.send(head.encode() + body, address)) == 1
    seen = [line for line in house.seen_by_mlflow() if f" {address}:" in line]
    assert len(seen) == 1
    assert "smuggled" not in seen[0]


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:8888", "https://localhost:8443", "null"])
def test_no_page_of_another_origin_may_read_an_answer(house: House, origin: str) -> None:
    """MLflow would let pages of the reader's own machine; a shared terminal server has many of those."""
    with house.honest("viewer") as client:
        answer = client.get(READ, headers={"Origin": origin})
    assert answer.status_code == 200
    assert [name for name in answer.headers if name.startswith("access-control-")] == []


HTTP2 = [
    ("line end in a value", [(b"x", b"a\r\nX-Sirena-User: admin")]),
    ("line end in a name", [(b"x: a\r\ny", b"b")]),
    ("colon in a name", [(b"transfer-encoding: chunked", b"x")]),
    ("upper case name", [(b"X-Upper", b"a")]),
    ("length that is wrong", [(b"content-length", b"3")]),
    ("chunked", [(b"transfer-encoding", b"chunked")]),
    ("space in the path", [(b":path", b"/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /x")]),
    ("second path", [(b":path", b"/livez")]),
    ("line end in the method", [(b":method", b"GET / HTTP/1.1\r\nX: ")]),
    ("other authority", [(b":authority", b"evil.example")]),
    ("identity", [(b"x-sirena-user", b"admin")]),
    ("zero byte in a value", [(b"x", b"a\0b")]),
    ("a header repeated until memory ends", [(b"x", b"y" * 3500)] * 500),
]


@pytest.mark.parametrize(("name", "odd"), HTTP2, ids=[name for name, _ in HTTP2])
def test_http2_smuggles_nothing_into_http1(
    house: House, credentials: Credentials, name: str, odd: list[tuple[bytes, bytes]]
) -> None:
    """A header that would become two when written as HTTP/1.1 is refused, and so is a body of another length."""
    address = f"127.2.1.{[title for title, _ in HTTP2].index(name) + 1}"
    usual = {b":method": b"POST", b":scheme": b"https", b":authority": b"localhost", b":path": b"/graphql"}
    pseudo = [(key, value) for key, value in odd if key.startswith(b":") and name != "second path"]
    headers = [
        *(usual | dict(pseudo)).items(),
        *(pair for pair in odd if pair not in pseudo),
        (b"authorization", credentials["viewer"].encode()),
    ]
    answer: Answer = house.client.send_http2(headers, b"hello", address)
    assert answer.status in (0, 400, 403, 421), answer
    assert not [line for line in house.seen_by_mlflow() if f" {address}:" in line]
    # a stream that is ended without an answer bears no request id, and is on record all the same
    entry = house.await_entry(address, lambda one: one.event == "refusal")
    assert entry.request_id == answer.request_id if answer.status else entry.facts()["cause"] == "malformed_request"
