"""``sirena cells``: the counts of a hospital that others can learn from, without a row of anybody's."""

from pathlib import Path
from typing import Annotated

import typer

from sirena.cli.file_options import MappingFile, Sheet
from sirena.cli.voice import say
from sirena.domain.errors import SirenaError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cells", epilog="Example: sirena cells isolates.sir -o hospital.cells.parquet")(cells)


def cells(
    file: Annotated[Path, typer.Argument(help="WHONET file of any format; - reads standard input.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; its name ends in .cells.parquet.")],
    sheet: Sheet = None,
    mapping: MappingFile = None,
    seed: Annotated[int, typer.Option(min=0, help="As `sirena train` shall use; all hospitals take the same.")] = 0,
) -> None:
    """Write how often each label stands at each MIC of an organism and site: no row, no date, no patient.

    `sirena train` takes such files in the place of the isolates, of one hospital or of several, and learns the very
    same models. Cells of fewer than five results are marked: look whether you may give them away.
    """
    from sirena.cli.answering import refuse_same_file, tell_about_problems
    from sirena.training.counts import HospitalCounts
    from sirena.training.shared_cells import SMALL, write_cells
    from sirena.whonet.mapping import load_mapping
    from sirena.whonet.privacy import without_patients
    from sirena.whonet.reading import read_file
    from sirena.whonet.writing import check_place

    check_place(output)
    refuse_same_file(file, output)
    isolates = read_file(file, sheet=sheet, mapping=load_mapping(mapping) if mapping else None)
    tell_about_problems(isolates)
    counts = HospitalCounts.of_file(without_patients(isolates), seed)
    if counts.tally.is_empty():
        raise SirenaError(
            f"{file}: no labelled results, so there is nothing to count",
            hint="give a file with MICs and Eti_ columns; where there are none, `sirena train --labels reference`",
        )
    lines = write_cells(counts, output)
    whole = lines.unique(["column", "organism", "site", "mic", "label"])
    say(
        f"{output}: {lines['results'].sum():,} results in {whole.height:,} cells, "
        f"{whole['small'].sum():,} of them with fewer than {SMALL} results (column `small`)"
    )
