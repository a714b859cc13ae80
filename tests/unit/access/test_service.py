"""The decision service, asked as NGINX asks it."""

import asyncio
import base64
import math
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2 as httpx
import pytest
from sqlalchemy import text

from sirena.access import authentication
from sirena.access.accounts import FREE_ATTEMPTS, Accounts
from sirena.access.actions import Action, Role
from sirena.access.authentication import FRESH_SECONDS, KEPT_SECONDS, REFUSAL_BEAT
from sirena.access.credentials import SESSION_COOKIE
from sirena.access.languages import LANGUAGE_COOKIE
from sirena.access.pages import CSRF_COOKIE
from sirena.access.passwords import verify_password
from sirena.access.policy import load_policy
from sirena.access.signing_in import LOGIN_COOKIE
from sirena.access.store import open_store
from sirena.access.throttle import LIMIT
from sirena.access.tokens import Tokens
from tests.access_client import HOST, PASSWORD, Entry, answering_entry, basic

READ = "/api/2.0/mlflow/runs/get?run_id=1"
TRAIN = "/api/2.0/mlflow/runs/create"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one account per role, to be copied."""
    file = tmp_path_factory.mktemp("people") / "sirena.db"
    engine = open_store(f"sqlite:///{file}")
    accounts = Accounts(engine)
    for role in Role:
        accounts.add(role.value, frozenset({role}), PASSWORD if role is Role.VIEWER else None)
    engine.dispose()
    return file


@pytest.fixture
def entry(people: Path, tmp_path: Path) -> Iterator[Entry]:
    """A service with one account per role."""
    engine = open_store(f"sqlite:///{shutil.copy(people, tmp_path / 'sirena.db')}")
    with answering_entry(engine) as entry:
        yield entry
    engine.dispose()


def test_without_an_identity_only_what_is_public_passes(entry: Entry) -> None:
    """401 with a challenge, and on record."""
    assert entry.ask("GET", "/livez").status_code == 204
    assert entry.ask("GET", "/auth/login").status_code == 204
    refused = entry.ask("GET", READ)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    assert "WWW-Authenticate" not in entry.ask("GET", READ, Sec_Fetch_Mode="cors").headers
    assert [facts["resource"] for facts in entry.told("refusal")] == [READ.partition("?")[0]]


def test_a_token_and_a_password_are_one_identity(entry: Entry) -> None:
    """Name and role go upstream."""
    for credential in (entry.token("viewer"), basic("viewer", PASSWORD)):
        passed = entry.ask("GET", READ, Authorization=credential)
        assert passed.status_code == 204
        assert (passed.headers["X-Sirena-User"], passed.headers["X-Sirena-Role"]) == ("viewer", "viewer")
        assert entry.ask("POST", TRAIN, Authorization=credential).status_code == 403
    assert [facts["who"] for facts in entry.told("refusal")] == ["viewer"]


def test_a_refusal_bears_the_name_of_whoever_shows_a_credential(entry: Entry) -> None:
    """Also where the route is nobody's, or the request a trick, so that nobody need be asked for it."""
    token = entry.token("viewer")
    assert entry.ask("GET", "/no/such/route", Authorization=token).status_code == 403
    assert entry.ask("GET", READ, Authorization=token, X_Sirena_User="admin").status_code == 403
    assert entry.ask("GET", "/no/such/route").status_code == 403
    assert [facts["who"] for facts in entry.told("refusal")] == ["viewer", "viewer", ""]


def test_an_address_that_guesses_is_not_heard_for_a_while(entry: Entry) -> None:
    """Not even with the right password, but with a token, and from elsewhere."""
    right = basic("viewer", PASSWORD)
    with ThreadPoolExecutor(8) as people:
        list(people.map(lambda n: entry.ask("GET", READ, Authorization=basic(f"somebody{n}", "wrong")), range(LIMIT)))
    assert entry.ask("GET", READ, Authorization=right).status_code == 401
    assert entry.told("login_failed")[-1]["cause"] == "locked"
    assert entry.ask("GET", READ, Authorization=entry.token("viewer")).status_code == 204
    assert entry.ask("GET", READ, Authorization=right, X_Real_IP="192.0.2.8").status_code == 204


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_what_the_policy_says(entry: Entry, role: Role) -> None:
    """The service decides as the table does."""
    policy, token = load_policy(), entry.token(role.value)
    for method, uri, action in [
        ("GET", READ, Action.BROWSE),
        ("POST", TRAIN, Action.TRAIN),
        ("POST", "/invocations", Action.ANSWER),
        ("GET", "/metrics", Action.METRICS),
        ("DELETE", f"/api/2.0/mlflow-artifacts/artifacts/1/{'0' * 32}/artifacts/x", Action.REMOVE),
        ("POST", "/ajax-api/3.0/mlflow/assistant/message", Action.SWITCHED_OFF),
    ]:
        expected = 204 if policy.permits(frozenset({role}), action) else 403
        assert entry.ask(method, uri, Authorization=token).status_code == expected, (role, uri)


