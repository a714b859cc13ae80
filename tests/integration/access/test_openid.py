"""Single sign-on with a real OpenID provider, through NGINX, by a browser's steps."""

import html
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio
import pytest

from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.authentication import FRESH_SECONDS
from sirena.access.errors import AccountError
from sirena.access.identity_links import IdentityLinks
from sirena.access.openid_provider import FRESH_SECONDS as PUBLISHED_SECONDS
from sirena.access.openid_provider import OpenIdProvider
from sirena.access.openid_refusals import SignInRefusedError
from sirena.access.tokens import Tokens
from sirena.acts.doctor_looks import look_at_provider
from sirena.acts.openid_settings import openid_configuration
from sirena.server.checks.finding import CheckReport, CheckVerdict
from sirena.server.checks.settings_check import settings_in_force
from tests.access_client import PASSWORD, basic
from tests.integration.access.conftest import House
from tests.openid_provider import SECRET, Browser

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("subject", "name", "roles"),
    [
        ("sub-viewer", "vera", ["viewer"]),
        ("sub-clinician", "clara.nunez", ["clinician"]),
        ("sub-scientist", "samuel", ["scientist"]),
        ("sub-approver", "ana", ["approver"]),
        ("sub-operator", "oscar", ["operator"]),
        ("sub-admin", "adela", ["admin", "operator"]),
        ("sub-several", "sonia", ["clinician", "viewer"]),
    ],
)
def test_groups_become_roles(house: House, browser: Browser, subject: str, name: str, roles: list[str]) -> None:
    """An account is made at the first sign-in, with the union of the roles of all mapped groups, and is on record."""
    answer = browser.sign_in(subject, target="/app/file")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/app/file")
    identity = browser.identity
    assert identity
    assert (identity["name"], identity["roles"], identity["means"]) == (name, roles, "session")
    assert {"who": name, "outcome": "done", "method": "openid"} in house.entries("login")
    made = [(entry["outcome"], entry["role"]) for entry in house.entries("account_created") if entry["who"] == name]
    assert made == [("intended", ",".join(roles)), ("done", ",".join(roles))]


def test_doctor_asks_the_provider_for_its_document(house: House) -> None:
    """Its own address is well; another name for it, and nobody at all, are told each with its own remedy."""
    port = urlsplit(house.provider.issuer).port
    check_report = CheckReport()
    for issuer in (house.provider.issuer, f"http://localhost:{port}", "http://127.0.0.1:9"):
        look_at_provider(house.settings.model_copy(update={"oidc_issuer": issuer}), check_report)
    assert [one.verdict for one in check_report.findings] == [CheckVerdict.WELL, CheckVerdict.WRONG, CheckVerdict.WRONG]
    assert "to the letter" in check_report.findings[1].remedy
    assert "curl -sS http://127.0.0.1:9/.well-known/openid-configuration" in check_report.findings[2].remedy


def test_the_way_to_the_provider_holds_what_protects_it(browser: Browser) -> None:
    """PKCE by S256, a state and a nonce; the cookie beside is hidden, secure and of this host."""
    away = browser.get("/auth/openid/start")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(away.headers["Location"]).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", "sirena")
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    cookie = away.headers["Set-Cookie"]
    assert cookie.startswith("__Host-sirena_openid=")
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=600"))
    assert asked["state"] not in cookie
    other = parse_qs(urlsplit(browser.get("/auth/openid/start").headers["Location"]).query)
    assert other["state"][0] != asked["state"]
    assert other["nonce"][0] != asked["nonce"]


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_way_back_leads_to_no_other_site(browser: Browser, target: str) -> None:
    """Open redirects."""
    assert browser.sign_in("sub-viewer", target=target).headers["Location"] == "/"


