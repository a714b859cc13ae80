"""The entry alone: real NGINX with the shipped configuration before small recording servers."""

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from sirena.host.accounts import PreparationError
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings
from tests.production_machine import Decision, Recorder, accepts, entry_alone, entry_of

GOOD = {"Authorization": "Bearer good"}


@dataclass
class Answer:
    """What a client sees."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class RunningEntry:
    """The entry with what stands behind it."""

    settings: Settings
    mlflow: Recorder
    access: Decision

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        port: int | None = None,
    ) -> Answer:
        """Send a request exactly as given: no client tidies the path."""
        context = ssl.create_default_context(cafile=str(authority_file(self.settings)))
        connection = http.client.HTTPSConnection(
            "localhost", port or self.settings.https_port, context=context, timeout=60
        )
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def bare() -> Iterator[Settings]:
    """The entry in front of nothing at all."""
    with entry_alone(
        ["/api/2.0/mlflow/registered-models/alias"], max_upload=2**20, max_body=2**18, rate=1000
    ) as settings:
        yield settings


@pytest.fixture
def entry(bare: Settings) -> Iterator[RunningEntry]:
    """The entry with a recorder in MLflow's place and a decision in that of the access service."""
    with Recorder(bare, "mlflow") as mlflow, Decision(bare, "access") as access:
        assert isinstance(access, Decision)
        yield RunningEntry(bare, mlflow, access)


@pytest.mark.parametrize("path", ["/", "/ping", "/docs", "/invocations", "/v2/models", "/auth/login", "/metrics", "/x"])
def test_without_an_access_service_every_route_answers_503(bare: Settings, path: str) -> None:
    """There is no way past a decision that nobody can take, even when what it guards is there."""
    with Recorder(bare, "mlflow") as mlflow, Recorder(bare, "service") as service:
        assert RunningEntry(bare, mlflow, None).ask(path, headers=GOOD).status == 503  # type: ignore[arg-type]
        assert mlflow.asked == service.asked == []


def test_a_broken_access_service_lets_nothing_through(bare: Settings) -> None:
    """An answer that is neither yes nor no is a no."""

    class Broken(Recorder):
        def decide(self, headers: dict[str, str]) -> tuple[int, dict[str, str]]:  # noqa: ARG002
            return 500, {}

    with Recorder(bare, "mlflow") as mlflow, Broken(bare, "access"):
        assert RunningEntry(bare, mlflow, None).ask("/", headers=GOOD).status == 503  # type: ignore[arg-type]
        assert mlflow.asked == []


def test_who_is_allowed_passes_and_others_are_refused_as_json(entry: RunningEntry) -> None:
    """Yes is 200, no is 403, a stranger 401 with a challenge; refusals tell the request id."""
    assert entry.ask("/api/x", headers=GOOD).status == 200
    refused = entry.ask("/api/x", headers={"Authorization": "Bearer weak"})
    assert (refused.status, b'"code":"forbidden"' in refused.body) == (403, True)
    assert refused.headers["x-request-id"].encode() in refused.body
    stranger = entry.ask("/api/x")
    assert (stranger.status, stranger.headers["www-authenticate"]) == (401, 'Basic realm="Sirena"')


def test_a_browser_without_session_is_sent_to_the_sign_in_page(entry: RunningEntry) -> None:
    """And comes back to where it wanted to go, never to another site."""
    answer = entry.ask("/experiments?x=1", headers={"Accept": "text/html"})
    assert (answer.status, answer.headers["location"]) == (303, "/auth/login?next=/experiments")


def test_the_decision_is_asked_about_the_request_as_it_came(entry: RunningEntry) -> None:
    """Method, path with query, address and host are the entry's word, whatever the client claims."""
    forged = {
        "X-Original-URI": "/livez",
        "X-Original-Method": "GET",
        "X-Real-IP": "10.0.0.1",
        "X-Forwarded-Host": "evil",
    }
    entry.ask("/api/2.0/x?y=%2F", "POST", {**GOOD, **forged}, b"body")
    _, path, headers = entry.access.asked[-1]
    assert path == "/decide"
    assert headers["x-original-uri"] == "/api/2.0/x?y=%2F"
    assert headers["x-original-method"] == "POST"
    assert headers["x-real-ip"] == "127.0.0.1"
    assert headers["x-forwarded-host"] == f"localhost:{entry.settings.https_port}"


