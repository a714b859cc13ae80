"""`sirena user` and `sirena token`, as typed."""

import io
from pathlib import Path

import pytest

from sirena.access.actions import Role
from sirena.access.external_identities import ExternalIdentities
from sirena.access.openid_claims import ExternalPerson
from sirena.access.store import open_store
from sirena.access.tokens import Tokens
from sirena.ledger.store import open_ledger
from sirena.operations.settings import load_settings
from tests.command_line import Ended, run_command

PASSWORD = "correct horse battery"


@pytest.fixture
def sirena(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> "Typed":
    """Run commands of this test's home."""
    return Typed(capfd, monkeypatch)


class Typed:
    """A terminal."""

    def __init__(self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """Type here."""
        self._capfd = capfd
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, entered: str = "") -> Ended:
        """Run a command with something on standard input."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(entered))
        return run_command(self._capfd, arguments)


def records() -> list[tuple[str, str]]:
    """Return name and outcome of what was put on record."""
    return [(entry.event, entry.outcome) for entry in open_ledger(load_settings()).read()]


def test_an_account_is_made_listed_and_disabled(sirena: Typed) -> None:
    """Each step is on record, and the password nowhere."""
    made = sirena("user", "add", "maria", "--role", "scientist", "--password-stdin", entered=f"{PASSWORD}\n")
    assert (made.code, made.output) == (0, "maria may enter as scientist\n")
    assert sirena("user", "list").output.split() == ["maria", "scientist", "active", "password"]
    assert sirena("user", "disable", "maria").code == 0
    assert "disabled" in sirena("user", "list").output
    assert records() == [
        ("account_created", "intended"),
        ("account_created", "done"),
        ("account_changed", "intended"),
        ("account_changed", "done"),
    ]
    home = load_settings().home
    assert all(PASSWORD.encode() not in file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_an_account_of_the_provider_is_listed_gets_tokens_and_is_disabled(sirena: Typed) -> None:
    """Like any other, for MLflow's client and curl; only its password is elsewhere."""
    store = open_store(load_settings().effective_database_url)
    person = ExternalPerson("https://id.hospital.example", "sub-1", "vera", frozenset({Role.VIEWER}))
    ExternalIdentities(store).create(person)
    assert sirena("user", "list").output.split() == ["vera", "viewer", "active", "single", "sign-on"]
    token = sirena("token", "create", "--user", "vera").output.split()[-1]
    assert Tokens(store).resolve(token) is not None
    assert sirena("user", "disable", "vera").code == 0
    assert Tokens(store).resolve(token) is None
    store.dispose()


def test_a_token_is_shown_once_and_revoked_by_its_id(sirena: Typed) -> None:
    """Its text is in no list, log or database."""
    sirena("user", "add", "lis", "--role", "clinician", "--no-password")
    made = sirena("token", "create", "--user", "lis", "--expires", "90d", "--scope", "answer", "--name", "the LIS")
    secret = made.output.strip()
    assert secret.startswith("sir_")
    assert secret not in made.errors
    identifier = secret.split("_")[1]
    listed = sirena("token", "list", "--user", "lis").output
    assert identifier in listed
    assert "answer" in listed
    assert secret not in listed
    home = load_settings().home
    assert all(secret.encode() not in file.read_bytes() for file in home.rglob("*") if file.is_file())
    tokens = Tokens(open_store(load_settings().effective_database_url))
    assert tokens.resolve(secret) is not None
    assert sirena("token", "revoke", identifier).code == 0
    assert tokens.resolve(secret) is None
    assert "revoked" in sirena("token", "list").output
    assert [event for event, outcome in records() if outcome == "done"][-2:] == ["token_created", "token_revoked"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["user", "add", "x", "--role", "root", "--no-password"], "there is no role"),
        (["user", "add", "X Y", "--role", "viewer", "--no-password"], "an account name is"),
        (["user", "add", "x", "--role", "viewer", "--password-stdin"], "a password has 12"),
        (["user", "add", "x", "--role", "viewer", "--password-stdin", "--no-password"], "exclude each other"),
        (["user", "disable", "nobody"], "there is no account"),
        (["token", "create", "--user", "nobody"], "there is no account"),
        (["token", "create", "--user", "nobody", "--expires", "soon"], "a number and d, h or m"),
        (["token", "create", "--user", "nobody", "--scope", "switched_off"], "there is no scope"),
        (["token", "revoke", "sir_x"], "no token of this id"),
    ],
)
def test_wrong_use_is_one_message_and_exit_code_2(sirena: Typed, arguments: list[str], told: str) -> None:
    """Nothing is made."""
    ended = sirena(*arguments, entered="short\n")
    assert ended.code == 2
    assert told in ended.errors
    assert "Traceback" not in ended.errors


def test_the_service_refuses_to_start_on_a_broken_policy(
    sirena: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Rather than deciding by half a policy."""
    broken = tmp_path / "policy.toml"
    broken.write_text("[[rule]]\nroles=['viewer']\nactions=['fly']\n", encoding="utf-8")
    monkeypatch.setenv("SIRENA_POLICY", str(broken))
    ended = sirena("access-service", "--port", "0")
    assert ended.code == 2
    assert "rule 1" in ended.errors