FALSE_TOKENS = {
    **dict.fromkeys(
        ("other_key", "unknown_key", "none", "shared_secret", "public_key_as_secret", "tampered"), "id_token_signature"
    ),
    **dict.fromkeys(("audience", "audience_with_our_azp", "shared_audience"), "id_token_audience"),
    **dict.fromkeys(("expired", "future", "endless"), "id_token_time"),
    **dict.fromkeys(("nonce", "no_nonce"), "id_token_nonce"),
    "access_token": "id_token_access_token",
    "issuer": "id_token_issuer",
    **dict.fromkeys(("garbage", "missing", "odd_access_token", "brief_about_another"), "id_token"),
}
"""What the provider does wrong, and what the ledger calls it."""


@pytest.mark.parametrize("kind", FALSE_TOKENS)
def test_a_token_that_does_not_hold_opens_nothing(
    house: House, browser: Browser, mischief: Callable[[str], None], kind: str
) -> None:
    """Other keys and algorithms, other audience, issuer, time, sign-in or person; the ledger says which."""
    mischief(kind)
    before = len(house.entries("login"))
    answer = browser.sign_in("sub-viewer")
    assert (answer.status_code, browser.identity) == (403, None)
    assert "does not hold" in answer.text
    assert len(house.entries("login")) == before
    assert FALSE_TOKENS[kind] in house.causes()


def test_a_token_that_says_little_is_completed_by_the_userinfo_endpoint(
    browser: Browser, mischief: Callable[[str], None]
) -> None:
    """Many providers keep groups out of their tokens."""
    mischief("brief")
    assert browser.sign_in("sub-viewer").status_code == 303
    assert (browser.identity or {})["roles"] == ["viewer"]


def test_an_answer_counts_once(house: House, browser: Browser) -> None:
    """Whoever reads an address in a log or a history cannot use it again, even with the cookie."""
    address = browser.to_callback("sub-viewer")
    cookie = browser.client.cookies["__Host-sirena_openid"]
    assert browser.client.get(address).status_code == 303
    again = browser.client.get(address, headers={"Cookie": f"__Host-sirena_openid={cookie}"})
    assert again.status_code == 403
    assert "already" in again.text
    assert "__Host-sirena=" not in again.headers.get("set-cookie", "")
    assert "state" in house.causes()


def test_nobody_is_signed_in_with_somebody_elses_answer(house: House, browser: Browser) -> None:
    """Login CSRF: an address that another browser began, without a cookie and with one of another sign-in."""
    with house.browser() as attacker:
        address = attacker.to_callback("sub-admin")
    assert browser.client.get(address).status_code == 403
    browser.get("/auth/openid/start")
    assert browser.client.get(address).status_code == 403
    assert browser.identity is None


@pytest.mark.parametrize(
    "change",
    [
        lambda query: query | {"state": ["of another sign-in"]},
        lambda query: {name: values for name, values in query.items() if name != "state"},
        lambda query: query | {"state": query["state"] * 2},
        lambda query: query | {"iss": ["https://evil.example"]},
        lambda query: query | {"code": query["code"] + ["another"]},
        lambda query: query | {str(number): ["x"] for number in range(50)},
        lambda query: query | {"state": ["ñ\0\n"]},
    ],
)
def test_an_answer_that_was_changed_on_its_way_is_refused(
    browser: Browser, change: Callable[[dict[str, list[str]]], dict[str, list[str]]]
) -> None:
    """State, sender (RFC 9207), and whatever stands twice."""
    address = urlsplit(browser.to_callback("sub-viewer"))
    query = change(parse_qs(address.query))
    answer = browser.get(f"{address.path}?{urlencode(query, doseq=True)}")
    assert (answer.status_code, browser.identity) == (403, None)


def test_what_the_provider_refuses_is_one_clear_page(house: House, browser: Browser) -> None:
    """An error of its own, such as a person who cancels, and a code it does not know; its words are not repeated."""
    address = urlsplit(browser.to_callback("sub-viewer"))
    state = parse_qs(address.query)["state"][0]
    answer = browser.get(f"{address.path}?error=access_denied&error_description=<b>evil</b>&state={state}")
    assert (answer.status_code, "cancelled" in answer.text, "evil" in answer.text) == (403, True, False)
    state = parse_qs(urlsplit(browser.to_callback("sub-viewer")).query)["state"][0]
    assert browser.get(f"{address.path}?code=invented&state={state}").status_code == 403
    assert "provider" in house.causes()
    assert browser.identity is None


