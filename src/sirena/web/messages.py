"""The readers' messages in the reader's language.

Those who read files raise errors in English, each a template filled in: ``hospital.csv: row 7 holds …``. The catalogue
``locale/readers.es.po`` holds the templates; a message is recognised by the one it fits, and its values are put into
the Spanish one. So no reader needs to know a language. A test reads the source of all readers and names each message
without a template.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.pofile import read_po

MESSAGES: Final = Path(__file__).with_name("locale") / "readers.es.po"
_PLACE: Final = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Message:
    """A text, and the language it is in."""

    text: str
    language: str


def translate(text: str, language: str) -> Message:
    """Return a reader's message in a language; in English when it fits no template.

    Args:
        text: in English, its values filled in.
        language: ``en`` or ``es``.

    >>> translate("a.csv: the file is empty", "es").text
    'a.csv: el archivo está vacío'
    """
    if language == "es":
        for template, spanish in _templates():
            match = template.fullmatch(text)
            if match is not None:
                return Message(spanish % match.groupdict(), language)
    return Message(text, "en")


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Return the templates as patterns, the one with most letters of its own first."""
    with MESSAGES.open("rb") as stream:
        entries = [(str(entry.id), str(entry.string)) for entry in read_po(stream, locale="es") if entry.id]
    entries.sort(key=lambda entry: -len(_PLACE.sub("", entry[0])))
    return [(_pattern(english), _plain(english, spanish)) for english, spanish in entries]


def _pattern(template: str) -> re.Pattern[str]:
    parts = _PLACE.split(template)
    spelled = [f"(?P<{part}>.*?)" if number % 2 else re.escape(part) for number, part in enumerate(parts)]
    return re.compile("".join(spelled), re.DOTALL)


def _plain(english: str, spanish: str) -> str:
    """Return a template to be filled in; a text without places may hold a per cent sign."""
    return spanish if _PLACE.search(english) else spanish.replace("%", "%%")
