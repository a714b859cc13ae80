"""Reading a catalogue of gettext: English text by text its Spanish.

The command line reads a thousand entries before it says a word, so this reads the plain form in which the catalogues
are kept, a hundred times sooner than Babel is imported. A test compares both.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("locale")
MESSAGES: Final = FOLDER / "messages.es.po"
"""Errors and sentences, as templates: ``%(name)s`` stands for a value."""
COMMANDS: Final = FOLDER / "commands.es.po"
"""Help of the commands, and Typer's own words."""
PAGES: Final = FOLDER / "pages.es.po"
"""Words of the pages, which Babel reads."""
_LINE: Final = re.compile(r'(?:(?P<field>msg\w+(?:\[\d\])?) )?(?P<text>".*")')


@cache
def read_catalogue(path: Path) -> dict[str, tuple[str, ...]]:
    """Return English texts with their Spanish; where number matters, singular and plural.

    Args:
        path: a catalogue.
    """
    entries: dict[str, tuple[str, ...]] = {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        fields: dict[str, str] = {}
        field = ""
        for line in block.splitlines():
            match = _LINE.fullmatch(line)
            if match is not None:
                field = match["field"] or field
                fields[field] = fields.get(field, "") + json.loads(match["text"])
        english = fields.pop("msgid", "")
        fields.pop("msgid_plural", None)
        if english:
            entries[english] = tuple(fields.values())
    return entries