def test_identity_and_credentials_from_outside_reach_no_upstream(entry: RunningEntry) -> None:
    """MLflow learns who asks from the decision only, and never sees a password, token or cookie."""
    forged = {"X-Sirena-User": "admin", "X-Sirena-Role": "admin", "X-Sirena-Roles": "admin", "X_Sirena_User": "admin"}
    override = {"X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/admin", "X-Rewrite-URL": "/admin"}
    entry.ask("/api/x", headers={**GOOD, **forged, **override, "Cookie": "session=1", "Forwarded": "for=1.2.3.4"})
    _, _, headers = entry.mlflow.asked[-1]
    assert (headers["x-sirena-user"], headers["x-sirena-role"]) == ("maria", "scientist")
    unwanted = {"authorization", "cookie", "x-sirena-roles", "x_sirena_user", "forwarded"}
    assert not (unwanted | {name.lower() for name in override}) & headers.keys()


@pytest.mark.parametrize(
    "path",
    [
        "//api", "/a//b", "/a/../b", "/a/./b", "/..", "/a;b", "/a%2fb", "/a%2Fb", "/%2e%2e/b", "/a%5cb", "/a\\b",
        "/a%00b", "/a%0ab", "/a%252fb", "/a%3bb", "/a%7f",
    ],
)  # fmt: skip
def test_a_path_that_can_be_read_in_two_ways_is_refused_undecided(entry: RunningEntry, path: str) -> None:
    """Nobody is asked about it and nothing behind the entry sees it."""
    assert entry.ask(path, headers=GOOD).status == 400
    assert entry.access.asked == entry.mlflow.asked == []


def test_an_odd_query_is_the_programs_own_matter(entry: RunningEntry) -> None:
    """Only paths choose a route."""
    assert entry.ask("/api/x?path=a%2Fb;..//c", headers=GOOD).status == 200


def test_body_decided_routes_go_to_the_access_service_itself(entry: RunningEntry) -> None:
    """Setting an alias is decided by its body, so MLflow gets it from the access service or not at all."""
    entry.ask("/api/2.0/mlflow/registered-models/alias", "POST", GOOD, b"{}")
    assert [path for _, path, _ in entry.access.asked] == ["/api/2.0/mlflow/registered-models/alias"]
    assert entry.mlflow.asked == []


@pytest.mark.parametrize(
    "path", ["/api/2.0/mlflow-artifacts/presigned/1/x", "/ajax-api/2.0/mlflow-artifacts/mpu/create/x"]
)
def test_no_addresses_of_the_object_store_are_handed_out(entry: RunningEntry, path: str) -> None:
    """Artifacts pass through the entry, so that the same decision holds for them."""
    assert entry.ask(path, headers=GOOD).status == 501
    assert entry.mlflow.asked == []


def test_unknown_methods_hosts_and_internal_places_are_refused(entry: RunningEntry) -> None:
    """Without asking anyone."""
    assert entry.ask("/", "TRACE", GOOD).status == 405
    assert entry.ask("/", "PROPFIND", GOOD).status == 405
    assert entry.ask("/", headers={**GOOD, "Host": "evil.example"}).status == 421
    assert entry.ask("/.sirena/decide", headers=GOOD).status == 404
    assert entry.access.asked == []


def test_a_body_above_the_limit_is_413(entry: RunningEntry) -> None:
    """Before it is read."""
    assert entry.ask("/api/x", "POST", GOOD, b"x" * (2**20 + 1)).status == 413
    assert entry.mlflow.asked == []


def test_oversized_headers_are_refused(entry: RunningEntry) -> None:
    """Sixteen KiB in one header are enough for anybody."""
    assert entry.ask("/", headers={"X-Long": "x" * 20_000}).status in (400, 431, 494)


def test_both_ports_carry_the_security_headers(entry: RunningEntry) -> None:
    """HSTS and the rest, on answers and on refusals, once each, and no program's version."""
    for port in (entry.settings.https_port, entry.settings.port):
        for headers in (GOOD, {}):
            answer = entry.ask("/api/x", headers=headers, port=port).headers
            assert answer["strict-transport-security"] == "max-age=31536000"
            assert answer["x-content-type-options"] == "nosniff"
            assert answer["x-frame-options"] == "SAMEORIGIN"
            assert "frame-ancestors 'self'" in answer["content-security-policy"]
            assert answer["server"] == "nginx"


