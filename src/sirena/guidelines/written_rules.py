"""A hospital's own rules as text: in a file that somebody names, or in a version that was saved in Sirena."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.guidelines.tables import TableError

_MAXIMUM_BYTES: Final = 5_000_000


@dataclass(frozen=True)
class WrittenRules:
    """Rules that are held as text in memory and not in a file."""

    name: str
    """File name the rules would have, ``overlay-3.csv``; it becomes part of the name of an edition they change."""
    content: bytes
    """The table's bytes, as a file would hold them."""


RulesSource = Path | WrittenRules
"""Where rules are read from: a file's path, or rules as text; both have a name."""


def rules_content(source: RulesSource) -> bytes:
    """Return the bytes of a table of rules, read from its file if it is in one.

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
    """Return the text of a table of rules, decoded as UTF-8 or else as Windows-1252.

    >>> rules_text("observación".encode("cp1252"))
    'observación'
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def delimiter_of(text: str) -> str:
    r"""Return the character that separates cells: of comma, semicolon and tab, the one most frequent in the header.

    >>> delimiter_of("edition;drug;who\n")
    ';'
    """
    return max(",;\t", key=text.partition("\n")[0].count)
