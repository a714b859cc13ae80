"""``sirena cells``: the counts of a hospital that others can learn from, without a row of anybody's."""

from pathlib import Path
from typing import Annotated

import typer

from sirena.cli.engine_option import EngineName, EngineOption, engine_named
from sirena.cli.file_options import MappingFile, Sheet
from sirena.cli.voice import say
from sirena.domain.errors import SirenaError
from sirena.whonet.errors import as_given


def register(app: typer.Typer) -> None:
    """Add ``sirena cells`` to the command line."""
    app.command("cells", epilog="Example: sirena cells isolates.sir -o hospital.cells.parquet")(cells)


def cells(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="WHONET files of any format, or counts of hospitals written by this command, to add up; in S3 as "
            "s3://bucket/key."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; its name must end in .cells.parquet.")],
    engine: EngineOption = EngineName.LOCAL,
    sheet: Sheet = None,
    mapping: MappingFile = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Random seed that `sirena train` will use; all hospitals must use the same one.")
    ] = 0,
) -> None:
    """Count the labels at each MIC, without patient data.

    The counts, by organism and site, hold no rows, dates or patients. `sirena train` accepts these counts instead of
    the isolates, of one hospital or of several, and trains exactly the same models. Several files are counted
    separately and then added, as `sirena train` adds them. Counts below five are marked: check whether you may pass
    them on.
    """
    from sirena.acts.hospital_counting import count_files
    from sirena.acts.s3_files import check_output, destination, each_file, refuse_same_file
    from sirena.cli.training_files import problem_reporter
    from sirena.training.counts import HospitalCounts, pool_hospitals
    from sirena.training.shared_cells import SMALL, write_cells
    from sirena.whonet.mapping import load_mapping

    check_output(output)
    sources = each_file(files)
    for file in sources:
        refuse_same_file(file, output)
    laboratory_mapping = load_mapping(mapping) if mapping else None
    with engine_named(engine) as works:
        report = problem_reporter(len(sources), works)
        hospitals = count_files(
            sources, seed, sheet=sheet, mapping=laboratory_mapping, engine=works, report=report
        ).values()
    counts = HospitalCounts(
        tuple(test for hospital in hospitals for test in hospital.tests), pool_hospitals(hospitals), seed
    )
    if counts.tally.is_empty():
        raise SirenaError(
            f"{', '.join(map(as_given, files))}: no labelled results, so there is nothing to count",
            hint="give a file with MICs and Eti_ columns; where there are none, `sirena train --labels reference`",
        )
    with destination(output) as place:
        lines = write_cells(counts, place)
    whole = lines.unique(["column", "organism", "site", "mic", "label"])
    say(
        f"{as_given(output)}: {lines['results'].sum():,} results in {whole.height:,} cells, "
        f"{whole['small'].sum():,} of them with fewer than {SMALL} results (column `small`)"
    )
