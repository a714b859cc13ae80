"""Translating errors and sentences into the reader's language.

The code writes its texts in English, as templates with values filled in: ``hospital.csv: row 7 holds …``. The catalogue
holds the templates. A text is matched with the template it fits, and its values are put into the Spanish form, so only
the command line and the pages need to know the language. A test finds texts in the source without a template.

Rules, each with a test of like name:

- of the templates that a text fits, the one with the most fixed letters is used;
- a value that is a sentence of Sirena's is translated too; any other stays unchanged, except for thousands and decimal
  signs;
- a template of few fixed letters that is not a label (``doubt: …``) is used only if its values are words, lists of
  words or such sentences;
- the lines of a text, and its parts between semicolons, are translated one by one; a name before a colon stays;
- singular or plural is decided by the first number in the text;
- a text that fits no template stays English.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import Final

from sirena.texts.catalogue import MESSAGES, read_catalogue
from sirena.texts.language import ENGLISH, SPANISH

PLACE: Final = re.compile(r"%\((\w+)\)s")
_THOUSANDS: Final = re.compile(r"(?<![\w.,])[1-9]\d{0,2}(?:,\d{3})+(?![\w,]|\.\w)")
"""Matches a number with thousands signs, but neither ``0,125`` nor the name of a file."""
_FEW_LETTERS: Final = 8
_LONGEST_IN_PARTS: Final = 1_000
"""Most letters of a text that is translated in parts; Sirena's sentences are shorter, an invented name may not be."""
_END: Final = 2
_SHARE: Final = re.compile(r"(\d+)(?:\.(\d+))?%")


@dataclass(frozen=True, slots=True)
class Message:
    """A text and its language."""

    text: str
    language: str


def translate(text: str, language: str, catalogue: Path = MESSAGES) -> Message:
    """Translate a text into a language; a text that fits no template stays English.

    Args:
        text: English text, with its values filled in.
        language: ``en`` or ``es``.
        catalogue: file of the templates.

    >>> translate("a.csv: the file is empty", "es").text
    'a.csv: el archivo está vacío'
    """
    spanish = _spanish(text, catalogue) if language == SPANISH else None
    return Message(text, ENGLISH) if spanish is None else Message(spanish, SPANISH)


@dataclass(frozen=True, slots=True)
class _Template:
    english: str
    literals: tuple[str, ...]
    """The fixed English text around the values."""
    forms: tuple[str, ...]
    """The Spanish text; singular and plural if the number matters."""

    def values(self, text: str) -> Mapping[str, str] | None:
        """Return the values in a text that fits the template; None if it does not fit."""
        first, *middle, last = self.literals
        start, end = len(first), len(text) - len(last)
        if start > end or not (text.startswith(first) and text.endswith(last)):
            return None
        values: list[str] = []
        # each literal where it stands first: a text made to be hard takes no longer than another
        for literal in middle:
            place = text.find(literal, start, end)
            if place < 0:
                return None
            values.append(text[start:place])
            start = place + len(literal)
        return dict(zip(PLACE.findall(self.english), (*values, text[start:end]), strict=True))

    @property
    def is_loose(self) -> bool:
        """True if the template has too few fixed letters to be recognised by them."""
        is_label = self.literals[0].endswith(": ")
        return not is_label and sum(letter.isalpha() for part in self.literals for letter in part) < _FEW_LETTERS


@cache
def _templates(catalogue: Path) -> dict[tuple[str, str], list[_Template]]:
    """Return the templates by the two letters they begin and end with; empty where a value stands there."""
    templates: dict[tuple[str, str], list[_Template]] = {}
    for english, forms in read_catalogue(catalogue).items():
        if "%(" in english:
            template = _Template(english, tuple(map(_plain, PLACE.split(english)[::2])), forms)
            key = template.literals[0][:_END], template.literals[-1][-_END:]
            templates.setdefault((key[0] * (len(key[0]) == _END), key[1] * (len(key[1]) == _END)), []).append(template)
    return templates


def _fitting(text: str, catalogue: Path) -> Iterator[tuple[_Template, Mapping[str, str]]]:
    """Yield the templates that a text fits, with its values; the one with most letters of its own first."""
    keys = product({text[:_END], ""}, {text[-_END:], ""})
    near = [template for key in keys for template in _templates(catalogue).get(key, ())]
    for template in sorted(near, key=lambda template: -sum(map(len, template.literals))):
        values = template.values(text)
        if values is not None and ("\n" in text) <= ("\n" in template.english):
            yield template, values


def _plain(literal: str) -> str:
    """Return the text between places as it is printed: a template writes ``%`` twice."""
    return literal.replace("%%", "%")


@lru_cache(maxsize=1024)
def _spanish(text: str, catalogue: Path) -> str | None:
    core = text.strip()
    if _THOUSANDS.fullmatch(core):
        return text.replace(",", ".")
    forms = read_catalogue(catalogue).get(core)
    if forms is not None:
        return text.replace(core, forms[0])
    for template, values in _fitting(core, catalogue):
        if not (template.is_loose and any(_is_unknown(value, catalogue) for value in values.values())):
            return text.replace(core, _filled(template, values, catalogue))
    if "\n" not in core and len(core) > _LONGEST_IN_PARTS:
        return None
    parts, separator = (core.splitlines(), "\n") if "\n" in core else (core.rsplit("; ", 1), "; ")
    spanish = [_spanish(part, catalogue) for part in parts] if len(parts) > 1 else []
    if not any(spanish):
        place, colon, rest = core.partition(": ")
        what = _spanish(rest, catalogue) if colon and len(parts) == 1 else None
        return None if what is None else text.replace(core, f"{place}: {what}")
    pairs = zip(parts, spanish, strict=True)
    return text.replace(core, separator.join(part if other is None else other for part, other in pairs))


def _filled(template: _Template, values: Mapping[str, str], catalogue: Path) -> str:
    form = template.forms[0] if _is_singular(values) else template.forms[-1]
    return form % {name: _value(value, catalogue) for name, value in values.items()}


def _is_unknown(value: str, catalogue: Path) -> bool:
    return any(" " in part for part in value.split(", ")) and _spanish(value, catalogue) is None


def _is_singular(values: Mapping[str, str]) -> bool:
    numbers = (value for value in values.values() if value.isdecimal() or _THOUSANDS.fullmatch(value))
    return next(numbers, "") == "1"


def _value(value: str, catalogue: Path) -> str:
    """Return a value in Spanish: a translated sentence, or a number with Spanish signs; a name is unchanged."""
    share = _SHARE.fullmatch(value)
    if share is not None:
        return ",".join(filter(None, share.groups())) + " %"
    sentence = _spanish(value, catalogue) if " " in value else None
    return sentence or _THOUSANDS.sub(lambda number: number[0].replace(",", "."), value)