POLLED = [
    "/ajax-api/3.0/mlflow/assistant/config",
    "/ajax-api/3.0/mlflow/assistant/providers",
    "/ajax-api/3.0/mlflow/assistant/providers/x/health",
    "/ajax-api/2.0/mlflow/users/current",
    "/ajax-api/3.0/mlflow/users/current/permissions",
]
"""What MLflow's pages look for by themselves, some of it every minute."""


@pytest.mark.parametrize("uri", POLLED)
def test_what_pages_look_for_by_themselves_is_refused_and_fills_no_ledger(entry: Entry, uri: str) -> None:
    """For a signed-in browser alone: anybody else who asks means it, and is on record."""
    assert entry.ask("GET", uri, Cookie=sign_in(entry)).status_code == 403
    assert entry.told("refusal") == []
    assert entry.ask("GET", uri).status_code == 401
    assert entry.ask("GET", uri, Cookie=f"{SESSION_COOKIE}=made-up").status_code == 401
    assert entry.ask("GET", uri, Authorization=entry.token("viewer")).status_code == 403
    assert entry.ask("GET", uri, Authorization=basic("viewer", PASSWORD)).status_code == 403
    told = [(facts["who"], facts["cause"]) for facts in entry.told("refusal")]
    assert told == [("", "not_signed_in"), ("", "session_refused"), ("viewer", "forbidden")]


def test_a_browser_that_asks_for_more_than_a_look_is_on_record(entry: Entry) -> None:
    """Other methods, other routes, tricks: as before."""
    cookie = sign_in(entry)
    assistant = "/ajax-api/3.0/mlflow/assistant"
    asked = [
        ("PUT", f"{assistant}/config"),
        ("POST", f"{assistant}/message"),
        ("POST", "/ajax-api/2.0/mlflow/gateway-proxy"),
        ("HEAD", f"{assistant}/config"),
        ("GET", f"{assistant}/invented"),
        ("GET", "/ajax-api/2.0/mlflow/users/list"),
    ]
    for method, uri in asked:
        assert entry.ask(method, uri, Cookie=cookie, Origin=f"https://{HOST}").status_code == 403, uri
    assert entry.ask("GET", POLLED[0], Cookie=cookie, X_HTTP_Method="PUT").status_code == 403
    found = [(facts["action"], facts["resource"]) for facts in entry.told("refusal")]
    assert found == [*asked, ("GET", POLLED[0])]


def test_scopes_narrow_a_token(entry: Entry) -> None:
    """A token for reading does not train, although its owner does."""
    token = entry.token("scientist", scopes=frozenset({Action.BROWSE}))
    assert entry.ask("GET", READ, Authorization=token).status_code == 204
    assert entry.ask("POST", TRAIN, Authorization=token).status_code == 403


@pytest.mark.parametrize(
    "header",
    [
        "Bearer sir_000000000000_AAAA",
        "Bearer",
        "Basic !!!",
        "Basic " + base64.b64encode(b"viewer").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Digest username=viewer",
        "Bearer " + "x" * 5000,
        basic("nobody", PASSWORD),
        basic("viewer", ""),
        basic("scientist", ""),
        basic("viewer", "x" * 3000),
        basic("viewer' OR '1'='1", "' OR '1'='1"),
        basic("viewer\0", PASSWORD),
        basic("viewer ", PASSWORD),
        basic("Viewer", PASSWORD),
    ],
)
def test_credentials_that_do_not_hold_get_one_and_the_same_answer(entry: Entry, header: str) -> None:
    """A guesser learns nothing from the difference."""
    answer = entry.ask("GET", READ, Authorization=header)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_signed_in"
    assert "viewer" not in answer.text


def test_a_bad_header_is_not_made_good_by_a_good_cookie(entry: Entry) -> None:
    """One credential counts."""
    cookie = sign_in(entry)
    assert entry.ask("GET", READ, Cookie=cookie).status_code == 204
    assert entry.ask("GET", READ, Cookie=cookie, Authorization="Bearer x").status_code == 401


