"""Single sign-on with a real OpenID provider, through NGINX, by a browser's steps."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

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