@pytest.mark.parametrize("which", ["http_port", "https_port", "port"])
def test_plain_http_is_redirected_on_every_port(bare: Settings, which: str) -> None:
    """Whoever types http:// arrives, and his request is not lost to another method."""
    connection = http.client.HTTPConnection("localhost", getattr(bare, which), timeout=60)
    connection.request("GET", "/a?b=1")
    answer = connection.getresponse()
    to = bare.port if which == "port" else bare.https_port
    assert (answer.status, answer.getheader("location")) == (308, f"https://localhost:{to}/a?b=1")
    connection.close()


def test_old_tls_is_refused_and_new_tls_spoken(bare: Settings) -> None:
    """TLS 1.2 and 1.3 only."""
    spoken = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=str(authority_file(bare)))
        context.minimum_version = context.maximum_version = version
        with (
            socket.create_connection(("localhost", bare.https_port)) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as wrapped,
        ):
            spoken.append(wrapped.version())
    assert spoken == ["TLSv1.2", "TLSv1.3"]
    text = (bare.home / "nginx" / "nginx.conf").read_text()
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in text


def test_upstreams_are_behind_doors_of_this_machine(bare: Settings) -> None:
    """No configuration passes anything on to another machine, nor to what asks nobody."""
    text = (bare.home / "nginx" / "nginx.conf").read_text()
    servers = [line for line in text.splitlines() if line.strip().startswith("upstream")]
    assert [line.split()[4].partition(":")[0] for line in servers] == ["127.0.0.1", "unix", "unix", "unix"]
    assert "proxy_pass http://mlflow" not in text
    assert "proxy_ssl_verify on;" in text


def test_a_body_the_service_would_refuse_is_not_taken_first(entry: RunningEntry, bare: Settings) -> None:
    """Its own limit holds before the entry keeps the body on disk; MLflow's artifacts have theirs."""
    body = b"x" * (2**18 + 1)
    with Recorder(bare, "service") as service:
        for path in ("/invocations", "/v2/models/m/infer", "/models/m/invocations"):
            assert entry.ask(path, "POST", GOOD, body).status == 413
        assert service.asked == []
        assert entry.ask("/invocations", "POST", GOOD, body[:-1]).status == 200
    assert entry.ask("/api/2.0/mlflow-artifacts/artifacts/1/x", "PUT", GOOD, body).status == 200


def test_thousands_of_requests_begun_by_one_address_stop_no_other(entry: RunningEntry, bare: Settings) -> None:
    """The entry waits for the rest of each no longer than its limit, and answers others meanwhile."""
    begun: list[socket.socket] = []
    try:
        for _ in range(4050):
            half = socket.create_connection(("127.0.0.1", bare.https_port), timeout=60, source_address=("127.0.0.9", 0))
            half.sendall(b"\x16\x03\x01")
            begun.append(half)
        asked = time.monotonic()
        assert [entry.ask("/api/x", headers=GOOD).status for _ in range(20)] == [200] * 20
        print(f"{len(begun)} half-sent requests; twenty answers took {time.monotonic() - asked:.2f} s")
        # each is ended by the entry: nothing more comes
        assert {half.recv(1) for half in begun[:20]} == {b""}
    finally:
        for half in begun:
            half.close()


def test_a_question_to_graphql_without_a_body_is_told_so(entry: RunningEntry) -> None:
    """MLflow would answer 500."""
    answer = entry.ask("/graphql", "POST", GOOD)
    assert (answer.status, b'"code":"empty_body"' in answer.body) == (400, True)
    assert entry.ask("/graphql", "POST", GOOD, b"{}").status == 200


def test_a_configuration_nginx_refuses_is_told_in_its_words(bare: Settings) -> None:
    """And nothing is started with it."""
    broken = bare.model_copy(update={"listen": "999.1.1.1"})
    with pytest.raises(PreparationError, match="host not found"):
        entry_of(broken).write()
    entry_of(bare, ["/api/2.0/mlflow/registered-models/alias"]).write()


def test_the_log_holds_no_query_and_no_credentials(entry: RunningEntry) -> None:
    """Tokens may stand in either."""
    entry.ask("/api/x?token=topsecret", headers=GOOD)
    log = (entry.settings.home / "logs" / "entry.jsonl").read_text()
    assert "/api/x" in log
    assert "topsecret" not in log
    assert "Bearer" not in log


def test_health_is_not_reachable_from_outside(bare: Settings) -> None:
    """Its port is on loopback and answers one question."""
    assert accepts(bare.access_port + 1)
    text = (bare.home / "nginx" / "nginx.conf").read_text()
    assert f"listen 127.0.0.1:{bare.access_port + 1};" in text
