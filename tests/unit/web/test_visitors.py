"""Who may see the pages, and what every answer carries."""

import pytest
from starlette.testclient import TestClient

from tests.unit.web.conftest import KEY, ORIGIN


@pytest.mark.parametrize("path", ["/", "/isolate", "/static/sirena.css", "/enter/another-key", "/files/x/download/csv"])
def test_without_the_printed_address_nothing_answers(visitor: TestClient, path: str) -> None:
    """Every account of the machine and every page of a browser reaches loopback."""
    refused = visitor.get(path)
    assert refused.status_code == 403
    assert "sirena open" in refused.text


def test_the_printed_address_opens_the_pages_and_the_key_leaves_the_address(visitor: TestClient) -> None:
    """The cookie is read by no script and goes to no other site."""
    entered = visitor.get(f"/enter/{KEY}", follow_redirects=False)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert visitor.get("/").status_code == 200


def test_a_foreign_name_that_leads_here_is_refused(person: TestClient) -> None:
    """DNS rebinding gives another site our address."""
    assert person.get("/", headers={"host": "rebound.example:5999"}).status_code == 403
    assert person.get("/", headers={"host": "localhost:5999"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://evil.example"}, {"origin": ""}, {"origin": ORIGIN, "sec-fetch-site": "same-site"}],
)
def test_what_changes_something_comes_from_the_pages_alone(person: TestClient, headers: dict[str, str]) -> None:
    """Another port of this machine is the same site and yet not us."""
    assert person.post("/isolate", data={"organism": "eco"}, headers=headers).status_code == 403


def test_every_answer_forbids_foreign_parts_and_being_kept(person: TestClient) -> None:
    """The pages load nothing from elsewhere, run nothing written into them, and stay in no cache."""
    for path in ("/", "/isolate", "/static/htmx.min.js", "/nothing-here"):
        headers = person.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
