"""A hospital's own rules at hand: a file somebody names, or a version that was saved, as text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.guidelines.tables import TableError

_MAXIMUM_BYTES: Final = 5_000_000


@dataclass(frozen=True)
class WrittenRules:
    """Rules that lie in no file of their own."""

    name: str
    """As a file of them would be called, ``overlay-3.csv``; it is part of the name of an edition they are laid over."""
    content: bytes
    """The table, as a file of it would hold it."""


RulesSource = Path | WrittenRules
"""Where rules are read from; both have a name."""


def rules_content(source: RulesSource) -> bytes:
    """Return the bytes of a table of rules.

    Raises:
        TableError: there is no such file, or it is too large.

    >>> rules_content(WrittenRules("overlay-1.csv", b"who,when"))
    b'who,when'
    """
    if isinstance(source, WrittenRules):
        return source.content
    if not source.is_file():
        raise TableError(f"{source.name}: there is no such overlay file", hint="give the path of a CSV file")
    if source.stat().st_size > _MAXIMUM_BYTES:
        raise TableError(f"{source.name}: too large for a table of rules", hint="an overlay is a small CSV file")
    return source.read_bytes()


def rules_text(content: bytes) -> str:
    """Return the text of a table of rules, in UTF-8 or else as Windows writes it."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def delimiter_of(text: str) -> str:
    """Return what separates the cells: the sign that the header holds most of; cells may hold others."""
    return max(",;\t", key=text.partition("\n")[0].count)
