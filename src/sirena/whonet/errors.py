"""Errors for a file that cannot be read as a whole."""

from sirena.domain.errors import SirenaError


class UnavailableFileError(SirenaError):
    """The file does not exist, is a folder, or cannot be read or written for lack of permission."""

    code = "unavailable_file"
    exit_code = 2
    status = 404


class UnreadableFileError(SirenaError):
    """The file is damaged, cut off, or of another kind than a table."""

    code = "unreadable_file"
    status = 422


class NoOrganismColumnError(SirenaError):
    """The table has no column that names the organism."""

    code = "no_organism_column"
    status = 422


class DuplicateColumnsError(SirenaError):
    """Two columns have the same meaning, so neither can be trusted."""

    code = "duplicate_columns"
    status = 422


def no_rows(file: str) -> UnreadableFileError:
    """Return the error for a table that has a header and no isolates."""
    return UnreadableFileError(f"{file}: the table has a header and no isolates", hint="Export the isolates again.")


class NotUtf8Error(Exception):
    """A long text begins as UTF-8 but is not UTF-8; its code page must be found and the text read again."""


class NeedsWholeFileError(Exception):
    """A file's parts do not show what its cells mean, or what is wrong; the caller must read the whole file."""