@pytest.mark.parametrize(
    "other",
    [
        "a b=c d",
        'state={"tab":"x,y"}',
        "flag",
        '="',
        "x=\xe9",
        "café=1",
        "a=[1]{2}",
        "$Version=1",
        "expires=Thu, 1 Jan",
    ],
)
def test_cookies_of_the_hosts_other_programs_sign_nobody_out(entry: Entry, other: str) -> None:
    """They come in the same header, before or behind ours, since cookies know no ports."""
    cookie = sign_in(entry)
    for header in (f"{other}; {cookie}", f"{cookie}; {other}", f"{other};{cookie}"):
        sent = [(b"Cookie", header.encode()), (b"X-Original-Method", b"GET"), (b"X-Original-URI", READ.encode())]
        assert entry.client.get("/decide", headers=sent).status_code == 204, header


@pytest.mark.parametrize("planted", ["\x85{}", "\xa0{}", "x{}", "{}\x85", "__HOST-SIRENA{}"])
def test_a_cookie_whose_name_only_looks_like_ours_is_none_of_ours(entry: Entry, planted: str) -> None:
    """A page of another host in the same domain may set such a one, and no prefix of the browser's protects it."""
    name, _, value = sign_in(entry).partition("=")
    header = f"{planted.format(name)}={value}".encode("latin-1")
    sent = [(b"Cookie", header), (b"X-Original-Method", b"GET"), (b"X-Original-URI", READ.encode())]
    assert entry.client.get("/decide", headers=sent).status_code == 401
    twice = f"{name}={value}; {name}={value}"
    assert entry.ask("GET", READ, Cookie=twice).status_code == 401


@pytest.mark.parametrize(
    ("name", "work"), [("nobody", 0.03), ("scientist", 0.11), ("guessed", 0.2), ("viewer", REFUSAL_BEAT + 0.06)]
)
def test_the_time_of_a_refusal_does_not_tell_whether_there_is_an_account(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, work: float
) -> None:
    """A lock spares no hash, so others' hashes are waited for too; however long the work, the answer is on a beat.

    Time passes while a password is hashed and while the service waits, and at no other moment.
    """
    now, hashed, yielded = [0.0], [], asyncio.sleep

    def verify(password_hash: str | None, password: str) -> bool:
        now[0] += work
        hashed.append(password)
        return verify_password(password_hash, password)

    async def sleep(seconds: float) -> None:
        now[0] += seconds
        await yielded(0)

    monkeypatch.setattr(authentication, "verify_password", verify)
    engine = open_store(f"sqlite:///{shutil.copy(people, tmp_path / 'sirena.db')}")
    Accounts(engine).add("guessed", frozenset({Role.VIEWER}), PASSWORD)
    for _ in range(FREE_ATTEMPTS):
        Accounts(engine).note_failure("guessed")
    with answering_entry(engine, passing=lambda: now[0]) as entry:
        monkeypatch.setattr(asyncio, "sleep", sleep)
        assert entry.ask("GET", READ, Authorization=basic(name, "a wrong password")).status_code == 401
    engine.dispose()
    assert hashed == ["a wrong password"]
    assert now[0] == pytest.approx(REFUSAL_BEAT * math.ceil(work / REFUSAL_BEAT))


def test_revoking_and_disabling_work_within_five_seconds(entry: Entry) -> None:
    """Although decisions are remembered."""
    held, other = Tokens(entry.engine).create("viewer"), entry.token("scientist")
    token = f"Bearer {held[1]}"
    assert entry.ask("GET", READ, Authorization=token).status_code == 204
    assert entry.ask("GET", READ, Authorization=other).status_code == 204
    Tokens(entry.engine).revoke(held[0].id)
    Accounts(entry.engine).disable("scientist")
    assert FRESH_SECONDS < 5
    entry.passed += FRESH_SECONDS
    assert entry.ask("GET", READ, Authorization=token).status_code == 401
    assert entry.ask("GET", READ, Authorization=other).status_code == 401


def test_after_a_new_password_nobody_is_in_by_the_old_one(entry: Entry) -> None:
    """Neither by session nor by password within five seconds, nor by a session begun in them; the new one opens."""
    cookie, other = sign_in(entry), "another horse, another battery"
    assert entry.ask("GET", READ, Cookie=cookie).status_code == 204
    assert entry.ask("GET", READ, Authorization=basic("viewer", PASSWORD)).status_code == 204
    Accounts(entry.engine).set_password("viewer", other)
    assert sign_in_answer(entry, "/").status_code == 401
    entry.passed += FRESH_SECONDS
    assert entry.ask("GET", READ, Cookie=cookie).status_code == 401
    assert entry.ask("GET", READ, Authorization=basic("viewer", PASSWORD)).status_code == 401
    assert entry.ask("GET", READ, Authorization=basic("viewer", other)).status_code == 204
    assert sign_in_answer(entry, "/", other).status_code == 303


