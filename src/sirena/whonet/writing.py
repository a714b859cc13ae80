"""Writing a table in any format that can be read: every column, in order, every cell unchanged.

The file is written under a temporary name next to its destination and renamed when complete, so nobody finds an
incomplete file. If a format cannot hold a table (dBASE's ten-letter names, a spreadsheet's million rows), an error says
why; nothing is cut.
"""

import gzip
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from sirena.domain.errors import SirenaError, UsageError
from sirena.whonet.arrow_file import write_arrow
from sirena.whonet.csv_style import CsvStyle, write_styled
from sirena.whonet.dbase_writing import write_dbase
from sirena.whonet.errors import UnavailableFileError, as_given, of_s3
from sirena.whonet.excel_writing import write_excel
from sirena.whonet.sqlite_writing import write_sqlite

_SLICE: Final = 20_000
_SPREADSHEET: Final = ".xlsx"


def _write_csv(frame: pl.DataFrame, path: Path, separator: str = ",") -> None:
    frame.write_csv(path, separator=separator)


def _write_csv_gz(frame: pl.DataFrame, path: Path) -> None:
    # No name and no time in the gzip header: the same table always gives the same bytes.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream:
        stream.write(frame.head(0).write_csv().encode())
        for part in frame.iter_slices(_SLICE):
            stream.write(part.write_csv(include_header=False).encode())


def _write_tsv(frame: pl.DataFrame, path: Path) -> None:
    _write_csv(frame, path, "\t")


def _write_parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path)


_WRITERS: Final[dict[str, Callable[[pl.DataFrame, Path], None]]] = {
    ".csv": _write_csv,
    ".csv.gz": _write_csv_gz,
    ".tsv": _write_tsv,
    ".txt": _write_tsv,
    _SPREADSHEET: write_excel,
    ".parquet": _write_parquet,
    ".arrow": write_arrow,
    ".feather": write_arrow,
    ".sqlite": write_sqlite,
    ".db": write_sqlite,
    ".dbf": write_dbase,
    ".sir": write_dbase,
}

DBASE_SUFFIXES: Final = (".dbf", ".sir")
"""Suffixes of dBASE, whose column names have at most ten letters."""
SUFFIXES: Final = tuple(_WRITERS)
"""Suffixes that choose the format written: text with commas, gzip of it, text with tabs, spreadsheet, Parquet, Arrow,
WHONET SQLite, dBASE III (``.sir`` is WHONET's habit)."""


def find_suffix(path: Path | str) -> str:
    """Return the suffix that decides a file's format; ``.csv`` for standard output (``-``).

    Commands call it before the work begins, so that a wrong name is refused at once.

    Raises:
        UsageError: no format has this suffix.

    >>> find_suffix("answers.xlsx"), find_suffix("answers.csv")
    ('.xlsx', '.csv')
    """
    if str(path) == "-":
        return ".csv"
    name = Path(path).name.casefold()
    for suffix in SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            return suffix
    raise UsageError(
        f"{as_given(path)}: no format is known by this suffix", hint=f"Use one of {', '.join(SUFFIXES)}, or - for CSV."
    )


def write_file(
    frame: pl.DataFrame,
    path: Path | str,
    style: CsvStyle | None = None,
    *,
    further: Mapping[str, pl.DataFrame] | None = None,
) -> None:
    r"""Write a table; the suffix decides the format, ``-`` is CSV on standard output.

    Args:
        frame: columns of any plain type; those of `read_file` are all String.
        path: destination; an existing file is replaced atomically.
        style: how a ``.csv`` is written; with commas in UTF-8 if None.
        further: small tables for further sheets of a spreadsheet, by name; other formats hold one table, so they are
            left out.

    Raises:
        UsageError: the suffix is unknown, or the table does not fit the format.
        UnavailableFileError: the folder is missing or not writable.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "2025.tsv")
    ...     write_file(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["<=2"]}), path)
    ...     path.read_text()
    'ORGANISM\tAMK_NM\neco\t<=2\n'
    """
    suffix = find_suffix(path)
    if str(path) == "-":
        _write_standard_output(frame)
        return
    with replacing(Path(path)) as temporary:
        if suffix == _SPREADSHEET:
            write_excel(frame, temporary, further)
        elif suffix == ".csv" and style is not None:
            with temporary.open("wb") as stream:
                write_styled(frame.cast(pl.String), stream, style)
        else:
            _WRITERS[suffix](frame, temporary)


def check_place(path: Path | str) -> None:
    """Check that a destination can be written, before long work begins.

    Raises:
        UnavailableFileError: the destination is a folder, or its folder is missing or not writable.

    >>> check_place("no such folder/2025.csv")
    Traceback (most recent call last):
    sirena.whonet.errors.UnavailableFileError: no such folder/2025.csv: its folder does not exist
    """
    path = Path(path)
    if str(path) == "-":
        return
    if path.is_dir():
        raise UnavailableFileError(f"{path}: is a folder", hint="Name a file.")
    if not path.parent.is_dir():
        raise of_s3(path) or UnavailableFileError(
            f"{path}: its folder does not exist", hint=f"Make {path.parent} first."
        )
    if not os.access(path.parent, os.W_OK):
        raise UnavailableFileError(f"{path}: no permission to write to its folder", hint="Choose another place.")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the block a temporary path; rename it to the file if the block succeeds, remove it if the block fails.

    Raises:
        UnavailableFileError: the destination is a folder, or its folder is missing or not writable, or full.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "2025.csv")) as temporary:
    ...         _ = temporary.write_text("ORGANISM,AMK_NM")
    ...     [path.name for path in Path(folder).iterdir()]
    ['2025.csv']
    """
    check_place(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    except SirenaError:
        raise
    except (OSError, pl.exceptions.PolarsError, sqlite3.Error) as error:
        cause = getattr(error, "strerror", None) or "the disk may be full or the folder not writable"
        raise UnavailableFileError(f"{path}: cannot be written ({cause})", hint="Choose another place.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _write_standard_output(frame: pl.DataFrame) -> None:
    with standard_output():
        sys.stdout.buffer.write(frame.head(0).write_csv().encode())
        for part in frame.iter_slices(_SLICE):
            sys.stdout.buffer.write(part.write_csv(include_header=False).encode())


@contextmanager
def standard_output() -> Iterator[None]:
    """Write to standard output within a ``with`` block; a reader that closes early, as `head` does, is no error.

    Raises:
        UnavailableFileError: standard output cannot be written.
    """
    try:
        yield
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the reader, `head` for example, has seen enough
        _forget_standard_output()
    except OSError as error:
        _forget_standard_output()
        raise UnavailableFileError(
            f"standard output: cannot be written ({error.strerror})", hint="Choose another place."
        ) from error


def _forget_standard_output() -> None:
    # what is still buffered would fail a second time when the interpreter closes the stream
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
