"""Storing an imported guideline edition atomically, so that no reader sees an incomplete one."""

import datetime
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sirena.guidelines.edition_file import EDITION_FILE, edition_file_text
from sirena.guidelines.editions import Edition, folder_name
from sirena.guidelines.tables import breakpoints_text, expected_resistance_text
from sirena.host.open_folders import let_everyone_read


def store_edition(folder: Path, edition: Edition, provenance: Mapping[str, object]) -> None:
    """Write an edition into a temporary folder and move it to its place, readable by every account of the machine.

    Args:
        folder: folder of imported editions; created if missing.
        edition: the edition; an imported one of the same name is replaced.
        provenance: the files from which the edition was read, and what was left out; stored together with the tables.

    >>> from sirena.guidelines.rows import Guideline
    >>> edition = Edition("CLSI 1999", Guideline.CLSI, breakpoints=(), expected_resistance=())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store_edition(Path(folder), edition, {"files": []})
    ...     sorted(path.name for path in Path(folder, "clsi_1999").iterdir())
    ['breakpoints.csv', 'edition.toml', 'expected_resistance.csv', 'provenance.json']
    """
    if not folder.is_dir():
        folder.mkdir(parents=True)
        let_everyone_read(folder)
    target = folder / folder_name(edition.name)
    imported = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    facts = {"edition": edition.name, "imported": imported, **provenance}
    texts = {
        "breakpoints.csv": breakpoints_text(edition.name, edition.breakpoints),
        "expected_resistance.csv": expected_resistance_text(edition.name, edition.expected_resistance),
        EDITION_FILE: edition_file_text(edition.record),
        "provenance.json": json.dumps(facts, indent=2) + "\n",
    }
    with tempfile.TemporaryDirectory(dir=folder, prefix=".importing-") as scratch:
        new_folder = Path(scratch) / "new"
        new_folder.mkdir()
        for name, text in texts.items():
            (new_folder / name).write_text(text, encoding="utf-8")
        # the gate behind the entry reads it under another account
        let_everyone_read(new_folder)
        if target.exists():
            target.rename(Path(scratch) / "old")
        new_folder.rename(target)
