"""Accounts, tokens and sessions as they are kept."""

import stat
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from sirena.access.accounts import FREE_ATTEMPTS, Accounts
from sirena.access.actions import Action, Role
from sirena.access.errors import AccountError
from sirena.access.secrets_issued import digest
from sirena.access.sessions import Sessions
from sirena.access.store import SESSIONS, TOKENS, StoreError, open_store
from sirena.access.tokens import DAY, Tokens
from sirena.database.schema import SchemaUnknownError
from sirena.domain.errors import UsageError
from tests.properties import dear

PASSWORD = "correct horse battery"


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An empty store."""
    return open_store(f"sqlite:///{tmp_path / 'sirena.db'}")


@pytest.fixture
def accounts(engine: Engine) -> Accounts:
    """A store with one account."""
    accounts = Accounts(engine)
    accounts.add("maria", frozenset({Role.SCIENTIST}), None)
    return accounts


def test_the_file_of_secrets_is_its_owners(engine: Engine, tmp_path: Path) -> None:
    """Mode 0600."""
    assert stat.S_IMODE((tmp_path / "sirena.db").stat().st_mode) == 0o600


def test_a_hash_costs_a_guesser_what_rfc_9106_asks(dear_hasher: PasswordHasher) -> None:
    """64 MiB and three passes each."""
    assert extract_parameters(dear_hasher.hash(PASSWORD)) == RFC_9106_LOW_MEMORY


def test_passwords_are_kept_as_argon2id(engine: Engine) -> None:
    """Neither the password nor a fast hash of it is in the store."""
    account = Accounts(engine).add("ana", frozenset({Role.VIEWER}), PASSWORD)
    assert account.password_hash is not None
    assert account.password_hash.startswith("$argon2id$")
    assert PASSWORD not in account.password_hash


@pytest.mark.parametrize("name", ["", "Ana", "a b", "ana\n", "../x", "-ana", "a" * 65, "ana;", "añ"])
def test_names_that_could_disturb_a_record_are_refused(engine: Engine, name: str) -> None:
    """Names stand in headers, logs and records."""
    with pytest.raises(AccountError):
        Accounts(engine).add(name, frozenset({Role.VIEWER}), None)


def test_a_short_password_a_taken_name_and_no_role_are_refused(accounts: Accounts) -> None:
    """One message each."""
    with pytest.raises(AccountError, match="12 to"):
        accounts.add("ana", frozenset({Role.VIEWER}), "short")
    with pytest.raises(AccountError, match="already"):
        accounts.add("maria", frozenset({Role.VIEWER}), None)
    with pytest.raises(AccountError, match="role"):
        accounts.add("ana", frozenset(), None)


def test_many_wrong_passwords_lock_for_ever_longer_up_to_a_quarter_of_an_hour(engine: Engine) -> None:
    """Back-off doubles and ends."""
    clock = Clock()
    accounts = Accounts(engine, clock)
    accounts.add("ana", frozenset({Role.VIEWER}), None)
    waits = []
    for _ in range(FREE_ATTEMPTS + 8):
        account = accounts.note_failure("ana")
        assert account is not None
        waits.append(max(account.locked_until - clock.now, 0))
    assert waits[: FREE_ATTEMPTS - 1] == [0] * (FREE_ATTEMPTS - 1)
    assert waits[FREE_ATTEMPTS - 1 : FREE_ATTEMPTS + 2] == [30, 60, 120]
    assert waits[-1] == 900
    accounts.note_success(accounts.find("ana"))
    assert accounts.find("ana").failed_attempts == 0


def test_a_token_is_kept_as_a_hash_and_opens_its_owners_account(engine: Engine, accounts: Accounts) -> None:
    """The token itself is in no column."""
    token, secret = Tokens(engine).create("maria", scopes=frozenset({Action.ANSWER}))
    found = Tokens(engine).resolve(secret)
    assert found is not None
    assert (found[0].id, found[1].name, found[0].scopes) == (token.id, "maria", frozenset({Action.ANSWER}))
    with engine.connect() as connection:
        row = connection.execute(select(TOKENS)).one()
    assert secret not in map(str, row)
    assert row.secret_sha256 == digest(secret)


def test_expired_revoked_and_orphaned_tokens_open_nothing(engine: Engine, accounts: Accounts) -> None:
    """At the very second."""
    clock = Clock()
    tokens = Tokens(engine, clock)
    _, short = tokens.create("maria", days=1)
    revoked, taken = tokens.create("maria")
    _, orphan = tokens.create("maria")
    tokens.revoke(revoked.id)
    tokens.revoke(revoked.id)
    assert tokens.resolve(taken) is None
    clock.now += DAY - 0.001
    assert tokens.resolve(short) is not None
    clock.now += 0.001
    assert tokens.resolve(short) is None
    assert tokens.resolve(orphan) is not None
    accounts.disable("maria")
    assert tokens.resolve(orphan) is None


@dear()
@given(st.integers(0, 70), st.characters(codec="utf-8"))
def test_a_token_with_any_letter_changed_opens_nothing(position: int, letter: str) -> None:
    """Forging by a letter."""
    secret = _SECRET[0]
    forged = secret[: position % len(secret)] + letter + secret[position % len(secret) + 1 :]
    assert (_TOKENS[0].resolve(forged) is not None) == (forged == secret)


@pytest.mark.parametrize("days", [0, -1, 367, float("nan")])
def test_a_token_holds_for_a_bounded_time(engine: Engine, accounts: Accounts, days: float) -> None:
    """No token for ever."""
    with pytest.raises(AccountError):
        Tokens(engine).create("maria", days=days)


def test_a_session_ends_by_leaving_by_time_and_with_the_account(engine: Engine, accounts: Accounts) -> None:
    """Three ends."""
    clock = Clock()
    sessions = Sessions(engine, hours=1, clock=clock)
    left, _ = sessions.begin("maria")
    aged, csrf = sessions.begin("maria")
    found = sessions.resolve(aged)
    assert found is not None
    assert found.carries(csrf)
    assert not found.carries(aged)
    sessions.end(left)
    assert sessions.resolve(left) is None
    clock.now += 3600
    assert sessions.resolve(aged) is None
    late, _ = sessions.begin("maria")
    accounts.disable("maria")
    assert sessions.resolve(late) is None
    with engine.connect() as connection:
        assert late not in {row.secret_sha256 for row in connection.execute(select(SESSIONS))}


def test_a_store_of_a_later_sirena_is_refused(engine: Engine, tmp_path: Path) -> None:
    """Rather than guessed at."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE access_revision SET version_num = '9999'"))
    with pytest.raises(SchemaUnknownError, match="revision 9999"):
        open_store(f"sqlite:///{tmp_path / 'sirena.db'}")


