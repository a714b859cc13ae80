"""The results of a file whose category changes from one release to another, by row and specimen number."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from sirena.panel.file_changes import FileChange
from sirena.whonet.file import WhonetFile
from sirena.whonet.specimen_numbers import specimen_numbers

_SCHEMA: Final = dict.fromkeys(("row", "specimen_number", "column", "organism", "mic", "before", "after"), pl.String())


def list_changes(file: WhonetFile, changes: Sequence[FileChange]) -> pl.DataFrame:
    """Return one row of texts for each result that changes, for the laboratory; without changes the headers alone.

    Args:
        file: the file.
        changes: its changes, from `file_changes`.
    """
    numbers = specimen_numbers(file)
    organisms = file.frame[file.require_organism()]
    parts = [
        pl.DataFrame(
            {
                "row": [str(row) for row in file.row_numbers(change.rows).tolist()],
                "specimen_number": numbers.gather(pl.Series(change.rows)),
                "column": [change.header] * len(change.rows),
                "organism": organisms.gather(pl.Series(change.rows)),
                "mic": file.frame[change.header].gather(pl.Series(change.rows)),
                "before": [change.before] * len(change.rows),
                "after": [change.after] * len(change.rows),
            },
            schema=_SCHEMA,
        )
        for change in changes
    ]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *parts])
