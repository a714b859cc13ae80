"""What NGINX keeps of the access service's decisions: little, for a moment, and for nobody else."""

import http.client
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count

import pytest

from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.tokens import Tokens
from sirena.server.entry.kept_decisions import folder_of, remove
from sirena.server.production_stack import ProductionStack
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings
from tests.guarded_house import House, access_service
from tests.production_machine import Recorder, entry_alone, entry_of

TOKEN = "sir_0123456789ab_of-somebody-who-may-ask"
ASKING = {"Authorization": f"Bearer {TOKEN}"}
SENT = 6
"""Requests in a row, of which the third and those after it are answered by a yes that was kept, if one is kept."""
BOUND = 2.0
"""Seconds after which nobody is let through who has lost a right."""
PATIENCE = 60.0


class KeptDecision(Recorder):
    """Says yes to one token, and that it may be kept, whatever is asked for: what is asked anew is NGINX's choice."""

    is_open = True
    vary = "Authorization"

    def decide(self, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        """Return status and headers."""
        if self.is_open and headers.get("authorization") == ASKING["Authorization"]:
            return 204, {"X-Sirena-User": "maria", "X-Accel-Expires": "1", "Vary": self.vary}
        return 401, {"X-Sirena-Reason": "not_signed_in"}


class Program:
    """A client that keeps its connection."""

    def __init__(self, settings: Settings) -> None:
        context = ssl.create_default_context(cafile=str(authority_file(settings)))
        self._connection = http.client.HTTPSConnection("localhost", settings.https_port, context=context, timeout=60)

    def ask(self, path: str = "/invocations", method: str = "POST", **headers: str) -> int:
        """Send a request with headers, underscores for hyphens; return its status."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body=b"{}" if method == "POST" else None, headers=sent)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@pytest.fixture(scope="module")
def alone() -> Iterator[Settings]:
    """NGINX alone."""
    with entry_alone([], rate=1000) as settings:
        yield settings


@pytest.fixture
def access(alone: Settings) -> Iterator[KeptDecision]:
    """The access service's place, with the service and MLflow behind the entry."""
    with Recorder(alone, "service"), Recorder(alone, "mlflow"), KeptDecision(alone, "access") as access:
        assert isinstance(access, KeptDecision)
        yield access


@pytest.fixture
def program(alone: Settings, access: KeptDecision) -> Iterator[Program]:
    """A program that asks NGINX."""
    del access
    with closing(Program(alone)) as program:
        yield program


def await_kept(program: Program, access: KeptDecision, path: str = "/invocations") -> None:
    """Ask until a request was let through that nobody was asked about."""
    end = time.monotonic() + PATIENCE
    while True:
        before = len(access.asked)
        assert program.ask(path, **ASKING) == 200
        if len(access.asked) == before:
            return
        assert time.monotonic() < end, "no yes is kept"


@pytest.mark.parametrize(
    "path",
    ["/invocations", "/models/modelo_AMK_NM/invocations", "/v2/models/modelo_AMK_NM/infer", "/invocations?ground=none"],
)
def test_a_request_for_answers_that_shows_a_token_is_kept_a_yes(
    program: Program, access: KeptDecision, alone: Settings, path: str
) -> None:
    """And the log names who asked, each time."""
    log = alone.home / "logs" / "entry.jsonl"
    before = len(log.read_text().splitlines())
    await_kept(program, access, path)
    program.ask("/readyz", "GET", **ASKING)  # by now the one before it is in the log
    lines = [json.loads(line) for line in log.read_text().splitlines()[before:]]
    users = [line["user"] for line in lines if line["path"] == path.partition("?")[0]]
    assert users == ["maria"] * len(users)
    assert len(users) >= len(access.asked)


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/invocations?token=x", "POST", ASKING),
        ("/invocations?ground=none&ground=full", "POST", ASKING),
        ("/models/modelo%20x/invocations", "POST", ASKING),
        ("/readyz", "GET", ASKING),
        ("/invocations", "GET", ASKING),
        ("/v2/models/modelo_AMK_NM", "GET", ASKING),
        ("/api/2.0/mlflow/runs/create", "POST", ASKING),
        ("/invocations", "POST", ASKING | {"Cookie": "__Host-sirena=x"}),
        ("/invocations", "POST", ASKING | {"Origin": "https://elsewhere.example"}),
        ("/invocations", "POST", ASKING | {"Sec_Fetch_Site": "same-origin"}),
        ("/invocations", "POST", ASKING | {"X_Sirena_CSRF": "x"}),
        ("/invocations", "POST", ASKING | {"X_Sirena_User": "admin"}),
        ("/invocations", "POST", ASKING | {"X_HTTP_Method_Override": "DELETE"}),
    ],
)
def test_every_other_request_is_asked_about_each_time(
    program: Program, access: KeptDecision, path: str, method: str, headers: dict[str, str]
) -> None:
    """Also after a yes to a plain one was kept, and although the answer says that it may be."""
    await_kept(program, access)
    before = len(access.asked)
    assert [program.ask(path, method, **headers) for _ in range(SENT)] == [200] * SENT
    assert len(access.asked) == before + SENT


@pytest.mark.parametrize("vary", ["", "Accept"])
def test_a_yes_that_is_not_said_to_depend_on_the_token_is_not_kept(
    program: Program, access: KeptDecision, vary: str
) -> None:
    """It would hold for every token."""
    access.vary = vary
    assert [program.ask(**ASKING) for _ in range(SENT)] == [200] * SENT
    assert len(access.asked) == SENT


