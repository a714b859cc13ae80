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
    entry = house.settings.entry_url
    with person() as paula:
        paula.open(f"{entry}/auth/account", arrives=f"{entry}/auth/login?next=/auth/account")
        paula.fill_in(name="paula", password=PASSWORD)
        paula.click("button", arrives=f"{entry}/auth/account")
        assert (paula.read("#account"), paula.read("#roles")) == ("paula", "clinician, viewer")
        assert "Signed in until" in paula.read()
        assert paula.read("#until")
        assert {SESSION_COOKIE, CSRF_COOKIE} <= paula.cookies()
        paula.click("button", arrives=f"{entry}/auth/login")
        assert not {SESSION_COOKIE, CSRF_COOKIE} & paula.cookies()
        paula.open(f"{entry}/auth/account", arrives=f"{entry}/auth/login?next=/auth/account")
        assert paula.complaints == []
    assert house.entries("logout")[-1]["who"] == "paula"


def test_pages_fit_a_telephone_and_a_click_changes_their_language(house: House) -> None:
    """360 pixels wide nothing lies beside the page; what was chosen holds for the page that follows."""
    require_programs("chromium")
    entry = house.settings.entry_url
    with person() as somebody:
        somebody.call("Emulation.setDeviceMetricsOverride", width=360, height=640, deviceScaleFactor=1, mobile=True)
        somebody.open(f"{entry}/auth/login", arrives=f"{entry}/auth/login")
        assert somebody.run("document.documentElement.scrollWidth") == 360
        assert (somebody.run("document.documentElement.lang"), somebody.read("button")) == ("en", "Sign in")
        somebody.click("#language", arrives=f"{entry}/auth/login?lang=es&next=/")
        assert somebody.read("button") == "Entrar"
        somebody.open(f"{entry}/auth/login", arrives=f"{entry}/auth/login")
        assert (somebody.run("document.documentElement.lang"), somebody.read("button")) == ("es", "Entrar")
        assert somebody.complaints == []


def test_somebody_of_single_sign_on_leaves_here_and_at_the_provider(house: House) -> None:
    """The same page and button; then the provider asks about its own session, and leads back to ours."""
    entry, issuer = house.settings.entry_url, house.provider.issuer
    with person() as vera:
        vera.open(f"{entry}/auth/login?next=/auth/account", arrives=f"{entry}/auth/login")
        vera.click("a.button", arrives=issuer)
        vera.fill_in(login="sub-viewer", password="any")
        vera.click("button[type=submit]", arrives=f"{entry}/auth/account")
        assert (vera.read("#account"), vera.read("#roles")) == ("vera", "viewer")
        assert [one for one in vera.complaints if entry in one] == []
        vera.click("button", arrives=f"{issuer}/session/end")
        vera.click("button[value=yes]", arrives=f"{entry}/auth/login")
        assert SESSION_COOKIE not in vera.cookies()
    assert house.entries("logout")[-1]["who"] == "vera"
