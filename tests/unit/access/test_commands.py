"""`sirena user` and `sirena token`, as typed."""

import io
from pathlib import Path

import pytest

from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.external_identities import ExternalIdentities
from sirena.access.openid_claims import ExternalPerson
from sirena.access.passwords import verify_password
from sirena.access.sessions import Sessions
from sirena.access.store import open_store
from sirena.access.tokens import Tokens
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import load_settings
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


def changes() -> list[tuple[str, str, str]]:
    """Return what changed of an account, its roles afterwards and the outcome, as it stands on record."""
    entries = open_ledger(load_settings()).read()
    facts = [(entry, entry.facts()) for entry in entries if entry.event == "account_changed"]
    return [(said["change"], said.get("role", ""), entry.outcome) for entry, said in facts]


def test_an_administrator_changes_password_and_roles_and_enables_again(sirena: Typed) -> None:
    """Each change is on record by its kind; the new password is nowhere."""
    sirena("user", "add", "maria", "--role", "scientist", "--password-stdin", entered=f"{PASSWORD}\n")
    sirena("user", "disable", "maria")
    assert sirena("user", "enable", "maria").code == 0
    other = "another horse, another battery"
    assert sirena("user", "password", "maria", "--password-stdin", entered=f"{other}\n").code == 0
    ended = sirena("user", "roles", "maria", "--role", "scientist", "--role", "approver")
    assert (ended.code, ended.output) == (0, "maria may enter as approver, scientist\n")
    assert sirena("user", "list").output.split() == ["maria", "approver,scientist", "active", "password"]
    account = Accounts(open_store(load_settings().effective_database_url)).find("maria")
    assert verify_password(account.password_hash, other)
    assert not verify_password(account.password_hash, PASSWORD)
    assert [change for change in changes() if change[2] == "done"] == [
        ("disabled", "", "done"),
        ("enabled", "", "done"),
        ("password", "", "done"),
        ("role", "approver,scientist", "done"),
    ]
    home = load_settings().home
    assert all(other.encode() not in file.read_bytes() for file in home.rglob("*") if file.is_file())


@pytest.mark.parametrize("change", [["roles", "vera", "--role", "admin"], ["password", "vera", "--password-stdin"]])
def test_what_the_provider_says_of_an_account_is_not_changed_here(sirena: Typed, change: list[str]) -> None:
    """A password of ours would be a way round the provider, which may have let the person go."""
    store = open_store(load_settings().effective_database_url)
    person = ExternalPerson("https://id.hospital.example", "sub-1", "vera", frozenset({Role.VIEWER}))
    ExternalIdentities(store).create(person)
    ended = sirena("user", *change, entered=f"{PASSWORD}\n")
    assert ended.code == 2
    assert "single sign-on" in ended.errors
    assert "https://id.hospital.example" in ended.errors
    account = Accounts(store).find("vera")
    assert (account.roles, account.password_hash) == (frozenset({Role.VIEWER}), None)
    assert "done" not in {outcome for _, _, outcome in changes()}
    store.dispose()


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


def test_an_account_is_linked_to_a_person_of_the_provider_and_unlinked(
    sirena: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password goes, sessions end, tokens stay; each step is on record with the identity, and again is harmless."""
    issuer = "https://id.hospital.example/realms/hospital"
    monkeypatch.setenv("SIRENA_OIDC_ISSUER", issuer)
    sirena("user", "add", "maria", "--role", "scientist", "--password-stdin", entered=f"{PASSWORD}\n")
    token = sirena("token", "create", "--user", "maria").output.split()[-1]
    store = open_store(load_settings().effective_database_url)
    sessions = Sessions(store, hours=12)
    cookie = sessions.begin("maria")[0]
    linked = sirena("user", "link", "maria", "--subject", "sub-7")
    assert (linked.code, linked.errors) == (0, "")
    assert linked.output == f"maria is linked to sub-7 at {issuer}; it has no password\n"
    person = ExternalPerson(issuer, "sub-7", "maria", frozenset({Role.VIEWER}))
    found = ExternalIdentities(store).find(person)
    assert found is not None
    assert (found.name, found.password_hash) == ("maria", None)
    assert sessions.resolve(cookie) is None
    assert Tokens(store).resolve(token) is not None
    assert sirena("user", "password", "maria", "--password-stdin", entered=f"{PASSWORD}\n").code == 2
    assert sirena("user", "link", "maria", "--subject", "sub-7").code == 0
    second = sessions.begin("maria")[0]
    assert sirena("user", "unlink", "maria").output == f"maria is linked to nobody at {issuer} any more\n"
    assert ExternalIdentities(store).find(person) is None
    assert sessions.resolve(second) is None
    assert sirena("user", "password", "maria", "--password-stdin", entered=f"{PASSWORD}\n").code == 0
    entries = [entry for entry in open_ledger(load_settings()).read() if entry.event == "account_changed"]
    facts = [(entry.facts(), entry.outcome) for entry in entries if entry.outcome != "intended"]
    told = [(said["change"], outcome, said.get("issuer"), said.get("subject")) for said, outcome in facts]
    assert [one for one in told if one[0] != "password"] == [
        ("linked", "done", issuer, "sub-7"),
        ("linked", "unchanged", issuer, "sub-7"),
        ("unlinked", "done", issuer, "sub-7"),
    ]
    store.dispose()


def test_a_person_has_one_account_and_an_account_one_person(sirena: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What belongs to another is named and stays; so does whatever is no identity."""
    monkeypatch.setenv("SIRENA_OIDC_ISSUER", "https://id.hospital.example")
    for name in ("maria", "ana"):
        sirena("user", "add", name, "--role", "viewer", "--no-password")
    sirena("user", "link", "maria", "--subject", "sub-7")
    for words, told in (
        (["ana", "--subject", "sub-7"], "enters as maria already"),
        (["maria", "--subject", "sub-8"], "maria is another person's"),
        (["ana", "--subject", ""], "1 to 255 ASCII"),
        (["ana", "--subject", "ñ"], "1 to 255 ASCII"),
        (["ana", "--subject", "x", "--issuer", "the hospital"], "an issuer is an address"),
        (["nobody", "--subject", "x"], "there is no account"),
    ):
        ended = sirena("user", "link", *words)
        assert (ended.code, told in ended.errors) == (2, True), ended
    assert "is linked to nobody" in sirena("user", "unlink", "ana").errors
    other = sirena("user", "link", "ana", "--subject", "x", "--issuer", "https://other.example")
    assert (other.code, "names another provider" in other.errors) == (0, True)
    monkeypatch.delenv("SIRENA_OIDC_ISSUER")
    assert "no provider is named" in sirena("user", "link", "ana", "--subject", "x").errors


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
        (["user", "enable", "nobody"], "there is no account"),
        (["user", "password", "nobody", "--password-stdin"], "there is no account"),
        (["user", "roles", "nobody", "--role", "viewer"], "there is no account"),
        (["user", "roles", "nobody", "--role", "root"], "there is no role"),
        (["token", "create", "--user", "nobody"], "there is no account"),
        (["token", "create", "--user", "nobody", "--expires", "soon"], "a number followed by d, h or m"),
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