def test_new_roles_count_within_five_seconds(entry: Entry) -> None:
    """For sessions and tokens that are open already."""
    token = entry.token("viewer")
    assert entry.ask("POST", TRAIN, Authorization=token).status_code == 403
    Accounts(entry.engine).set_roles("viewer", frozenset({Role.SCIENTIST}))
    entry.passed += FRESH_SECONDS
    assert entry.ask("POST", TRAIN, Authorization=token).status_code == 204


def test_who_is_in_stays_in_while_the_database_starts_again_and_no_longer(entry: Entry) -> None:
    """A yes outlives its freshness while nobody can be asked, but not five seconds; a stranger gets no yes at all."""
    token, unknown = entry.token("viewer"), entry.token("scientist")
    assert entry.ask("GET", READ, Authorization=token).status_code == 204
    with entry.engine.begin() as connection:
        connection.execute(text("ALTER TABLE access_tokens RENAME TO away"))
    entry.passed += FRESH_SECONDS
    assert entry.ask("GET", READ, Authorization=token).status_code == 204
    assert entry.ask("GET", READ, Authorization=unknown).status_code == 503
    assert FRESH_SECONDS < KEPT_SECONDS < 5
    entry.passed += KEPT_SECONDS
    assert entry.ask("GET", READ, Authorization=token).status_code == 503
    with entry.engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO access_tokens"))
    assert entry.ask("GET", READ, Authorization=token).status_code == 204


def test_only_a_confirmed_yes_to_a_token_that_asks_for_answers_may_be_kept(entry: Entry) -> None:
    """For a second, and for this credential; no other yes, no refusal, and none while the accounts cannot be asked."""
    token, closed = entry.token("clinician"), entry.token("admin")

    def kept(answer: httpx.Response) -> tuple[str | None, str | None]:
        return answer.headers.get("X-Accel-Expires"), answer.headers.get("Vary")

    Accounts(entry.engine).set_password("scientist", PASSWORD)
    answering = ("/invocations", "/models/modelo_AMK_NM/invocations", "/v2/models/modelo_AMK_NM/infer")
    assert {kept(entry.ask("POST", path, Authorization=token)) for path in answering} == {("1", "Authorization")}
    others = [
        entry.ask("POST", "/invocations", Authorization=basic("scientist", PASSWORD)),
        entry.ask("POST", "/invocations", Authorization=closed),
        entry.ask("POST", "/invocations"),
        entry.ask("GET", "/readyz", Authorization=token),
    ]
    assert [answer.status_code for answer in others] == [204, 403, 401, 204]
    with entry.engine.begin() as connection:
        connection.execute(text("ALTER TABLE access_tokens RENAME TO away"))
    entry.passed += FRESH_SECONDS
    others.append(entry.ask("POST", "/invocations", Authorization=token))
    assert others[-1].status_code == 204
    assert {kept(answer) for answer in others} == {(None, None)}


def test_guessing_locks_the_password_and_leaves_tokens_and_sessions_alone(entry: Entry) -> None:
    """The right password is refused too while the lock lasts; who is in stays in."""
    token, cookie = entry.token("viewer"), sign_in(entry)
    Accounts(entry.engine).add("guessed", frozenset({Role.VIEWER}), PASSWORD)
    for attempt in range(FREE_ATTEMPTS):
        assert entry.ask("GET", READ, Authorization=basic("guessed", f"guess {attempt}")).status_code == 401
    assert entry.ask("GET", READ, Authorization=basic("guessed", PASSWORD)).status_code == 401
    assert [facts["cause"] for facts in entry.told("login_failed")] == ["password"] * FREE_ATTEMPTS + ["locked"]
    assert entry.told("account_changed")[0]["change"] == "locked"
    assert entry.ask("GET", READ, Authorization=token).status_code == 204
    assert entry.ask("GET", READ, Cookie=cookie).status_code == 204


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("X-HTTP-Method-Override", "DELETE", "method_override"),
        ("X-Method-Override", "GET", "method_override"),
        ("X-Original-URL", "/livez", "method_override"),
        ("X-Rewrite-URL", "/livez", "method_override"),
        ("X-Sirena-User", "admin", "forged_identity"),
        ("X-Sirena-Role", "admin", "forged_identity"),
    ],
)
def test_overrides_and_borrowed_identity_headers_are_refused(entry: Entry, name: str, value: str, code: str) -> None:
    """Even of somebody known, on a route that is theirs."""
    answer = entry.ask("GET", READ, Authorization=entry.token("viewer"), **{name: value})
    assert (answer.status_code, answer.headers["X-Sirena-Reason"]) == (403, code)


