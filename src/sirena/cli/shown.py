"""Making texts of others safe for a terminal: notes, reasons, names and headings of files.

Escape sequences in a text can clear a terminal, change its title or overwrite it, so that a scientist's note could show
an approver another release than there is. So all invisible characters are shown escaped, as in the ledger.
"""

from typing import Final

from sirena.ledger.plain_text import one_line

_LONGEST: Final = 4000


def in_one_line(text: str) -> str:
    """Return a text in one line, with invisible characters escaped."""
    return one_line(text, _LONGEST)


def in_lines(text: str) -> str:
    """Return a text with its line ends kept and other invisible characters escaped."""
    return "\n".join(map(in_one_line, text.split("\n")))
