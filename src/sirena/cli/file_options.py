"""The options of all commands that read a laboratory's file."""

from pathlib import Path
from typing import Annotated

import typer

Sheet = Annotated[
    str | None,
    typer.Option("--sheet", help="Sheet of a spreadsheet; by default the first visible one that holds a table."),
]
"""Type of the option ``--sheet``: the sheet of a spreadsheet to read."""
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping", help="File that says what the columns mean (TOML), as `sirena inspect --write-mapping` writes it."
    ),
]
"""Type of the option ``--mapping``: the file that says what the columns mean."""