def test_a_refusal_goes_to_the_entry_in_headers_it_can_write_into_json(entry: Entry) -> None:
    """Message, remedy and both in one, without anything that would end a header or a text."""
    refused = entry.ask("POST", "/api/2.0/mlflow/runs/create", Authorization=entry.token("viewer"))
    assert refused.headers["X-Sirena-Message"] == "viewer may not do this: it needs the right train"
    assert refused.headers["X-Sirena-Hint"] == "ask an administrator for a role that has it: scientist"
    assert refused.headers["X-Sirena-Said"] == refused.json()["message"]
    stranger = entry.ask("GET", READ)
    assert stranger.headers["X-Sirena-Hint"] == "sign in at /auth/login, or send a token"
    unreadable = entry.ask("GET", READ, Authorization="Basic x")
    assert "Bearer TOKEN" in unreadable.headers["X-Sirena-Hint"]


def test_a_form_that_is_too_old_is_refused_by_a_page(entry: Entry) -> None:
    """To a browser; a program gets JSON."""
    fields = {"name": "viewer", "password": PASSWORD, "csrf": "old"}
    shown = entry.client.post("/auth/login", data=fields, headers={"Sec-Fetch-Mode": "navigate"})
    assert (shown.status_code, shown.headers["content-type"].partition(";")[0]) == (403, "text/html")
    assert "Esto no se pudo hacer." in shown.text
    english = {"Sec-Fetch-Mode": "navigate", "Accept-Language": "en-GB"}
    shown = entry.client.post("/auth/login", data=fields, headers=english)
    assert "The form is not ours or too old. Open /auth/login again." in shown.text
    assert entry.client.post("/auth/login", data=fields).json()["error"]["hint"] == "open /auth/login again"


def test_headers_that_stand_twice_are_refused(entry: Entry) -> None:
    """Which of two targets or credentials counts is nobody's to guess."""
    token = entry.token("admin")
    for name, value in [("X-Original-URI", "/livez"), ("X-Original-Method", "GET"), ("Authorization", token)]:
        headers = [("X-Original-Method", "GET"), ("X-Original-URI", READ), ("Authorization", token), (name, value)]
        assert entry.client.get("/decide", headers=headers).status_code == 403


def test_a_question_without_a_subject_is_refused(entry: Entry) -> None:
    """An entry that forgets to say what is asked for lets nothing through."""
    assert entry.client.get("/decide").status_code == 403
    assert entry.ask("GET", "/decide", Authorization=entry.token("admin")).status_code == 403


def test_what_stage_control_decides_does_not_pass_here(entry: Entry) -> None:
    """An entry that does not send it there lets nobody through."""
    for role in Role:
        answer = entry.ask("POST", "/api/2.0/mlflow/registered-models/alias", Authorization=entry.token(role.value))
        assert answer.status_code == 403


def test_a_record_of_a_refusal_holds_no_secret_and_no_line_break(entry: Entry) -> None:
    """Log injection, and tokens in queries."""
    entry.ask("GET", "/x%0d%0aforged?token=sir_secret", Authorization=basic("viewer", "a typed secret"))
    entry.ask("GET", "/get-artifact\tx")
    for event in entry.events:
        text = "".join(map(str, asdict(event).values()))
        assert text.isprintable()
        assert "sir_secret" not in text
        assert "a typed secret" not in text


def test_a_model_that_is_fetched_is_on_record_once_for_all_its_files(entry: Entry) -> None:
    """By whom and which, whichever of MLflow's routes; what is no model's file is not."""
    model = "m-0123456789abcdef0123456789abcdef"
    viewer = entry.token("viewer")
    files = f"/api/2.0/mlflow-artifacts/artifacts/1/models/{model}/artifacts"
    for uri in (
        f"{files}/MLmodel",
        f"{files}/artifacts/modelo_AMK_NM.keras",
        f"/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files?artifact_file_path=MLmodel",
        "/model-versions/get-artifact?path=MLmodel&name=modelo_AMK_NM&version=3",
        "/get-artifact?path=plot.png&run_uuid=0123456789abcdef0123456789abcdef",
    ):
        assert entry.ask("GET", uri, Authorization=viewer).status_code == 204
    entry.ask("GET", f"{files}/MLmodel", Authorization=entry.token("scientist"))
    entry.ask("GET", f"{files}/MLmodel", Authorization=entry.token("clinician"))
    assert [(facts["who"], facts["resource"]) for facts in entry.told("downloaded")] == [
        ("viewer", f"models/{model}"),
        ("viewer", "modelo_AMK_NM/3"),
        ("scientist", f"models/{model}"),
    ]