@pytest.mark.parametrize(("subject", "name"), [("sub-stranger", "stranger"), ("sub-groupless", "gil")])
def test_who_is_in_no_mapped_group_is_refused_and_gets_no_account(
    house: House, browser: Browser, subject: str, name: str
) -> None:
    """Nobody is a viewer by default."""
    answer = browser.sign_in(subject)
    assert (answer.status_code, browser.identity) == (403, None)
    assert "none of your groups" in answer.text
    told = {"who": name, "outcome": "refused", "method": "openid", "cause": "no_role", "times": 1}
    assert told in house.entries("login_failed")
    with house.store() as engine:
        assert Accounts(engine).get(name) is None


def test_roles_follow_the_groups_at_each_sign_in(house: House, browser: Browser) -> None:
    """Gained and lost, and on record."""
    browser.sign_in("sub-mover")
    house.provider.put_into_groups("sub-mover", "Heads", "PROA")
    with house.browser() as later:
        later.sign_in("sub-mover")
        assert (later.identity or {})["roles"] == ["approver", "clinician"]
    changes = [entry for entry in house.entries("account_changed") if entry["account"] == "mona"]
    assert [(entry["outcome"], entry["change"], entry["role"]) for entry in changes] == [
        ("intended", "role", "approver,clinician"),
        ("done", "role", "approver,clinician"),
    ]


def test_who_leaves_every_group_loses_tokens_and_sessions_too(house: House, browser: Browser) -> None:
    """At the next attempt to sign in; tokens of such accounts are made as for any other."""
    browser.sign_in("sub-leaver")
    with house.store() as engine:
        token = Tokens(engine).create("leo")[1]
    bearer = {"Authorization": f"Bearer {token}"}
    with house.browser() as program:
        assert program.get("/auth/me", **bearer).json()["roles"] == ["viewer"]
        house.provider.put_into_groups("sub-leaver", "Cafeteria")
        with house.browser() as later:
            assert later.sign_in("sub-leaver").status_code == 403
        time.sleep(FRESH_SECONDS)
        assert program.get("/auth/me", **bearer).json()["roles"] == []
        assert program.get("/livez", **bearer).status_code != 200
    assert (browser.identity or {})["roles"] == []


def test_a_disabled_account_stays_outside(house: House, browser: Browser) -> None:
    """Whatever the provider says."""
    browser.sign_in("sub-operator")
    with house.store() as engine:
        Accounts(engine).disable("oscar")
    answer = browser.sign_in("sub-operator")
    assert (answer.status_code, browser.identity) == (403, None)
    assert "disabled" in answer.text
    told = {"who": "oscar", "outcome": "refused", "method": "openid", "cause": "disabled", "times": 1}
    assert told in house.entries("login_failed")


def test_an_account_with_a_password_is_not_taken_over_by_its_name(house: House, browser: Browser) -> None:
    """Identity is issuer and subject; and an account of the provider's has no password to guess."""
    with house.store() as engine:
        Accounts(engine).add("marta", frozenset({Role.SCIENTIST}), PASSWORD)
    answer = browser.sign_in("sub-impostor")
    assert (answer.status_code, browser.identity) == (403, None)
    assert "another account of your name" in answer.text
    assert browser.get("/auth/me", Authorization=basic("marta", PASSWORD)).json()["roles"] == ["scientist"]
    assert browser.get("/auth/me", Authorization=basic("vera", PASSWORD)).status_code == 401
    with house.store() as engine, pytest.raises(AccountError):
        Accounts(engine).add("vera", frozenset({Role.ADMIN}), PASSWORD)


