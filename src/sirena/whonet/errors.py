"""What can be wrong with a file as a whole."""

from sirena.domain.errors import SirenaError


class UnavailableFileError(SirenaError):
    """The file does not exist, is a folder, or may not be read or written."""

    code = "unavailable_file"
    exit_code = 2
    status = 404


class UnreadableFileError(SirenaError):
    """The file is not what it should be: damaged, cut off, of another kind."""

    code = "unreadable_file"
    status = 422


class NoOrganismColumnError(SirenaError):
    """The table has no column that names the organism."""

    code = "no_organism_column"
    status = 422


class DuplicateColumnsError(SirenaError):
    """Two columns have the same meaning, so no cell of theirs can be trusted."""

    code = "duplicate_columns"
    status = 422


def no_rows(file: str) -> UnreadableFileError:
    """Return the error of a table with a header and no isolates."""
    return UnreadableFileError(f"{file}: the table has a header and no isolates", hint="Export the isolates again.")


class NotUtf8Error(Exception):
    """A long text that begins as UTF-8 is not UTF-8: it is to be read again, its code page known."""


class NeedsWholeFileError(Exception):
    """What a file's cells mean, or what is wrong with it, cannot be told from its parts; whoever meets it reads all."""
