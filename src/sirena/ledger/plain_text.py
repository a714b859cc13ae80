"""Rules for texts in the ledger: one line, of limited length, nothing invisible, no measurement of a patient.

Texts come from outside (a login name is whatever somebody typed), so they are not refused but made harmless: control
characters, line ends and invisible direction marks become visible escapes, against log injection, and long texts are
cut. Every rule, applied to its own result, leaves it unchanged.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

_ELLIPSIS: Final = "…"
_MASK: Final = "[masked]"
_RECORD_NUMBER: Final = re.compile(r"\d(?:[-./ ]?\d){5,}")
_CONCENTRATION: Final = re.compile(
    r"(?:<=|>=|[<>=≤≥])\s*\d+(?:[.,]\d+)?|\d+(?:[.,]\d+)?\s*(?:mg/l|µg/ml|μg/ml|ug/ml|mcg/ml)\b", re.IGNORECASE
)


def holds_record_number(text: str) -> bool:
    """Tell whether a text holds figures that could be a patient's number or a date.

    >>> holds_record_number("as decided for 771204"), holds_record_number("R > 8 mg/L since 2026")
    (True, False)
    """
    return bool(_RECORD_NUMBER.search(text))


class TextRule(Protocol):
    """A rule that makes a text fit for a field of an event."""

    def apply(self, text: str) -> str:
        """Return a text, changed so that it meets the rule."""


def one_line(text: str, limit: int) -> str:
    """Return a text with all invisible characters escaped, cut to ``limit`` characters."""
    visible = "".join(
        character if _is_visible(character) else _escape_sequence(character) for character in text[: limit + 1]
    )
    return visible if len(visible) <= limit else visible[: limit - 1] + _ELLIPSIS


def _is_visible(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] not in "CZ"


def _escape_sequence(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@dataclass(frozen=True)
class Limited:
    """Rule for one line of at most ``limit`` characters."""

    limit: int

    def apply(self, text: str) -> str:
        """Return a text with invisible characters escaped, cut to the limit."""
        return one_line(text, self.limit)


@dataclass(frozen=True)
class Free:
    """Rule for texts that a person writes: one line in which record numbers, dates and concentrations are masked.

    A reason is the only text in which somebody could write about a patient; without number, birth date and MIC the text
    holds no measurement that belongs to a patient.
    """

    limit: int

    def apply(self, text: str) -> str:
        """Return the text masked, escaped and cut."""
        masked_text = _RECORD_NUMBER.sub(_MASK, _CONCENTRATION.sub(_MASK, text[: 4 * self.limit]))
        return one_line(masked_text, self.limit)


@dataclass(frozen=True)
class Address:
    """Rule for a path or URL: query and fragment, where clients may put private data, are left out."""

    limit: int

    def apply(self, text: str) -> str:
        """Return the path or URL without query and fragment, escaped and cut to the limit."""
        return one_line(re.split(r"[?#]", text, maxsplit=1)[0], self.limit)


@dataclass(frozen=True)
class Hexadecimal:
    """Rule for a digest in hexadecimal digits, or an empty text."""

    def apply(self, text: str) -> str:
        """Return the text unchanged.

        Raises:
            ValueError: the text is not a digest, which is a fault in Sirena's code, where digests come from.
        """
        if not re.fullmatch(r"(?:[0-9a-f]{8,64})?", text):
            raise ValueError("a digest is 8 to 64 hexadecimal digits")
        return text


Name = Annotated[str, Limited(200)]
"""Name of an account, model, release, edition, setting."""
Subject = Annotated[str, Limited(255)]
"""An OpenID provider's own name for a person; not shortened, since a command needs all of it."""
Words = Annotated[str, Free(500)]
"""A reason given by a person."""
LONGEST_LINE: Final = 1_000
TableLine = Annotated[str, Limited(LONGEST_LINE)]
"""A line of a table of rules, kept unchanged; `acts` refuses a line that this rule would change."""
Place = Annotated[str, Address(300)]
"""A path, or an address that a request came from."""
Digest = Annotated[str, Hexadecimal()]
"""SHA-256 in hexadecimal digits, or the first digits of it; empty when there is none."""
