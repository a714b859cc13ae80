"""Running a command as a user does, but within this process, which saves the start of an interpreter."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from sirena.cli import main


@dataclass(frozen=True)
class Ended:
    """The result of a command."""

    code: int
    output: str
    errors: str


def run_command(capfd: pytest.CaptureFixture[str], arguments: Sequence[object]) -> Ended:
    """Run ``sirena`` with arguments, and return exit code and output."""
    before = sys.argv
    sys.argv = ["sirena", *map(str, arguments)]
    try:
        main()
        code: object = 0
    except SystemExit as exit_:
        code = exit_.code
    finally:
        sys.argv = before
    captured = capfd.readouterr()
    return Ended(code if isinstance(code, int) else 0, captured.out, captured.err)
