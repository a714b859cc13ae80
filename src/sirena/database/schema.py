"""Which revision a database's tables have, and whether this Sirena may work with them.

Accounts and ledger are two schemas, each with revisions and a version table of its own: in production they share a
PostgreSQL database, embedded each has a SQLite file. Opening one asks here and loads no Alembic; `database.migration`
changes tables, and is called for an empty database and by `sirena upgrade` only, see ADR 15.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, MetaData, text

from sirena.domain.errors import SirenaError


class SchemaError(SirenaError):
    """The tables are of another Sirena than this one."""

    code = "schema"
    status = 503


class SchemaOutdatedError(SchemaError):
    """The tables are an earlier Sirena's and wait for `sirena upgrade`."""

    code = "schema_outdated"


class SchemaUnknownError(SchemaError):
    """The tables are a later Sirena's, or nobody's we know."""

    code = "schema_unknown"


@dataclass(frozen=True)
class Schema:
    """Tables that are changed together."""

    name: str
    """Whose tables they are, to a person."""
    landmark: str
    """A table that every revision has."""
    version_table: str
    """Where Alembic notes the revision."""
    revisions: Path
    """Folder of `revision_NNNN.py`, one after the other."""
    metadata: MetaData
    """The tables as this program uses them; after the last revision a database has exactly these."""
    rights: str
    """What the services' role may do with the tables."""

    @property
    def known(self) -> tuple[str, ...]:
        """Revisions this program has, in order."""
        return tuple(sorted(path.stem.removeprefix("revision_") for path in self.revisions.glob("revision_*.py")))

    @property
    def head(self) -> str:
        """The revision this program works with."""
        return self.known[-1]


class SchemaState(StrEnum):
    """How a database stands to this program."""

    EMPTY = "empty"
    """No table yet."""
    CURRENT = "current"
    OUTDATED = "outdated"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SchemaStanding:
    """How the tables of a database stand to this program, and their revision."""

    state: SchemaState
    revision: str
    """Empty where none is noted."""


def standing(connection: Connection, schema: Schema) -> SchemaStanding:
    """Look which revision a database has; tables that note none are nobody's we know."""
    has_table = connection.dialect.has_table
    # first, since another program may be making both, and they appear together
    has_landmark = has_table(connection, schema.landmark)
    revision = ""
    if has_table(connection, schema.version_table):
        number = connection.scalar(text(f"SELECT version_num FROM {schema.version_table}"))  # noqa: S608 - a constant
        revision = str(number or "")
    if not revision:
        state = SchemaState.UNKNOWN if has_landmark else SchemaState.EMPTY
    elif revision == schema.head:
        state = SchemaState.CURRENT
    else:
        state = SchemaState.OUTDATED if revision in schema.known else SchemaState.UNKNOWN
    return SchemaStanding(state, revision)


def require_usable(database: SchemaStanding, schema: Schema, place: str) -> None:
    """Pass silently when this program may work with the tables, or when there are none yet.

    Args:
        database: what `standing` returned.
        schema: the tables.
        place: where the database is, without who enters it.

    Raises:
        SchemaOutdatedError: an earlier Sirena's tables.
        SchemaUnknownError: a later Sirena's tables.
    """
    if database.state is SchemaState.OUTDATED:
        raise SchemaOutdatedError(
            f"the tables of the {schema.name} at {place} are an earlier Sirena's "
            f"(revision {database.revision}, this one needs {schema.head})",
            hint="sirena upgrade",
        )
    if database.state is SchemaState.UNKNOWN and not database.revision:
        raise SchemaUnknownError(
            f"the tables of the {schema.name} at {place} note no revision, so this Sirena does not know them",
            hint="name an empty database, or restore a backup",
        )
    if database.state is SchemaState.UNKNOWN:
        raise SchemaUnknownError(
            f"the tables of the {schema.name} at {place} have revision {database.revision}; "
            f"this Sirena knows up to {schema.head}",
            hint="install the newer Sirena that made them, or restore a backup made before it",
        )