def test_who_writes_files_of_a_model_is_on_record_once_for_all_of_them(entry: Entry) -> None:
    """By run and by logged model; nobody writes while that cannot be put on record; reading and refusals are none."""
    run, model = "0123456789abcdef" * 2, f"m-{'0123456789abcdef' * 2}"
    Accounts(entry.engine).add("scientist2", frozenset({Role.SCIENTIST}), None)
    artifacts = "/api/2.0/mlflow-artifacts/artifacts/1"
    scientist = entry.token("scientist")
    writes = [
        ("PUT", f"{artifacts}/{run}/artifacts/plot.png"),
        ("PUT", f"{artifacts}/models/{model}/artifacts/MLmodel"),
        ("PUT", f"{artifacts}/models/{model}/artifacts/artifacts/modelo_AMK_NM.keras"),
        ("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=x"),
    ]
    entry.records = False
    assert not entry.ask(*writes[0], Authorization=scientist).is_success
    entry.records = True
    with ThreadPoolExecutor() as clients:
        asked = [clients.submit(entry.ask, *write, Authorization=scientist) for write in writes * 3]
        assert {one.result().status_code for one in asked} == {204}
    assert entry.ask("GET", writes[1][1], Authorization=scientist).status_code == 204
    certificate = f"{artifacts}/models/{model}/artifacts/certificates/clsi-2026.json"
    assert entry.ask("PUT", certificate, Authorization=entry.token("scientist2")).status_code == 204
    assert entry.ask("PUT", f"{artifacts}/x/{run}.png", Authorization=entry.token("scientist2")).status_code == 204
    assert entry.ask(*writes[1], Authorization=entry.token("viewer")).status_code == 403
    told = [(facts["who"], facts["resource"], facts["act"]) for facts in entry.told("uploaded")]
    assert sorted(told) == [("scientist", run, run), ("scientist", model, model)]


def test_what_administrators_delete_and_change_in_mlflow_is_on_record(entry: Entry) -> None:
    """Each time, with method and route; looking is not."""
    admin, hooks = entry.token("admin"), "/api/2.0/mlflow/webhooks"
    model = f"/api/2.0/mlflow/logged-models/m-{'0123456789abcdef' * 2}"
    for method, uri in (("GET", hooks), ("POST", hooks), ("DELETE", model), ("POST", hooks)):
        assert entry.ask(method, uri, Authorization=admin).status_code == 204
    found = [(facts["who"], facts["action"], facts["resource"]) for facts in entry.told("administered")]
    assert found == [("admin", "POST", hooks), ("admin", "DELETE", model), ("admin", "POST", hooks)]
    assert entry.told("uploaded") == []


def test_no_model_leaves_while_that_cannot_be_put_on_record(entry: Entry) -> None:
    """Not at the second request either; and once the ledger answers, the first is told."""
    uri, viewer = "/model-versions/get-artifact?path=MLmodel&name=modelo_AMK_NM&version=3", entry.token("viewer")
    entry.records = False
    assert [entry.ask("GET", uri, Authorization=viewer).is_success for _ in range(2)] == [False, False]
    entry.records = True
    assert entry.ask("GET", uri, Authorization=viewer).status_code == 204
    assert len(entry.told("downloaded")) == 1


def test_signing_in_sets_cookies_that_scripts_and_other_sites_cannot_have(entry: Entry) -> None:
    """Secure, HttpOnly, SameSite, bound to this host; the session is new with each sign-in."""
    first, second = sign_in(entry), sign_in(entry)
    assert first != second
    session = cookies_of(entry)[SESSION_COOKIE]
    for attribute in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert attribute in session
    assert "Domain" not in session
    me = entry.client.get("/auth/me", headers={"Cookie": second}).json()
    assert (me["name"], me["means"]) == ("viewer", "session")


def test_the_login_form_is_refused_without_its_own_token(entry: Entry) -> None:
    """Login CSRF."""
    fields = {"name": "viewer", "password": PASSWORD, "next": "/"}
    assert entry.client.post("/auth/login", data=fields).status_code == 403
    page = entry.client.get("/auth/login")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert entry.client.post("/auth/login", data={**fields, "csrf": "other"}).status_code == 403


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "/x%0d%0aSet-Cookie:a=b", ""]
)
def test_signing_in_leads_nowhere_else(entry: Entry, target: str) -> None:
    """Open redirects; a page of ours is kept."""
    assert sign_in_answer(entry, target).headers["Location"] == "/"
    assert sign_in_answer(entry, "/app/file?lang=es").headers["Location"] == "/app/file?lang=es"


