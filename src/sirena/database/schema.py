"""The revision of a database's tables, and whether this program can work with it.

Accounts and ledger are two schemas, each with revisions and a version table of its own; in production they share one
PostgreSQL database, in the embedded profile each has a SQLite file. Opening a database only checks the revision,
without Alembic; `database.migration` changes tables, for an empty database and by `sirena upgrade` only, see ADR 15.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, MetaData, text

from sirena.domain.errors import SirenaError


class SchemaError(SirenaError):
    """The tables are of another release of Sirena."""

    code = "schema"
    status = 503


class SchemaOutdatedError(SchemaError):
    """The tables are of an earlier release of Sirena, and must be changed by `sirena upgrade`."""

    code = "schema_outdated"


class SchemaUnknownError(SchemaError):
    """The tables are of a later release of Sirena, or have no revision."""

    code = "schema_unknown"


@dataclass(frozen=True)
class Schema:
    """A group of tables with one revision, which are changed together."""

    name: str
    """Name of the group of tables, for people."""
    landmark: str
    """Name of a table that every revision has."""
    version_table: str
    """Name of the table in which Alembic notes the revision."""
    revisions: Path
    """Folder of the revisions, `revision_NNNN.py`."""
    metadata: MetaData
    """The tables as this program uses them, which are exactly those after the last revision."""
    rights: str
    """Rights of the services' role on the tables."""

    @property
    def known_revisions(self) -> tuple[str, ...]:
        """The revisions that this program knows, in order."""
        return tuple(sorted(path.stem.removeprefix("revision_") for path in self.revisions.glob("revision_*.py")))

    @property
    def head(self) -> str:
        """The revision that this program needs."""
        return self.known_revisions[-1]


class SchemaState(StrEnum):
    """How a database's tables compare with those that this program needs."""

    EMPTY = "empty"
    """There are no tables yet."""
    CURRENT = "current"
    OUTDATED = "outdated"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SchemaStanding:
    """The revision of a database's tables, and whether this program can work with it."""

    state: SchemaState
    revision: str
    """Revision; empty when none is noted."""


def standing(connection: Connection, schema: Schema) -> SchemaStanding:
    """Return the revision and state of a database's tables; the state of tables without a revision is unknown."""
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
        state = SchemaState.OUTDATED if revision in schema.known_revisions else SchemaState.UNKNOWN
    return SchemaStanding(state, revision)


def require_usable(database: SchemaStanding, schema: Schema, place: str) -> None:
    """Check that this program can work with the tables, or that there are no tables yet; else raise an error.

    Args:
        database: state of the tables, from `standing`.
        schema: schema of the tables.
        place: address of the database, without a user.

    Raises:
        SchemaOutdatedError: the tables are of an earlier release of Sirena.
        SchemaUnknownError: the tables are of a later release of Sirena, or have no revision.
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
