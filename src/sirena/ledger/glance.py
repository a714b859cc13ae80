"""A glance at a SQLite ledger without what reading it takes, for commands that mostly need none of it."""

import sqlite3
from contextlib import closing
from pathlib import Path


def may_hold(folder: Path, event: str) -> bool:
    """Tell whether a ledger may hold an event; only where this is so it need be read, and then as a whole.

    Args:
        folder: below `SIRENA_HOME`, which may not exist.
        event: name in the catalogue.

    Returns:
        True also where the file cannot be read, since `Ledger` says what is amiss.
    """
    path = folder / "ledger.db"
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            entry = database.execute("SELECT 1 FROM ledger_entries WHERE event = ? LIMIT 1", (event,)).fetchone()
    except sqlite3.Error:
        return True
    return entry is not None