def test_what_is_typed_into_the_form_is_escaped(entry: Entry) -> None:
    """Reflected XSS by the target."""
    page = entry.client.get("/auth/login", params={"next": '/"onmouseover=alert(1)'})
    assert "onmouseover" not in page.text


def test_a_wrong_password_shows_the_form_again(entry: Entry) -> None:
    """401, no cookie of a session, and the password is not in the page."""
    answer = sign_in_answer(entry, "/", password="wrong but long enough")
    assert answer.status_code == 401
    assert "wrong but long enough" not in answer.text
    assert SESSION_COOKIE + "=" not in answer.headers.get("set-cookie", "").replace(LOGIN_COOKIE, "")


def test_a_browser_is_not_made_to_act_by_another_site(entry: Entry) -> None:
    """CSRF: origin, fetch metadata, token."""
    cookies = {name: cookie.partition(";")[0] for name, cookie in cookies_of(entry).items()}
    cookie, csrf = cookies[SESSION_COOKIE], cookies[CSRF_COOKIE].partition("=")[2]
    search = "/ajax-api/2.0/mlflow/runs/search"

    def status(**headers: str) -> int:
        return entry.ask("POST", search, Cookie=cookie, **headers).status_code

    assert status() == 403
    assert status(Origin="https://evil.example") == 403
    assert status(Origin="null") == 403
    assert status(Origin=f"http://{HOST}") == 403
    assert status(Origin=f"https://{HOST}.evil.example") == 403
    assert status(Sec_Fetch_Site="cross-site") == 403
    assert status(Sec_Fetch_Site="same-site") == 403
    assert status(X_Sirena_CSRF="x") == 403
    assert status(Origin=f"https://{HOST}") == 204
    assert status(Sec_Fetch_Site="same-origin") == 204
    assert status(X_Sirena_CSRF=csrf) == 204
    password = basic("viewer", PASSWORD)
    assert entry.ask("POST", search, Authorization=password).status_code == 204
    assert entry.ask("POST", search, Authorization=password, Origin="https://evil.example").status_code == 403
    assert entry.ask("POST", search, Authorization=password, Sec_Fetch_Site="cross-site").status_code == 403
    assert entry.ask("POST", search, Authorization=entry.token("viewer")).status_code == 204


def test_a_page_says_who_is_signed_in_until_when_and_lets_them_leave(entry: Entry) -> None:
    """By session with a button; by token without one; to nobody it is the way to the form. No frame may show it."""
    page = entry.client.get("/auth/account", headers={"Cookie": sign_in(entry)})
    assert page.status_code == 200
    assert '<dd id="account">viewer</dd>' in page.text
    assert '<form method="post" action="/auth/logout">' in page.text
    until = datetime.fromisoformat(page.text.partition('datetime="')[2].partition('"')[0])
    assert timedelta(hours=11.9) < until - datetime.now(UTC) <= timedelta(hours=12)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    by_token = entry.client.get("/auth/account", headers={"Authorization": entry.token("operator")})
    assert '<dd id="account">operator</dd>' in by_token.text
    assert "<form" not in by_token.text
    nobody = entry.client.get("/auth/account", follow_redirects=False)
    assert (nobody.status_code, nobody.headers["Location"]) == (303, "/auth/login?next=/auth/account")


def test_pages_speak_the_language_that_was_chosen_or_the_browsers(entry: Entry) -> None:
    """One language at a time; a choice holds for the pages that follow, whatever the browser says."""
    said = {"es": ("Contraseña", "Entrar"), "en": ("Password", "Sign in")}
    for accepted, language in [
        ("", "es"),
        ("es-AR,en;q=0.5", "es"),
        ("en-US,es;q=0.9", "en"),
        ("fr, en;q=0.2", "en"),
        ("en;q=0", "es"),
    ]:
        page = entry.client.get("/auth/login", headers={"Accept-Language": accepted})
        assert f'<html lang="{language}">' in page.text
        other = "en" if language == "es" else "es"
        assert all(words in page.text for words in said[language])
        assert not any(words in page.text for words in said[other])
        assert f'href="/auth/login?lang={other}&amp;next=/"' in page.text
    chosen = entry.client.get("/auth/login?lang=en&next=/docs", headers={"Accept-Language": "es"})
    assert '<html lang="en">' in chosen.text
    assert 'name="next" value="/docs"' in chosen.text
    [kept] = [one for one in chosen.headers.get_list("set-cookie") if one.startswith(LANGUAGE_COOKIE)]
    held = {"Cookie": f"{sign_in(entry)}; {kept.partition(';')[0]}", "Accept-Language": "es"}
    assert "Signed in until" in entry.client.get("/auth/account", headers=held).text
    entry.client.cookies.clear()
    odd = entry.client.get("/auth/login?lang=xx", headers={"Cookie": f"{LANGUAGE_COOKIE}=<b>"})
    assert '<html lang="es">' in odd.text
    assert LANGUAGE_COOKIE not in odd.headers["set-cookie"]


