"""Read a workbook in a process of its own: ``python -m sirena.whonet.workbook_worker LIMIT [SHEET]``.

The reader makes room for every cell between the first and the last of a sheet, whatever the file says where they are;
where the room is not to be had, it ends the process. So it gets a process of its own, with a limit (see `workbook`).

The file comes on standard input. On standard output goes an Arrow stream of the cells, which says in its schema what
the sheets are, which one was read, and where formulas failed.
"""

import json
import resource
import sys
from collections.abc import Sequence
from typing import Final

DAMAGED: Final = 3
"""Exit code for what is no workbook."""
TOO_LARGE: Final = 4
"""Exit code where the memory did not suffice and the reader said so; where it does not say so, a signal ends it."""
TOLD: Final = b"sirena"
"""Name under which the schema holds what is told beside the cells, as JSON."""


def choose_sheet(names: Sequence[str], wanted: str | None) -> str | None:
    """Return the sheet asked for, letter case aside, or the first; None when there is none."""
    if wanted is None:
        return next(iter(names), None)
    same = [name for name in names if name == wanted]
    return next(iter(same or [name for name in names if name.casefold() == wanted.casefold()]), None)


def main(limit: int, wanted: str | None) -> int:
    """Read one sheet within a limit of memory, bytes; return the exit code."""
    _, highest = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = limit if highest == resource.RLIM_INFINITY else min(limit, highest)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
    # a reader that aborts shall not fill the disk with its memory
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import fastexcel
    import pyarrow as pa

    try:
        reader = fastexcel.read_excel(sys.stdin.buffer.read())
        name = choose_sheet(reader.sheet_names, wanted)
        batch, errors = pa.record_batch({}), None
        if name is not None:
            # Without `skip_rows` empty rows at the top would vanish, and row numbers with them.
            loaded = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", whitespace_as_null=True)
            batch, errors = loaded.to_arrow_with_errors()
        failed = [cell.position for cell in (errors.errors if errors else ())]
        told = json.dumps({"sheets": reader.sheet_names, "sheet": name, "failed": failed})
        batch = batch.replace_schema_metadata({TOLD: told})
        with pa.ipc.new_stream(sys.stdout.buffer, batch.schema) as stream:
            stream.write_batch(batch)
    except fastexcel.FastExcelError:
        return DAMAGED
    except MemoryError:
        return TOO_LARGE
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
