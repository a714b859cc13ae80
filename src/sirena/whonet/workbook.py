"""Reading the cells of a workbook in a separate process, which a malicious or mistaken file can end without harm.

A thousand bytes suffice to name a cell a million rows away, and each format has its own ways to do so (a reference, a
repeated row, a record). Every such cell costs memory, so the process's memory is limited in proportion to the file's
size.
"""

import json
import os
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

import sirena
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.source import MAXIMUM_BYTES
from sirena.whonet.workbook_worker import TOLD, TOO_LARGE

ZIP_MAGIC: Final = b"PK\x03\x04"
_MAXIMUM_UNPACKED: Final = 2 * MAXIMUM_BYTES
_LEAST_MEMORY: Final = 1024**3
"""Memory in bytes the reader may use for any file: room for some ten million cells, most of them empty."""
_MEMORY_PER_BYTE: Final = 512
"""Further memory, in bytes for each byte of the file; full tables need 30 to 100."""
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
"""Environment variables that the reader gets; none holds an address or a password."""


@dataclass(frozen=True)
class Workbook:
    """The cells that were read from a workbook's sheet, and facts about its sheets."""

    sheets: list[str]
    """Names of all sheets."""
    sheet: str | None
    """Name of the sheet that was read; None if there is no sheet of the requested name."""
    cells: pl.DataFrame
    """Cells of that sheet as text, from its first row; empty if no sheet was read."""
    error_cells: list[tuple[int, int]]
    """Row and column, counted from 0, of formulas whose result is an error."""
    hidden_sheets: list[str] = field(default_factory=list)
    """Names of the sheets that Excel does not show."""
    other_tables: list[str] = field(default_factory=list)
    """Names of other visible sheets that hold a table of isolates."""


def read_workbook(content: bytes, file: str, sheet: str | None) -> Workbook:
    """Read one sheet: the named one, or the first visible one that holds a table of isolates.

    Args:
        content: bytes of the file.
        file: name of the file, for messages.
        sheet: name of the sheet, in any letter case.

    Raises:
        UnreadableFileError: the file is no workbook, is damaged, or needs far more memory than its size explains.

    >>> from sirena.whonet.excel_writing import write_excel
    >>> stream = BytesIO()
    >>> write_excel(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["<=2"]}), stream)
    >>> workbook = read_workbook(stream.getvalue(), "2025.xlsx", sheet=None)
    >>> workbook.sheet, workbook.cells.rows()
    ('Isolates', [('ORGANISM', 'AMK_NM'), ('eco', '<=2')])
    """
    _refuse_bomb(content, file)
    limit = _LEAST_MEMORY + _MEMORY_PER_BYTE * len(content)
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    process = subprocess.run(  # noqa: S603 - this very interpreter, no shell
        # -P: anybody may write where a command works, and what lies there must not be imported
        [sys.executable, "-P", "-m", "sirena.whonet.workbook_worker", str(limit), *([sheet] if sheet else [])],
        input=content,
        capture_output=True,
        env=environment | {"PYTHONPATH": str(Path(sirena.__file__).parent.parent)},
        check=False,
    )
    if process.returncode < 0 or process.returncode == TOO_LARGE:
        raise UnreadableFileError(
            f"{file}: takes far more memory than a table of its size",
            hint="Delete what stands far from the table (Ctrl+End shows it), or save the sheet as .csv.",
        )
    if process.returncode != 0:
        raise damaged(file)
    cells = pa.ipc.open_stream(process.stdout).read_all()
    facts = json.loads(cells.schema.metadata[TOLD])
    error_cells = [(row, column) for row, column in facts["failed"]]
    frame = pl.DataFrame(pl.from_arrow(cells))
    return Workbook(facts["sheets"], facts["sheet"], frame, error_cells, facts["hidden"], facts["others"])


def password_protected(file: str) -> UnreadableFileError:
    """Return the error for a workbook or archive that only a password opens.

    >>> print(password_protected("2025.xlsx"))
    2025.xlsx: has a password
    """
    return UnreadableFileError(
        f"{file}: has a password",
        hint="Open it, take the password away (File, Info, Protect Workbook) and save it again.",
    )


def damaged(file: str) -> UnreadableFileError:
    """Return the error for a file that is no workbook, or is a damaged workbook.

    >>> print(damaged("2025.xlsx"))
    2025.xlsx: not a spreadsheet, or a damaged one
    """
    return UnreadableFileError(
        f"{file}: not a spreadsheet, or a damaged one",
        hint="Open it in Excel or LibreOffice and save it as .xlsx again.",
    )


def _refuse_bomb(content: bytes, file: str) -> None:
    """Raise an error if an archive is damaged, or unpacks to more than a table."""
    if not content.startswith(ZIP_MAGIC):
        return
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MAXIMUM_UNPACKED:
                raise UnreadableFileError(
                    f"{file}: unpacks to more than {_MAXIMUM_UNPACKED // 1024**3} GiB",
                    hint="Save it as .csv or .parquet.",
                )
            if archive.testzip() is not None:
                raise damaged(file)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise damaged(file) from error
