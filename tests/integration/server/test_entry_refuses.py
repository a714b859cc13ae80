"""What NGINX refuses without asking anybody, what it says over TLS and in headers, and how its logs are kept."""

import contextlib
import json
import socket
import ssl
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from sirena.access.accounts import FREE_ATTEMPTS, Accounts
from sirena.access.actions import Role
from tests.access_client import basic
from tests.attack_list import CREATE, READ, request
from tests.guarded_house import PASSWORD, House, access_service

pytestmark = pytest.mark.slow

STRANGER = request(by="")({})
HURRIED = request(READ, "Connection: close", by="")({})
HEADERS = {
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


def test_a_flood_is_answered_429_before_anyone_decides_and_stands_as_few_entries(house: House) -> None:
    """`limit_req` acts before `auth_request`; a hundred refusals are one entry now and one with their number later."""
    address = "127.3.0.1"
    with house.entry_with(rate=1):
        # said to be the last of its connection, so that nobody waits for more: all come within seconds
        statuses = [house.client.send(HURRIED, address)[0].status for _ in range(60)]
    assert set(statuses) == {401, 429}
    assert statuses.count(429) > 10
    first = house.await_entry(address, lambda one: one.facts().get("cause") == "too_many_requests")
    assert first.facts()["times"] == 1
    time.sleep(2)
    refusals = [one for one in house.entries(address) if one.facts().get("cause") == "too_many_requests"]
    assert len(refusals) == 1
    asked = [one for one in house.entries(address) if one.facts().get("cause") == "not_signed_in"]
    assert len(asked) == 1


def test_without_an_access_service_the_refusal_is_on_record_when_it_is_back(house: House) -> None:
    """503 meanwhile; the entry says when it was, and a restart repeats nothing."""
    address = "127.3.0.2"
    house.access.stop()
    try:
        answers = house.client.send(STRANGER, address)
        assert [answer.status for answer in answers] == [503]
        assert answers[0].headers.items() >= HEADERS.items()
        login = house.client.send(request("/auth/login", by="")({}), "127.3.0.3")
        assert [answer.status for answer in login] == [503]
        time.sleep(1)
    finally:
        house.access = access_service(house.settings, house.entry, house.environment)
        house.access.start()
    for origin in (address, "127.3.0.3"):
        entry = house.await_entry(origin, lambda one: one.facts().get("cause") == "no_decision")
        assert entry.facts()["since"] < entry.at
        assert len(house.entries(origin)) == 1


def test_a_client_that_never_ends_its_request_is_let_go_and_on_record(house: House) -> None:
    """Slow loris: the entry ends the connection by itself."""
    address = "127.3.0.4"
    with house.client.connect(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        connection.settimeout(240)
        with contextlib.suppress(ConnectionResetError, ssl.SSLError):
            while connection.recv(4096):
                pass
    house.await_entry(address, lambda one: one.facts().get("cause") == "too_slow")


def test_guessing_through_the_entry_locks_the_password_and_is_on_record(house: House) -> None:
    """Also the right password is refused then; a token of the same account still opens."""
    address = "127.3.0.5"
    Accounts(house.engine).add("guessed", frozenset({Role.VIEWER}), PASSWORD)

    def status(password: str) -> int:
        header = f"Authorization: {basic('guessed', password)}"
        return house.client.send(request(READ, header, by="")({}), address)[0].status

    assert [status(f"guess {number}") for number in range(FREE_ATTEMPTS)] == [401] * FREE_ATTEMPTS
    assert status(PASSWORD) == 401
    house.await_entry(address, lambda one: (one.event, one.facts().get("change")) == ("account_changed", "locked"))
    house.await_entry(address, lambda one: (one.who, one.facts().get("cause")) == ("guessed", "locked"))
    with house.honest("viewer") as client:
        assert client.get(READ).status_code == 200
    assert "guess 1" not in house.written()


def test_another_site_cannot_use_a_session(house: House) -> None:
    """CSRF on MLflow's AJAX routes, with the cookie a browser would add; nothing is made, and it is on record."""
    with house.honest() as browser:
        page = browser.get("/auth/login")
        csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        fields = {"csrf": csrf, "next": "/", "name": "scientist", "password": PASSWORD}
        assert browser.post("/auth/login", data=fields).status_code == 303
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
        own = f"https://localhost:{house.settings.https_port}"
        route = CREATE.replace("/api", "/ajax-api")
        for number, headers in enumerate(
            [
                [],
                ["Origin: https://evil.example"],
                ["Origin: null"],
                ["Origin: https://localhost.evil.example"],
                ["Sec-Fetch-Site: cross-site"],
                ["Origin: https://evil.example", "X-Sirena-CSRF: guessed"],
                ["Origin: https://evil.example", "X-Forwarded-Host: evil.example"],
            ]
        ):
            address = f"127.3.1.{number + 1}"
            body = b'{"name":"made by another site"}'
            sent = [f"Cookie: {cookies}", "Content-Type: text/plain", f"Content-Length: {len(body)}", *headers]
            answers = house.client.send(request(route, *sent, method="POST", body=body, by="")({}), address)
            assert [answer.status for answer in answers] == [403], headers
            entry = house.await_entry(address, lambda one: one.facts().get("cause") == "cross_site")
            assert (entry.who, entry.facts()["resource"]) == ("scientist", route)
        made = browser.post(route, json={"name": "made by our own page"}, headers={"Origin": own})
        assert made.status_code == 200
    with house.honest("viewer") as client:
        names = [one["name"] for one in client.get(READ.replace("=1", "=100")).json()["experiments"]]
    assert "made by our own page" in names
    assert "made by another site" not in names
    assert cookies.partition("=")[2] not in house.written()


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_tls_is_refused_in_the_handshake(house: House, version: str) -> None:
    """By the server, not by our own client: it is let offer what is broken."""
    told = handshake(house, version, "-cipher", "ALL:@SECLEVEL=0")
    assert told.returncode != 0
    assert "alert protocol version" in told.stderr


@pytest.mark.parametrize("cipher", ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA", "NULL", "aNULL"])
def test_old_ciphers_are_refused_in_the_handshake(house: House, cipher: str) -> None:
    """No forward secrecy, no authenticated encryption, no encryption, no certificate."""
    told = handshake(house, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    assert told.returncode != 0
    assert "handshake failure" in told.stderr
    assert handshake(house, "-tls1_2").returncode == 0


def handshake(house: House, *options: str) -> "subprocess.CompletedProcess[str]":
    """Try to open a connection with OpenSSL's own client."""
    port = str(house.settings.https_port)
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", *options]
    return subprocess.run(command, input="", capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(), 200),
        (request("/auth/login", by=""), 200),
        (request(by=""), 401),
        (request("/", "Accept: text/html", by=""), 303),
        (request(CREATE, "Content-Length: 2", method="POST", body=b"{}"), 403),
        (request("/.sirena/x"), 404),
        (request("/a//b"), 400),
        (request(host="evil.example"), 421),
        (request(method="TRACE"), 405),
        (request(READ, "X: " + "x" * 20_000), 400),
        (request("/" + "x" * 20_000), 414),
        (request("/api/2.0/mlflow-artifacts/presigned/1/x"), 501),
        (request("/invocations", "Content-Length: 2", method="POST", body=b"{}", by="clinician"), 502),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_every_kind_of_answer_carries_the_security_headers_once(house: House, sent: object, status: int) -> None:
    """Answers, pages, redirections and each kind of error, NGINX's own among them."""
    assert callable(sent)
    credentials = {name: f"Bearer {token}" for name, token in house.tokens.items()}
    (answer,) = house.client.send(sent(credentials), "127.3.2.1")
    assert answer.status == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert answer.headers["server"] == "nginx"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(by=""), 401),
        (request("/", by="clinician"), 403),
        (request(CREATE, "Content-Length: 2", method="POST", body=b"{}"), 403),
        (request("/nothing/we/know"), 403),
        (request(READ, "X-HTTP-Method: PUT"), 403),
        (request("/.sirena/x"), 404),
        (request("/a;b"), 400),
        (request("/a//b", method="POST"), 400),
        (request(host="evil.example"), 421),
        (request(method="PROPFIND"), 405),
        (request("/graphql", "Content-Length: 1048577", method="POST"), 413),
        (request("/invocations", "Content-Length: 2", method="POST", body=b"{}", by="clinician"), 502),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_a_refusal_says_to_programs_in_json_what_helps(house: House, sent: object, status: int) -> None:
    """Whoever refuses: the access service, whose reason is passed on, or NGINX itself."""
    assert callable(sent)
    credentials = {name: f"Bearer {token}" for name, token in house.tokens.items()}
    (answer,) = house.client.send(sent(credentials), "127.3.2.2")
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    error = json.loads(answer.body)["error"]
    assert len(error["message"]) > 5
    assert len(error["hint"]) > 5
    assert error["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(("target", "status"), [("/metrics", 403), ("/a;b", 400), ("/.sirena/x", 404)])
def test_a_refusal_is_a_page_for_a_browser(house: House, target: str, status: int) -> None:
    """In both languages, with a way on, and on record as ever."""
    credentials = {name: f"Bearer {token}" for name, token in house.tokens.items()}
    sent = request(target, "Accept: text/html,application/xhtml+xml", by="clinician")(credentials)
    (answer,) = house.client.send(sent, "127.3.2.3")
    assert (answer.status, answer.headers["content-type"]) == (status, "text/html")
    page = answer.body.decode()
    assert '<html lang="es">' in page
    assert '<span lang="en">' in page
    assert 'href="/"' in page
    assert answer.headers["x-request-id"] in page


def test_a_browser_that_may_not_see_the_first_page_is_led_to_a_page_of_its_own(house: House) -> None:
    """Where everybody comes after signing in: not refused, and not on record as if they had tried something."""
    credentials = {name: f"Bearer {token}" for name, token in house.tokens.items()}
    sent = request("/", "Accept: text/html", by="clinician")(credentials)
    (answer,) = house.client.send(sent, "127.3.2.4")
    assert (answer.status, answer.headers["location"]) == (303, "/app/")
    later = request("/metrics", "Accept: text/html", by="clinician")(credentials)
    assert house.client.send(later, "127.3.2.4")[0].status == 403
    house.await_entry("127.3.2.4", lambda one: one.facts().get("resource") == "/metrics")
    assert len(house.entries("127.3.2.4")) == 1


def test_plain_http_only_leads_to_https(house: House) -> None:
    """On the plain port and on the TLS ports; another host gets nothing."""
    for port in (house.settings.http_port, house.settings.https_port, house.settings.port):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            plain.sendall(b"GET /a?b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            told = plain.recv(4096)
        assert told.startswith(b"HTTP/1.1 308")
        assert b"Location: https://localhost:" in told


def _await_opened_anew(house: House) -> None:
    """Wait until no process of NGINX writes into a log that was rotated away: it is only told to open them anew."""
    master = psutil.Process(int((house.entry.folder / "nginx.pid").read_text()))
    end = time.monotonic() + 60
    while any(".jsonl." in file for process in (master, *master.children()) for file in _open_files(process.pid)):
        assert time.monotonic() < end
        time.sleep(0.02)


def _open_files(process_id: int) -> list[str]:
    found = []
    with contextlib.suppress(OSError):  # it ended
        for link in Path(f"/proc/{process_id}/fd").iterdir():
            found.append(str(link.readlink()))
    return found


def test_logs_are_rotated_without_losing_a_refusal_or_stopping_nginx(house: House) -> None:
    """By logrotate with the configuration of the stack; the file keeps its rights, and NGINX writes to the new one."""
    configuration, state = house.entry.folder / "logrotate.conf", house.entry.folder / "logrotate.state"
    before = house.entry.refusals.stat()
    for number in range(3):
        address = f"127.3.3.{number + 1}"
        assert house.client.send(request("/a//b", by="")({}), address)[0].status == 400
        command = ["logrotate", "--force", "--state", str(state), str(configuration)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        _await_opened_anew(house)
        late = f"127.3.4.{number + 1}"
        assert house.client.send(request("/a//b", by="")({}), late)[0].status == 400
        for origin in (address, late):
            house.await_entry(origin, lambda one: one.facts().get("cause") == "ambiguous_path")
            assert len(house.entries(origin)) == 1
    assert house.entry.refusals.with_name("refusals.jsonl.3").exists()
    after = house.entry.refusals.stat()
    assert (after.st_mode, after.st_gid) == (before.st_mode, before.st_gid)
    assert late in house.entry.accounts.access.run(["cat", str(house.entry.refusals)])
    requests = house.settings.home / "logs" / "entry.jsonl"
    assert json.loads(requests.read_text().splitlines()[-1])["from"] == late
    assert requests.with_name("entry.jsonl.1").exists()
