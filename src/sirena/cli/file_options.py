"""The options of every command that reads a laboratory's file."""

from pathlib import Path
from typing import Annotated

import typer

Sheet = Annotated[
    str | None, typer.Option("--sheet", help="Sheet of a spreadsheet; the first visible table by default.")
]
"""Which table of a spreadsheet is read."""
MappingFile = Annotated[Path | None, typer.Option("--mapping", help="The laboratory's own word on its columns (TOML).")]
"""Which mapping file says what the columns are."""