def test_a_password_is_never_kept_a_yes(program: Program, access: KeptDecision) -> None:
    """Its hash in a file could be guessed at."""
    before = len(access.asked)
    for _ in range(SENT):
        program.ask(Authorization="Basic bWFyaWE6YSBwYXNzd29yZA==")
    assert len(access.asked) == before + SENT


def test_a_refusal_is_never_kept_whatever_number_of_tokens_somebody_tries(
    program: Program, access: KeptDecision, alone: Settings
) -> None:
    """Beside somebody whose yes is kept, on the same connection: each is asked about, and none leaves a file."""
    await_kept(program, access)
    before, files = len(access.asked), len(kept_texts(alone))
    for number in range(200):
        assert program.ask(Authorization=f"Bearer sir_0123456789ab_guess{number % 100}") == 401
    assert len(access.asked) == before + 200
    assert len(kept_texts(alone)) <= files


@pytest.mark.parametrize(
    ("path", "method", "token"),
    [
        ("/invocations", "POST", "sir_0123456789ab_of-somebody-else"),
        ("/invocations", "POST", TOKEN[:-1]),
        ("/invocations", "POST", ""),
        ("/models/modelo_AMK_NM/invocations", "POST", TOKEN),
        ("/invocations", "DELETE", TOKEN),
    ],
)
def test_a_yes_holds_for_no_other_token_target_or_method(
    program: Program, access: KeptDecision, path: str, method: str, token: str
) -> None:
    """Each is asked about on the very connection for which a yes is kept, and refused if the answer is no."""
    await_kept(program, access)
    before = len(access.asked)
    access.is_open = False
    assert program.ask(path, method, **({"Authorization": f"Bearer {token}"} if token else {})) == 401
    assert len(access.asked) == before + 1


def test_a_yes_holds_for_no_other_connection(program: Program, access: KeptDecision, alone: Settings) -> None:
    """Not even for another of the same program."""
    await_kept(program, access)
    access.is_open = False
    with closing(Program(alone)) as other:
        assert other.ask(**ASKING) == 401


def test_a_yes_ends_with_the_second_in_which_it_was_asked_for(program: Program, access: KeptDecision) -> None:
    """Although it is used all the time."""
    await_kept(program, access)
    access.is_open = False
    asking_until(time.monotonic() + BOUND / 2, program, ASKING)
    assert program.ask(**ASKING) == 401


def test_no_credential_stands_in_a_file(program: Program, access: KeptDecision, alone: Settings) -> None:
    """Where a yes is kept there is what was asked for, and below the folder of the stack no token at all."""
    for _ in count():
        await_kept(program, access)
        kept = kept_texts(alone)
        if any(b"POST:/invocations" in text for text in kept):
            break
    written = [*kept, *(path.read_bytes() for path in alone.home.rglob("*.jsonl"))]
    assert not [text for text in written if TOKEN.encode() in text or TOKEN[17:].encode() in text]


def kept_texts(settings: Settings) -> list[bytes]:
    """Return the files in which NGINX keeps decisions; it removes them meanwhile."""
    texts = []
    for path in (folder_of(settings.home) / "kept").iterdir():
        with suppress(FileNotFoundError):
            texts.append(path.read_bytes())
    return texts


def asking_until(end: float, program: Program, headers: dict[str, str]) -> None:
    """Use a token all the time, so that whatever remembers it does."""
    while time.monotonic() < end:
        program.ask(**headers)


@pytest.mark.parametrize(("lost", "status"), [("token", 401), ("account", 401), ("role", 403)])
def test_whoever_loses_a_right_is_refused_within_two_seconds(house: House, lost: str, status: int) -> None:
    """By the real access service, on a connection that asks all the time."""
    name, accounts, tokens = f"without-{lost}", Accounts(house.engine), Tokens(house.engine)
    accounts.add(name, frozenset({Role.CLINICIAN}), None)
    token, secret = tokens.create(name)
    headers = {"Authorization": f"Bearer {secret}"}
    with Recorder(house.settings, "service"), closing(Program(house.settings)) as program:
        asking_until(time.monotonic() + 0.5, program, headers)
        assert program.ask(**headers) == 200
        match lost:
            case "token":
                tokens.revoke(token.id)
            case "account":
                accounts.disable(name)
            case "role":
                accounts.set_roles(name, frozenset({Role.VIEWER}))
        asking_until(time.monotonic() + BOUND, program, headers)
        assert program.ask(**headers) == status


def test_a_new_policy_counts_for_who_asks_all_the_time(house: House) -> None:
    """A second after the access service has begun with it."""
    headers = {"Authorization": f"Bearer {house.tokens['clinician']}"}
    policy = house.own.home / "policy.toml"
    policy.write_text('[[rule]]\nwhy = "closed"\nroles = ["admin"]\nactions = ["status"]\n', encoding="utf-8")
    with Recorder(house.settings, "service"), closing(Program(house.settings)) as program:
        assert program.ask(**headers) == 200
        try:
            restart_access(house, SIRENA_POLICY=str(policy))
            asking_until(time.monotonic() + BOUND / 2, program, headers)
            assert program.ask(**headers) == 403
        finally:
            restart_access(house)


def restart_access(house: House, **environment: str) -> None:
    """End the access service and start it with other settings."""
    house.access.stop()
    house.access = access_service(house.settings, house.entry, house.environment | environment)
    house.access.start()


def test_nginx_starts_after_the_machine_did_when_its_memory_is_empty() -> None:
    """Nobody writes the configuration then: systemd starts the supervisor, and that NGINX."""
    with entry_alone([]) as settings:
        stack = ProductionStack(settings)
        stack.supervisor.stop()
        remove(folder_of(settings.home))
        stack.supervisor.start()
        stack.wait([entry_of(settings).part()], lambda _: None)
        assert (folder_of(settings.home) / "kept").is_dir()
