"""Errors for a file that cannot be read as a whole."""

from pathlib import Path
from typing import Final

from sirena.domain.errors import SirenaError, UsageError

_S3: Final = "s3:/"


class UnavailableFileError(SirenaError):
    """The file does not exist, is a folder, or cannot be read or written for lack of permission."""

    code = "unavailable_file"
    exit_code = 2
    status = 404


class UnreadableFileError(SirenaError):
    """The file is damaged, cut off, or is no table."""

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


def as_given(path: Path | str) -> str:
    """Return a path for messages: as it was given, although `Path` drops a slash of ``s3://``.

    >>> as_given(Path("s3://hospital/2026/north.csv"))
    's3://hospital/2026/north.csv'
    """
    text = str(path)
    return f"{_S3}/{text.removeprefix(_S3)}" if text.startswith(_S3) and not text.startswith(f"{_S3}/") else text


def of_s3(path: Path | str) -> UnavailableFileError | None:
    """Return the error for a path of S3 where only a file of this machine can be given; None for any other path.

    >>> print(of_s3("s3://hospital/2025.csv"))
    s3://hospital/2025.csv: only a file of this machine can be given here
    >>> print(of_s3("2025.csv"))
    None
    """
    if not str(path).startswith(_S3):
        return None
    return UnavailableFileError(
        f"{as_given(path)}: only a file of this machine can be given here",
        hint="Copy it here first. `interpret`, `reference`, `cells`, `antibiogram` and `train` read a file in S3.",
    )


def folded_key(name: str) -> UsageError:
    """Return the error for a file in S3 whose key `Path` would change into another object's.

    >>> print(folded_key("s3://hospital//2025.csv"))
    s3://hospital//2025.csv: a key with // or /./ cannot be given
    """
    return UsageError(f"{name}: a key with // or /./ cannot be given", hint="Give the object another key.")


def no_rows(file: str) -> UnreadableFileError:
    """Return the error for a table that has a header and no isolates.

    >>> print(no_rows("isolates.csv"))
    isolates.csv: the table has a header and no isolates
    """
    return UnreadableFileError(f"{file}: the table has a header and no isolates", hint="Export the isolates again.")


class NotUtf8Error(Exception):
    """A long text begins as UTF-8 but is not UTF-8; its code page must be found, and the text must be read again."""


class NeedsWholeFileError(Exception):
    """The parts of a file do not show what its cells mean, or what is wrong; the caller must read the whole file."""