def test_an_administrator_links_an_account_to_whom_the_ledger_names(house: House, browser: Browser) -> None:
    """Refused first, on record with the subject; linked, they enter as that account; unlinked, not any more."""
    with house.store() as engine:
        Accounts(engine).add("nora", frozenset({Role.SCIENTIST}), PASSWORD)
        assert browser.sign_in("sub-namesake").status_code == 403
        told = [entry for entry in house.entries("login_failed") if entry["cause"] == "name_taken"][-1]
        assert (told["who"], told["subject"]) == ("nora", "sub-namesake")
        links = IdentityLinks(engine)
        assert browser.get("/auth/me", Authorization=basic("nora", PASSWORD)).status_code == 200
        assert links.link("nora", house.provider.issuer, told["subject"])
        assert browser.sign_in("sub-namesake").status_code == 303
        identity = browser.identity or {}
        assert (identity["name"], identity["roles"]) == ("nora", ["approver"])
        time.sleep(FRESH_SECONDS)
        with house.browser() as guesser:
            assert guesser.get("/auth/me", Authorization=basic("nora", PASSWORD)).status_code == 401
        links.unlink("nora")
        time.sleep(FRESH_SECONDS)
        assert browser.identity is None
        assert browser.sign_in("sub-namesake").status_code == 403


@pytest.mark.parametrize(
    ("subject", "name"), [("sub-mail-only", "mar@hospital.example"), ("sub-unverified", "sub-unverified")]
)
def test_a_name_comes_from_an_address_only_when_it_is_verified(browser: Browser, subject: str, name: str) -> None:
    """Else anybody could call himself like a colleague."""
    browser.sign_in(subject)
    assert (browser.identity or {})["name"] == name


def test_the_providers_tokens_are_no_tokens_of_ours(house: House, browser: Browser) -> None:
    """Neither an ID token nor an access token opens anything as a bearer token; both refusals are on record."""
    for number, token in enumerate(house.provider.tokens("sub-admin", browser)):
        path = f"/v2/models/asked_with_a_foreign_token_{number}"
        assert browser.get(path, Authorization=f"Bearer {token}").status_code == 401
        assert [entry["who"] for entry in house.entries("refusal") if entry["resource"] == path] == [""]


def test_signing_out_ends_both_sessions(house: House, browser: Browser) -> None:
    """Here at once; then the provider asks about its own, and leads back to our page."""
    browser.sign_in("sub-viewer")
    answer = browser.leave()
    assert (answer.status_code, browser.identity) == (200, None)
    address = html.unescape(answer.text.partition('content="0; url=')[2].partition('"')[0])
    assert address.startswith(f"{house.provider.issuer}/session/end?")
    question = browser.client.get(address)
    form = {"xsrf": question.text.partition('name="xsrf" value="')[2].partition('"')[0], "logout": "yes"}
    back = browser.client.post(f"{house.provider.issuer}/session/end/confirm", data=form)
    assert back.headers["Location"] == f"{house.settings.entry_url}/auth/login"
    asked_again = browser.client.get(browser.get("/auth/openid/start").headers["Location"])
    assert "/interaction/" in asked_again.headers["Location"]


def test_the_sign_in_page_offers_the_provider(browser: Browser) -> None:
    """By its name, escaped, and with the way back."""
    page = browser.get("/auth/login?lang=es&next=/app/file").text
    assert 'href="/auth/openid/start?next=/app/file"' in page
    assert "Continuar con Hospital &lt;Norte&gt;" in page
    assert "Continue with Hospital &lt;Norte&gt;" in browser.get("/auth/login?lang=en").text


def test_the_client_secret_stands_in_one_private_file(house: House) -> None:
    """Not in configuration, logs, command lines or environments of other programs."""
    kept = house.settings.home / "secrets" / "openid_client_secret"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (SECRET, 0o600)
    seen = (house.settings.home / "supervisor" / "supervisord.conf").read_text()
    seen += "".join(log.read_text(errors="replace") for log in (house.settings.home / "logs").iterdir())
    assert SECRET not in seen
    assert str(kept) in seen
    assert SECRET not in str(settings_in_force(house.settings)) + repr(house.settings)


