"""No text of the command line, and no error, is without its Spanish; no Spanish without its text."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from sirena.texts.catalogue import COMMANDS, FOLDER, MESSAGES, read_catalogue
from sirena.texts.language import SPANISH
from sirena.texts.messages import PLACE, translate
from sirena.whonet.drug_headers import Content
from sirena.whonet.problems import ProblemClass
from tests.unit.docs.scripts import script

_REMEDY = "run scripts/write_catalogues.py, then write the Spanish of the empty entries"


@pytest.fixture(scope="module")
def messages() -> set[str]:
    """Every error and sentence, taken from the source."""
    return set(script("message_extraction").messages())


def test_every_help_of_every_command_has_its_spanish() -> None:
    """The commands are walked as Typer shows them, so that a new option cannot be left out."""
    texts = script("write_catalogues").command_texts()
    assert len(texts) > 250
    assert set(texts) ^ set(read_catalogue(COMMANDS)) == set(), _REMEDY


def test_every_error_and_sentence_has_its_spanish(messages: set[str]) -> None:
    """The source of all packages is read, so that a new text is named here."""
    assert len(messages) > 1200
    assert messages ^ set(read_catalogue(MESSAGES)) == set(), _REMEDY


@pytest.mark.parametrize("path", [COMMANDS, MESSAGES], ids=lambda path: path.name)
def test_no_translation_is_empty_or_loses_a_value(path: Path) -> None:
    """Each form of each text holds all the values that the English one has, and no others."""
    wrong = [
        english
        for english, forms in read_catalogue(path).items()
        for spanish in forms
        if not spanish.strip() or set(PLACE.findall(spanish)) != set(PLACE.findall(english))
    ]
    assert wrong == [], _REMEDY


def test_what_stands_in_backquotes_is_the_same_in_both_languages() -> None:
    """A command to type, an option or a setting is never translated."""
    typed = re.compile(r"`sirena [a-z]+|--[a-z][a-z-]+|SIRENA_[A-Z_]+")
    wrong = [
        english
        for path in (COMMANDS, MESSAGES)
        for english, forms in read_catalogue(path).items()
        for spanish in forms
        if not set(typed.findall(english)) <= set(typed.findall(spanish))
    ]
    assert wrong == []


def test_every_message_is_recognised_with_its_values() -> None:
    """Each template is filled in as the source does it, and none is taken for another that means something else."""
    meanings: dict[str, set[str]] = {}
    for english, forms in read_catalogue(MESSAGES).items():
        values = {name: f"v{number}" for number, name in enumerate(PLACE.findall(english), 1)}
        filled, meant = (english % values, forms[-1] % values) if values else (english, forms[-1])
        meanings.setdefault(filled, set()).add(meant)
    wrong = [text for text, meant in meanings.items() if translate(text, SPANISH).text not in meant]
    assert wrong == []


@pytest.mark.parametrize("text", [*(kind.sentence for kind in ProblemClass), *Content, "left out", "patient number"])
def test_every_problem_and_content_has_its_spanish(text: str) -> None:
    """As the page of a file shows them."""
    assert translate(text, SPANISH).language == SPANISH


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.po")), ids=lambda path: path.name)
def test_catalogues_are_read_as_gettext_reads_them(path: Path) -> None:
    """Babel, which knows the whole format, finds the same texts."""
    with path.open("rb") as stream:
        catalogue = read_po(stream, locale="es")
    expected = {
        entry.id if isinstance(entry.id, str) else entry.id[0]: (
            (entry.string,) if isinstance(entry.string, str) else tuple(entry.string or ())
        )
        for entry in catalogue
        if entry.id
    }
    assert read_catalogue(path) == expected
