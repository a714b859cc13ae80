"""Run with ``python -m sirena.cli``."""

from sirena.cli import command

command()
