"""``sirena synthesize``: write the synthetic hospital to a file."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("synthesize")(synthesize)


def synthesize(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; the suffix chooses the format, - is CSV.")
    ],
    isolates: Annotated[int, typer.Option("--isolates", "-n", min=1, help="Number of isolates (rows).")] = 5000,
    seed: Annotated[int, typer.Option("--seed", help="The same number gives the same hospital.")] = 1,
) -> None:
    """Write a WHONET file of a hospital that never was: MICs of all 41 antimicrobials, fictitious patients.

    Example: sirena synthesize -n 5000 -o hospital.sqlite
    """
    from sirena.whonet.synthetic import generate_hospital
    from sirena.whonet.writing import find_suffix, write_file

    find_suffix(output)
    write_file(generate_hospital(isolates, seed), output)
    if str(output) != "-":
        typer.echo(f"{output}: {isolates} isolates", err=True)
