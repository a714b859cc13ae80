"""A person finds who they are and the way out, with a real browser, through NGINX."""

import pytest

from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.credentials import SESSION_COOKIE
from sirena.access.pages import CSRF_COOKIE
from tests.access_client import PASSWORD
from tests.browser_person import person
from tests.integration.access.conftest import House
from tests.production_machine import require_programs

pytestmark = pytest.mark.slow


def test_somebody_with_a_password_signs_in_sees_who_they_are_and_leaves(house: House) -> None:
    """By keyboard and mouse: form, page, button; afterwards no session is left, and the page leads to signing in."""
    require_programs("chromium")
    with house.store() as engine:
        Accounts(engine).add("paula", frozenset({Role.VIEWER, Role.CLINICIAN}), PASSWORD)
    with person() as paula:
        paula.open(f"{house.settings.entry_url}/auth/account")
        assert paula.address.endswith("/auth/login?next=/auth/account")
        paula.fill_in(name="paula", password=PASSWORD)
        paula.click("button")
        assert paula.address.endswith("/auth/account")
        assert (paula.read("#account"), paula.read("#roles")) == ("paula", "clinician, viewer")
        assert "Signed in until" in paula.read()
        assert paula.read("#until")
        assert {SESSION_COOKIE, CSRF_COOKIE} <= paula.cookies()
        paula.click("button")
        assert paula.address.endswith("/auth/login")
        assert not {SESSION_COOKIE, CSRF_COOKIE} & paula.cookies()
        paula.open(f"{house.settings.entry_url}/auth/account")
        assert paula.address.endswith("/auth/login?next=/auth/account")
        assert paula.complaints == []
    assert house.entries("logout")[-1]["who"] == "paula"
