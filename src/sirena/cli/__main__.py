"""Run with ``python -m sirena.cli``."""

from sirena.cli import main

main()