def test_a_database_that_does_not_answer_is_one_message_without_the_password() -> None:
    """PostgreSQL away."""
    with pytest.raises(StoreError) as told:
        open_store("postgresql://sirena:geheim@127.0.0.1:9/sirena?connect_timeout=2")
    assert "geheim" not in told.value.text + told.value.hint
    with pytest.raises(UsageError):
        open_store("not a url")


_TOKENS: list[Tokens] = []
_SECRET: list[str] = []


@pytest.fixture(autouse=True, scope="module")
def forging(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One store for all examples of the forging test."""
    engine = open_store(f"sqlite:///{tmp_path_factory.mktemp('forging') / 'sirena.db'}")
    Accounts(engine).add("ana", frozenset({Role.VIEWER}), None)
    _TOKENS[:] = [Tokens(engine)]
    _SECRET[:] = [_TOKENS[0].create("ana")[1]]


def test_a_new_password_unlocks_and_ends_sessions_but_no_tokens(accounts: Accounts, engine: Engine) -> None:
    """Of this account alone; one that is too short changes nothing."""
    accounts.add("ana", frozenset({Role.VIEWER}), None)
    cookies = {name: Sessions(engine, hours=1).begin(name)[0] for name in ("maria", "ana")}
    token = Tokens(engine).create("maria")[1]
    for _ in range(FREE_ATTEMPTS):
        accounts.note_failure("maria")
    with pytest.raises(AccountError, match="a password has"):
        accounts.set_password("maria", "short")
    assert Sessions(engine, hours=1).resolve(cookies["maria"]) is not None
    accounts.set_password("maria", PASSWORD)
    assert Sessions(engine, hours=1).resolve(cookies["maria"]) is None
    assert Sessions(engine, hours=1).resolve(cookies["ana"]) is not None
    assert Tokens(engine).resolve(token) is not None
    account = accounts.find("maria")
    assert (account.failed_attempts, account.locked_until) == (0, 0.0)


def test_an_enabled_account_is_unlocked_and_what_was_open_stays_ended(accounts: Accounts, engine: Engine) -> None:
    """A leaver who comes back gets a new token; a new password does not enable by itself."""
    token = Tokens(engine).create("maria")[1]
    accounts.disable("maria")
    accounts.set_password("maria", PASSWORD)
    assert accounts.find("maria").disabled
    accounts.note_failure("maria")
    accounts.enable("maria")
    account = accounts.find("maria")
    assert (account.disabled, account.failed_attempts) == (False, 0)
    assert Tokens(engine).resolve(token) is None
    assert Tokens(engine).resolve(Tokens(engine).create("maria")[1]) is not None


def test_an_account_keeps_at_least_one_role(accounts: Accounts) -> None:
    """To bar somebody there is disabling."""
    with pytest.raises(AccountError, match="at least one role"):
        accounts.set_roles("maria", frozenset())
    assert accounts.find("maria").roles == frozenset({Role.SCIENTIST})
