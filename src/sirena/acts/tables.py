"""The tables of accounts and ledger, entered as the role that owns them."""

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
    """Make the tables of a database that has none; where there are some, require those of this program.

    Args:
        settings: where the ledger's head file lies.
        owner_url: the PostgreSQL database, entered as the owner of the tables.

    Raises:
        SchemaError: the tables are another Sirena's.
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
    """Bring the tables to this program's revision and give the services' role its rights; again is harmless.

    Args:
        settings: where the databases are; `database_owner_url` names the owner of the tables.
        writer: PostgreSQL role of the services; empty leaves the rights alone.

    Returns:
        By name of the tables, what was found and what it is now.

    Raises:
        SirenaError: the tables are a later Sirena's, or the database refuses; each schema is changed or as before.
    """
    with closing(open_as_owner(settings)) as ledger:
        return {
            ACCESS_SCHEMA.name: prepare_store(accounts_url(settings), writer),
            LEDGER_SCHEMA.name: ledger.create(writer),
        }


def accounts_url(settings: Settings) -> str:
    """Return the database of accounts, entered as the owner of its tables."""
    return settings.database_owner_url.get_secret_value() or settings.effective_database_url


def writer_of(settings: Settings) -> str:
    """Return the PostgreSQL role of the services; empty where it is also the owner of the tables, or there are none."""
    owner = settings.database_owner_url.get_secret_value()
    if not owner:
        return ""
    writer = make_url(settings.effective_database_url).username or ""
    return "" if writer == make_url(owner).username else writer


def as_owner(settings: Settings, owner_url: str) -> Settings:
    """Return settings that enter the database as the owner of its tables."""
    return settings.model_copy(update={"database_owner_url": SecretStr(owner_url)})
