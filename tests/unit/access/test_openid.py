"""Single sign-on without a provider: what claims mean, what settings say, what a journey promises."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.access.accounts import is_account_name
from sirena.access.actions import Role
from sirena.access.openid_claims import read_person
from sirena.access.openid_configuration import GroupRolesError, OpenIdConfiguration, read_group_roles
from sirena.access.openid_journeys import JOURNEY_SECONDS, Journeys
from sirena.access.openid_refusals import SignInRefusedError
from sirena.access.store import open_store
from tests.access_client import answering_entry

ROLES = {"PROA": frozenset({Role.CLINICIAN}), "Heads": frozenset({Role.APPROVER, Role.VIEWER})}


def configuration(**changes: Any) -> OpenIdConfiguration:
    """Return a configuration as operators write it."""
    values: dict[str, Any] = {
        "issuer": "https://id.hospital.example/realms/x",
        "client_id": "sirena",
        "group_roles": ROLES,
        "entry_url": "https://sirena.hospital.example",
        **changes,
    }
    return OpenIdConfiguration(**values)


def test_pairs_of_group_and_role_are_read_as_they_are_meant() -> None:
    """Names of directories with commas and equal signs too; a group that stands twice holds all of its roles."""
    assert read_group_roles("") == {}
    assert read_group_roles(" PROA = clinician ; CN=a,OU=b=scientist, viewer;PROA=approver; ") == {
        "PROA": {Role.CLINICIAN, Role.APPROVER},
        "CN=a,OU=b": {Role.SCIENTIST, Role.VIEWER},
    }


@pytest.mark.parametrize("text", ["PROA", "PROA=", "=clinician", "PROA=doctor", "a=viewer; b", "a=viewer,doctor"])
def test_pairs_that_cannot_be_meant_are_refused(text: str) -> None:
    """And the message says which roles there are."""
    with pytest.raises(GroupRolesError, match="SIRENA_OIDC_ROLES, pair") as caught:
        read_group_roles(text)
    assert "clinician" in caught.value.hint


@pytest.mark.parametrize(
    ("claims", "changes", "name", "roles"),
    [
        ({"preferred_username": "María.Ñu"}, {}, "maria.nu", set()),
        ({"preferred_username": "HOSPITAL\\ana"}, {}, "hospital-ana", set()),
        ({"preferred_username": "日本", "email": "a@b.es", "email_verified": True}, {}, "a@b.es", set()),
        ({"email": "a@b.es", "email_verified": "true"}, {}, "s-1", set()),
        ({"email": "a@b.es", "email_verified": False}, {"name_claim": "email"}, "s-1", set()),
        ({"email": "a@b.es", "email_verified": True}, {"name_claim": "email"}, "a@b.es", set()),
        ({"preferred_username": ["x"], "groups": "PROA"}, {}, "s-1", {Role.CLINICIAN}),
        ({"groups": ["PROA", "Heads", "Else", 7, None]}, {}, "s-1", {Role.CLINICIAN, Role.APPROVER, Role.VIEWER}),
        ({"groups": {"PROA": True}}, {}, "s-1", set()),
        ({"groups": ["proa", "PROA "]}, {}, "s-1", set()),
        ({"realm_access": {"roles": ["PROA"]}}, {"groups_claim": "realm_access.roles"}, "s-1", {Role.CLINICIAN}),
        ({"https://x/y.z": ["PROA"]}, {"groups_claim": "https://x/y.z"}, "s-1", {Role.CLINICIAN}),
        ({"realm_access": "PROA"}, {"groups_claim": "realm_access.roles"}, "s-1", set()),
        ({"email": "PROA"}, {"groups_claim": "email"}, "s-1", set()),
        ({"email": "PROA", "email_verified": True}, {"groups_claim": "email"}, "proa", {Role.CLINICIAN}),
    ],
)
def test_claims_become_a_name_and_roles(
    claims: Mapping[str, Any], changes: dict[str, Any], name: str, roles: set[Role]
) -> None:
    """Names are made to fit; groups count as they are written, and only where they are."""
    person = read_person({"sub": "S|1", **claims}, configuration(**changes))
    assert person
    assert (person.name, set(person.roles), person.subject) == (name, roles, "S|1")


@pytest.mark.parametrize("subject", [None, "", 7, "é", "x" * 256, "a\0b"])
def test_a_malformed_subject_is_nobody(subject: object) -> None:
    """It is what an account is bound to."""
    assert read_person({"sub": subject, "groups": ["PROA"]}, configuration()) is None


@given(st.text())
def test_any_name_a_provider_gives_is_made_into_one_an_account_may_have(given_name: str) -> None:
    """Or the subject stands in its place."""
    person = read_person({"sub": "abc", "preferred_username": given_name}, configuration())
    assert person
    assert is_account_name(person.name)


def test_a_journey_ends_once_in_time_and_with_its_own_state() -> None:
    """Ten minutes are for a password and a second factor, not for a found cookie."""
    now = 1_000_000.0
    journeys = Journeys(clock=lambda: now)
    journey, cookie = journeys.begin("/app")
    _, late_cookie = late = journeys.begin("/")
    with pytest.raises(SignInRefusedError):
        journeys.end(cookie, "another")
    with pytest.raises(SignInRefusedError):
        journeys.end(cookie[:-2], journey.state)
    with pytest.raises(SignInRefusedError):
        Journeys(clock=lambda: now).end(cookie, journey.state)
    assert journeys.end(cookie, journey.state) == journey
    with pytest.raises(SignInRefusedError):
        journeys.end(cookie, journey.state)
    now += JOURNEY_SECONDS + 1
    with pytest.raises(SignInRefusedError):
        journeys.end(late_cookie, late[0].state)


def test_without_a_provider_nothing_of_it_is_shown(tmp_path: Path) -> None:
    """No button, and a page that says so for whoever types the address."""
    engine = open_store(f"sqlite:///{tmp_path / 'sirena.db'}")
    with answering_entry(engine) as entry:
        assert "openid" not in entry.client.get("/auth/login").text
        for path in ("/auth/openid/start", "/auth/openid/callback?code=x&state=y"):
            answer = entry.client.get(path)
            assert (answer.status_code, "no hay inicio de sesión" in answer.text) == (404, True)
        assert entry.events == []
    engine.dispose()
