"""Printing what a command reports as one JSON document, for programs."""

import json
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
"""Type of the option ``--json`` of all commands that report."""


def print_json(document: Any) -> None:
    """Print a JSON document on standard output; times are written as ISO 8601."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
