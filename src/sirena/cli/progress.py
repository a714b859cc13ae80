"""Showing the current step: with a spinner on a terminal, with a line for each step in a log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from sirena.cli.voice import in_words
from sirena.server.steps import Tell


@contextmanager
def step_reporter() -> Iterator[Tell]:
    """Yield a function to call with the name of each step."""
    if not sys.stderr.isatty():
        yield lambda step: typer.echo(f"{in_words(step)} …", err=True)
        return
    from rich.console import Console

    with Console(stderr=True).status(in_words("starting")) as status_line:
        yield lambda step: status_line.update(f"{in_words(step)} …")
