"""Spanish and English."""

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from starlette.testclient import TestClient

import sirena.web
from sirena.texts.catalogue import PAGES
from sirena.web.language import choose_language

TEMPLATES = Path(sirena.web.__file__).parent / "templates"


def test_every_text_of_the_pages_has_its_spanish() -> None:
    """And the catalogue holds no text that no page shows."""
    found = extract_from_dir(
        TEMPLATES, [("**.html", "jinja2")], {"**.html": {"extensions": "jinja2.ext.i18n", "trim_blocks": "true"}}
    )
    shown = {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}
    with PAGES.open("rb") as stream:
        catalogue = read_po(stream, locale="es")
    spanish = {
        (entry.id if isinstance(entry.id, str) else entry.id[0]): entry.string for entry in catalogue if entry.id
    }
    assert set(spanish) == shown
    assert [text for text, words in spanish.items() if not words or not all(words)] == []


@pytest.mark.parametrize(
    ("chosen", "accepted", "spoken"),
    [
        (None, "es-MX,es;q=0.9,en;q=0.8", "es"),
        (None, "en;q=0.2,es-ES;q=0.7", "es"),
        (None, "de,fr;q=0.5", "en"),
        (None, "", "en"),
        (None, ";;;q=x", "en"),
        ("en", "es", "en"),
        ("xx", "es", "es"),
    ],
)
def test_a_choice_comes_before_the_browser(chosen: str | None, accepted: str, spoken: str) -> None:
    """And nonsense means nothing."""
    assert choose_language(chosen, accepted) == spoken


def test_the_language_can_be_switched_and_stays(person: TestClient) -> None:
    """On the page where one is; never to another site."""
    switched = person.get("/language/es", params={"back": "/isolate"})
    assert switched.url.path == "/isolate"
    assert '<html lang="es">' in switched.text
    assert "Un aislamiento" in person.get("/isolate").text
    assert person.get("/language/en", params={"back": "//evil.example"}).url.path == "/"
