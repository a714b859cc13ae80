"""Making and upgrading the tables of accounts and ledger, as the database role that owns them."""

from contextlib import closing

from pydantic import SecretStr
from sqlalchemy import make_url

from sirena.access.store import ACCESS_SCHEMA, prepare_store, store_standing
from sirena.database.schema import SchemaStanding, SchemaState, require_usable
from sirena.ledger.schema import LEDGER_SCHEMA
from sirena.ledger.store import open_as_owner
from sirena.server.parts.postgresql import WRITER
from sirena.settings.catalogue import Settings


def make_or_require(settings: Settings, owner_url: str) -> None:
    """Make the tables if the database has none; otherwise check that they have this program's revision.

    Args:
        settings: settings that name the folder of the ledger's head file.
        owner_url: URL of the PostgreSQL database, with the role that owns the tables.

    Raises:
        SchemaError: the tables have the revision of another release of Sirena.
        SirenaError: the database refuses.
    """
    with closing(open_as_owner(as_owner(settings, owner_url))) as ledger:
        accounts, entries = store_standing(owner_url), ledger.standing()
        require_usable(accounts, ACCESS_SCHEMA, ledger.store)
        require_usable(entries, LEDGER_SCHEMA, ledger.store)
        if accounts.state is SchemaState.EMPTY:
            prepare_store(owner_url, WRITER)
        if entries.state is SchemaState.EMPTY:
            ledger.create(WRITER)


def bring_to_head(settings: Settings, writer: str) -> dict[str, tuple[SchemaStanding, SchemaStanding]]:
    """Bring the tables to this program's revision and give the services' role its rights; repeating it changes nothing.

    Args:
        settings: settings that name the databases; `database_owner_url` has the role that owns the tables.
        writer: PostgreSQL role of the services; empty changes no rights.

    Returns:
        The revision before and now, by the name of each group of tables.

    Raises:
        SirenaError: the tables are of a later release of Sirena, or the database refuses; accounts and ledger are each
            changed completely or not at all.
    """
    with closing(open_as_owner(settings)) as ledger:
        return {
            ACCESS_SCHEMA.name: prepare_store(accounts_url(settings), writer),
            LEDGER_SCHEMA.name: ledger.create(writer),
        }


def accounts_url(settings: Settings) -> str:
    """Return the URL of the database of accounts, with the role that owns its tables."""
    return settings.database_owner_url.get_secret_value() or settings.effective_database_url


def writer_of(settings: Settings) -> str:
    """Return the PostgreSQL role of the services; empty if it owns the tables itself, or the database has no roles."""
    owner = settings.database_owner_url.get_secret_value()
    if not owner:
        return ""
    writer = make_url(settings.effective_database_url).username or ""
    return "" if writer == make_url(owner).username else writer


def as_owner(settings: Settings, owner_url: str) -> Settings:
    """Return a copy of the settings that connects to the database as the role that owns its tables."""
    return settings.model_copy(update={"database_owner_url": SecretStr(owner_url)})
