"""Opening the database of accounts for a command."""

from sqlalchemy import Engine

from sirena.access.store import open_store
from sirena.settings.catalogue import Settings, load_settings


def opened_store() -> tuple[Settings, Engine]:
    """Return the settings in force and the database of accounts they name.

    Raises:
        SirenaError: the settings are wrong, or the database cannot be used.
    """
    settings = load_settings()
    return settings, open_store(settings.effective_database_url)
