"""The options of all commands that read a laboratory's file."""

from pathlib import Path
from typing import Annotated

import typer

Sheet = Annotated[
    str | None, typer.Option("--sheet", help="Sheet of a spreadsheet; the first visible table by default.")
]
"""Type of the option ``--sheet``: the sheet of a spreadsheet to read."""
MappingFile = Annotated[Path | None, typer.Option("--mapping", help="The laboratory's own word on its columns (TOML).")]
"""Type of the option ``--mapping``: the file that says what the columns mean."""
