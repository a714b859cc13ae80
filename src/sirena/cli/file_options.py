"""Arguments and options of commands that read a laboratory's file, or write one."""

from pathlib import Path
from typing import Annotated

import typer

FileArgument = Annotated[
    Path,
    typer.Argument(
        help="WHONET file of any format, on this machine or in S3 (s3://bucket/key); - reads standard input."
    ),
]
"""Type of the argument FILE of commands that read a file in S3 too."""
OutputOption = Annotated[
    Path,
    typer.Option("--output", "-o", help="File to write, in the format of its suffix; - writes CSV to standard output."),
]
"""Type of the option ``--output``: the file to write, in any format."""
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
