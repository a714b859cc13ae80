"""Facts about a guideline edition as a whole: its documents, the day it comes into force, how it was read, doubts.

They are in ``edition.toml``, in the folder of the edition's tables::

    documents = ["M100-Ed36", "M45"]
    in_force_since = 2026-01-26
    reading = "figures stand in two independent extractions, unless a row says otherwise"
    doubts = ["no text of M100 was read"]

An edition without a date is not known to be in force, so it is used only if somebody names it.
"""

import datetime
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sirena.guidelines.tables import TableError

EDITION_FILE: Final = "edition.toml"


@dataclass(frozen=True, slots=True)
class EditionRecord:
    """The facts about a guideline edition as a whole, as ``edition.toml`` holds them."""

    documents: tuple[str, ...] = ()
    """The documents it was read from, as their publishers name them: ``M100-Ed36``."""
    in_force_since: datetime.date | None = None
    """Day from which the publisher wants the edition used; None: not known."""
    reading: str = ""
    """How the edition was read, by whom or by which program, and how often."""
    doubts: tuple[str, ...] = ()
    """What a person who has the documents should check, in addition to the doubts of single rows."""


def read_edition_file(path: Path) -> EditionRecord:
    """Read ``edition.toml``; a missing file gives an empty record, as of an edition that was imported long ago.

    Raises:
        TableError: the file is no TOML, or an entry has the wrong type; the error names file and entry.

    >>> from sirena.guidelines.editions import SHIPPED
    >>> record = read_edition_file(SHIPPED / "clsi_2026" / EDITION_FILE)
    >>> record.documents[0], record.in_force_since
    ('M100-Ed36', datetime.date(2026, 1, 26))
    """
    if not path.is_file():
        return EditionRecord()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TableError(f"{path.name}: this is no TOML: {error}", hint="import the edition again") from None
    return EditionRecord(
        documents=_entry(document, "documents", tuple, path),
        in_force_since=_entry(document, "in_force_since", datetime.date, path),
        reading=_entry(document, "reading", str, path),
        doubts=_entry(document, "doubts", tuple, path),
    )


def _entry(document: dict[str, Any], name: str, kind: type, path: Path) -> Any:
    if name not in document:
        return None if kind is datetime.date else kind()
    value = document[name]
    if kind is tuple and isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(value)
    # a date with a time of day is a datetime, which TOML tells from a date
    if type(value) is not kind:
        kind_words = {tuple: "a list of texts", datetime.date: "a date, 2026-01-31", str: "a text"}[kind]
        raise TableError(f"{path.name}, entry {name}: is not {kind_words}", hint="import the edition again")
    return value


def edition_file_text(record: EditionRecord) -> str:
    """Return the text of an ``edition.toml``; `read_edition_file` reads it.

    >>> print(edition_file_text(EditionRecord(("M100-Ed36",), datetime.date(2026, 1, 26))), end="")
    documents = ["M100-Ed36"]
    in_force_since = 2026-01-26
    """
    # a JSON string is a TOML string
    lines = {
        "documents": json.dumps(record.documents, ensure_ascii=False) if record.documents else "",
        "in_force_since": record.in_force_since.isoformat() if record.in_force_since else "",
        "reading": json.dumps(record.reading, ensure_ascii=False) if record.reading else "",
        "doubts": json.dumps(record.doubts, ensure_ascii=False) if record.doubts else "",
    }
    return "".join(f"{name} = {value}\n" for name, value in lines.items() if value)
