"""A quick look into a SQLite ledger, for commands that rarely need to read and verify it."""

import sqlite3
from contextlib import closing
from pathlib import Path


def may_hold(folder: Path, event: str) -> bool:
    """Tell whether a ledger may hold a kind of event; if not, it need not be read and verified.

    Args:
        folder: folder of the ledger below `SIRENA_HOME`; it may be missing.
        event: name of the kind of event in the catalogue.

    Returns:
        True if the ledger may hold such an event; also if the file cannot be read: `Ledger` then raises an error that
        names the cause.
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