def test_who_may_not_see_the_first_page_is_led_to_a_page_of_their_own(entry: Entry) -> None:
    """After signing in everybody comes to MLflow's page; a clinician's refusal there would be noise on record."""
    page = {"Accept": "text/html,*/*;q=0.8", "Authorization": entry.token("clinician")}
    led = entry.ask("GET", "/", **page)
    assert (led.status_code, led.headers["X-Sirena-Reason"]) == (403, "led_to_pages")
    assert entry.told("refusal") == []
    own = entry.client.get("/auth/account", headers=page)
    assert 'href="/app/"' in own.text
    assert 'href="/"' not in own.text
    operator = {**page, "Authorization": entry.token("operator", scopes=frozenset({Action.METRICS}))}
    assert entry.ask("GET", "/", **operator).headers["X-Sirena-Reason"] == "led_on"
    assert 'href="/docs"' in entry.client.get("/auth/account", headers=operator).text
    assert entry.ask("GET", "/docs", **page).status_code == 204
    viewer = {"Accept": "text/html", "Authorization": entry.token("viewer")}
    assert entry.ask("GET", "/", **viewer).status_code == 204
    assert 'href="/"' in entry.client.get("/auth/account", headers=viewer).text
    for uri, headers in [("/", {**page, "Accept": "*/*"}), ("/?x=1", {**page, "Accept": ""}), ("/experiments", page)]:
        assert entry.ask("GET", uri, **headers).headers["X-Sirena-Reason"] == "forbidden"
    narrow = entry.token("clinician", scopes=frozenset({Action.ANSWER}))
    assert entry.ask("GET", "/", Accept="text/html", Authorization=narrow).headers["X-Sirena-Reason"] == "led_on"
    assert [facts["resource"] for facts in entry.told("refusal")] == ["/", "/experiments"]


def test_signing_out_ends_the_session_at_once(entry: Entry) -> None:
    """No two seconds of grace for who asked to be forgotten; another site cannot sign somebody out."""
    cookie = sign_in(entry)
    assert entry.ask("GET", READ, Cookie=cookie).status_code == 204
    there = {"Cookie": cookie, "X-Forwarded-Host": HOST}
    assert entry.client.post("/auth/logout", headers=there | {"Origin": "https://evil.example"}).status_code == 403
    left = entry.client.post("/auth/logout", headers=there | {"Origin": f"https://{HOST}"}, follow_redirects=False)
    assert left.status_code == 303
    assert entry.ask("GET", READ, Cookie=cookie).status_code == 401
    assert entry.told("logout")[0]["who"] == "viewer"


def test_a_database_that_goes_away_lets_nobody_new_in(entry: Entry, tmp_path: Path) -> None:
    """The answer to a doubt is no."""
    token = entry.token("viewer")
    entry.engine.dispose()
    (tmp_path / "sirena.db").write_bytes(b"no database any more" * 100)
    (tmp_path / "sirena.db-wal").unlink(missing_ok=True)
    assert entry.ask("GET", READ, Authorization=token).status_code == 503


def sign_in_answer(entry: Entry, target: str, password: str = PASSWORD) -> httpx.Response:
    """Fill in the form as a browser does, over the TLS that NGINX would have ended."""
    page = entry.client.get("/auth/login")
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    return entry.client.post(
        "/auth/login",
        data={"csrf": csrf, "next": target, "name": "viewer", "password": password},
        headers={"Cookie": page.headers["Set-Cookie"].partition(";")[0]},
        follow_redirects=False,
    )


def cookies_of(entry: Entry) -> dict[str, str]:
    """Sign in and return each cookie set, by name, as the header says it."""
    answer = sign_in_answer(entry, "/")
    assert answer.status_code == 303
    return {cookie.partition("=")[0]: cookie for cookie in answer.headers.get_list("set-cookie")}


def sign_in(entry: Entry) -> str:
    """Sign in and return the cookie header."""
    return cookies_of(entry)[SESSION_COOKIE].partition(";")[0]
