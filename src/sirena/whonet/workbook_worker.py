"""Reading a workbook in a process of its own: ``python -m sirena.whonet.workbook_worker LIMIT [SHEET]``.

The reader allocates memory for every cell between the first and the last one of a sheet, wherever the file puts them;
if the memory is refused, the process ends. So it runs in its own process, with a limit (see `workbook`). It reads the
file from standard input and writes an Arrow stream of the cells to standard output; the stream's schema names the
sheets, the one that was read, and where formulas failed.
"""

import json
import resource
import sys
from collections.abc import Sequence
from typing import Any, Final

from sirena.whonet.header_row import LOOKED_AT, find_header_row

DAMAGED: Final = 3
"""Exit code for a file that is no workbook."""
TOO_LARGE: Final = 4
"""Exit code if the reader reports that the memory did not suffice; if it cannot report that, a signal ends it."""
"""Value of the argument NUMPY."""
_MOST_SHEETS: Final = 60
TOLD: Final = b"sirena"
"""Key of the schema's metadata under which the facts other than the cells are, as JSON."""


def _same_name(names: Sequence[str], sheet_name: str) -> str | None:
    """Return the sheet of a name, in any letter case; None if there is none."""
    same = [name for name in names if name == sheet_name]
    return next(iter(same or [name for name in names if name.casefold() == sheet_name.casefold()]), None)


def _load(reader: Any, name: str, rows: int | None = None) -> Any:
    # Without `skip_rows` empty rows at the top would vanish, and row numbers with them.
    return reader.load_sheet(name, header_row=None, skip_rows=0, n_rows=rows, dtypes="string", whitespace_as_null=True)


def _holds_table(sheet: Any) -> bool:
    """Tell whether there is a header of isolates among the first rows of a loaded sheet."""
    columns = [column.to_pylist() for column in sheet.to_arrow().slice(0, 2 * LOOKED_AT).columns]
    return find_header_row(list(zip(*columns, strict=True))) is not None


def _choose_sheet(reader: Any, sheet_name: str | None) -> tuple[str | None, list[str], list[str]]:
    """Choose a sheet: the requested one; else the first visible one that holds a table; else the first visible one.

    Returns:
        The sheet's name, or None if there is no sheet of the requested name; the hidden sheets; the other visible
        sheets with a table.
    """
    names = reader.sheet_names
    if sheet_name is not None or len(names) < 2:
        return (_same_name(names, sheet_name) if sheet_name is not None else next(iter(names), None)), [], []
    sheets = {name: _load(reader, name, 2 * LOOKED_AT) for name in names[:_MOST_SHEETS]}
    hidden_sheets = [name for name, sheet in sheets.items() if sheet.visible != "visible"]
    visible_sheets = [name for name in sheets if name not in hidden_sheets]
    tables = [name for name in visible_sheets if _holds_table(sheets[name])]
    return next(iter(tables or visible_sheets or names)), hidden_sheets, tables[1:]


def main(limit: int, sheet_name: str | None) -> int:
    """Read one sheet within a limit of memory (in bytes); return the process's exit code."""
    _, highest = resource.getrlimit(resource.RLIMIT_DATA)
    allowed_bytes = limit if highest == resource.RLIM_INFINITY else min(limit, highest)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed_bytes, allowed_bytes))
    # a reader that aborts shall not fill the disk with its memory
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import fastexcel
    import pyarrow as pa

    try:
        reader = fastexcel.read_excel(sys.stdin.buffer.read())
        name, hidden_sheets, other_tables = _choose_sheet(reader, sheet_name)
        batch, errors = pa.record_batch({}), None
        if name is not None:
            batch, errors = _load(reader, name).to_arrow_with_errors()
        error_cells = [cell.position for cell in (errors.errors if errors else ())]
        facts = {
            "sheets": reader.sheet_names,
            "sheet": name,
            "failed": error_cells,
            "hidden": hidden_sheets,
            "others": other_tables,
        }
        batch = batch.replace_schema_metadata({TOLD: json.dumps(facts)})
        with pa.ipc.new_stream(sys.stdout.buffer, batch.schema) as stream:
            stream.write_batch(batch)
    except fastexcel.FastExcelError:
        return DAMAGED
    except MemoryError:
        return TOO_LARGE
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
