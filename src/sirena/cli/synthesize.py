"""``sirena synthesize``: writing a synthetic hospital to a file."""

from pathlib import Path
from typing import Annotated

import typer

from sirena.cli.file_options import OutputOption
from sirena.cli.voice import say
from sirena.domain.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add ``sirena synthesize`` to the command line."""
    app.command("synthesize")(synthesize)


def synthesize(
    output: OutputOption,
    isolates: Annotated[int, typer.Option("--isolates", "-n", min=1, help="Number of isolates (rows).")] = 5000,
    seed: Annotated[int, typer.Option("--seed", help="Random seed: the same seed gives the same hospital.")] = 1,
    episodes: Annotated[
        bool,
        typer.Option(
            "--episodes",
            help="Invent patients' stays: episodes, screening cultures, missing values, a trend, an outbreak.",
        ),
    ] = False,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="With --episodes, file to write: what each row is.")
    ] = None,
) -> None:
    """Write a WHONET file of an invented hospital.

    It holds MICs of all 41 antimicrobials and fictitious patients. With --episodes, patients have several specimens of
    the same strain within 3 to 30 days. With --truth, a second file says of each row whether it is the first isolate of
    the year, a screening culture, blank, part of the outbreak, or acquired resistance.

    Example: sirena synthesize -n 5000 -o hospital.sqlite --episodes --truth truth.csv
    """
    from sirena.whonet.synthetic import generate_hospital
    from sirena.whonet.synthetic_stays import generate_counted_hospital
    from sirena.whonet.writing import find_suffix, write_file

    find_suffix(output)
    if truth is not None:
        find_suffix(truth)
        if not episodes:
            raise UsageError("--truth is of a hospital with episodes", hint="add --episodes")
    if episodes:
        hospital = generate_counted_hospital(isolates, seed)
        write_file(hospital.frame, output)
        if truth is not None:
            write_file(hospital.truth, truth)
    else:
        write_file(generate_hospital(isolates, seed), output)
    if str(output) != "-":
        say(f"{output}: {isolates} isolates", err=True)
