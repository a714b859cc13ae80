"""What others wrote, as it may stand on a terminal: notes, reasons, names and headings of files.

A terminal obeys what it is sent: escape sequences clear it, change its title and write over what stood there, so that
a scientist's note could show an approver another release than there is. What is no visible character is shown escaped,
as in the ledger.
"""

from typing import Final

from sirena.ledger.plain_text import one_line

_LONGEST: Final = 4000


def in_one_line(text: str) -> str:
    """Return a text in one line."""
    return one_line(text, _LONGEST)


def in_lines(text: str) -> str:
    """Return a text with its own line ends, as errors have them."""
    return "\n".join(map(in_one_line, text.split("\n")))
