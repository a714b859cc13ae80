"""Reading a gettext catalogue: the Spanish text for each English one.

The command line needs a thousand entries before it prints anything. This reader of the catalogues' plain form takes a
hundredth of the time of importing Babel; a test compares the two.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("locale")
MESSAGES: Final = FOLDER / "messages.es.po"
"""Catalogue of errors and sentences, as templates: ``%(name)s`` stands for a value."""
COMMANDS: Final = FOLDER / "commands.es.po"
"""Catalogue of the commands' help, and of Typer's own words."""
PAGES: Final = FOLDER / "pages.es.po"
"""Catalogue of the pages' words, which Babel reads."""
_LINE: Final = re.compile(r'(?:(?P<field>msg\w+(?:\[\d\])?) )?(?P<text>".*")')


@cache
def read_catalogue(path: Path) -> dict[str, tuple[str, ...]]:
    """Return each English text with its Spanish forms: one, or singular and plural.

    Args:
        path: file of the catalogue.
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