def test_a_new_client_secret_needs_no_restart(house: House, browser: Browser) -> None:
    """Providers let secrets expire: `sirena up` takes up the file, and who is signed in notices nothing."""
    file = house.settings.oidc_client_secret_file
    assert file
    before = house.stack.supervisor.states()["access"].process_id
    try:
        file.write_text("another secret than the provider knows\n")
        house.take_up()
        assert browser.sign_in("sub-viewer").status_code == 403
        assert "provider" in house.causes()
    finally:
        file.write_text(SECRET + "\n")
        house.take_up()
    assert browser.sign_in("sub-viewer").status_code == 303
    assert house.stack.supervisor.states()["access"].process_id == before


@pytest.mark.parametrize(
    ("issuer", "cause"),
    [
        (lambda house: house.provider.issuer + "/", "provider_document"),
        (lambda house: house.provider.issuer.replace("127.0.0.1", "localhost"), "provider_document"),
        (lambda house: house.settings.entry_url, "provider_certificate"),
    ],
)
def test_a_provider_that_is_not_the_one_named_is_not_used(
    house: House, issuer: Callable[[House], str], cause: str
) -> None:
    """Another issuer in its document, and a certificate of an authority that this machine does not know."""

    async def begun() -> None:
        configuration = openid_configuration(house.settings.model_copy(update={"oidc_issuer": issuer(house)}))
        assert configuration
        await OpenIdProvider(configuration).address_for_signing_in("state", "nonce", "verifier")

    with pytest.raises(SignInRefusedError) as refused:
        anyio.run(begun)
    assert (refused.value.refusal.cause, refused.value.status) == (cause, 503)


def test_a_provider_that_signs_by_shared_secrets_alone_is_not_used(
    house: House, mischief: Callable[[str], None]
) -> None:
    """Whoever knows such a secret could write any token; `sirena doctor` tells what the provider must be set to."""
    mischief("announces_shared_secrets_alone")
    check_report = CheckReport()
    look_at_provider(house.settings, check_report)
    assert [one.verdict for one in check_report.findings] == [CheckVerdict.WRONG]
    assert "RS256" in check_report.findings[0].remedy


def test_while_the_provider_is_away_passwords_work_and_it_comes_back_with_other_keys(
    house: House, browser: Browser
) -> None:
    """503 and one clear page at the start and on the way back; nothing has to be restarted."""
    with house.store() as engine:
        Accounts(engine).add("paula", frozenset({Role.VIEWER}), PASSWORD)
    address = browser.to_callback("sub-viewer")
    house.provider.end()
    try:
        answer = browser.client.get(address)
        assert (answer.status_code, "does not answer" in answer.text) == (503, True)
        time.sleep(PUBLISHED_SECONDS)
        answer = browser.get("/auth/openid/start", Accept_Language="es")
        assert (answer.status_code, "no responde" in answer.text) == (503, True)
        assert "provider_away" in house.causes()
        page = browser.get("/auth/login")
        csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        fields = {"csrf": csrf, "next": "/", "name": "paula", "password": PASSWORD}
        assert browser.client.post(f"{house.settings.entry_url}/auth/login", data=fields).status_code == 303
        assert browser.leave().headers["Location"] == "/auth/login"
    finally:
        house.provider.begin()
    time.sleep(PUBLISHED_SECONDS)
    with house.browser() as later:
        assert later.sign_in("sub-viewer").status_code == 303


def test_a_public_client_and_nested_claims_do_as_well(house: House) -> None:
    """Without a secret PKCE protects alone; Keycloak keeps roles below `realm_access`."""
    house.take_up(oidc_client_id="sirena-public", oidc_client_secret_file=None, oidc_groups_claim="realm_access.roles")
    with house.browser() as browser:
        assert browser.sign_in("sub-nested").status_code == 303
        assert (browser.identity or {})["roles"] == ["clinician"]
