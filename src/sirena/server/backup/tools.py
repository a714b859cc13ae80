"""Running pg_dump, pg_restore and restic."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sirena.host.environment import inherited_environment


@dataclass(frozen=True)
class ProgramRun:
    """Exit code and output of a program that ended."""

    code: int
    output: str
    errors: str

    @property
    def last_lines(self) -> str:
        """The last two lines of the program's output, for an error message."""
        lines = [line.strip() for line in (self.errors or self.output).splitlines() if line.strip()]
        return "; ".join(lines[-2:]) or f"exit code {self.code}"


def run_tool(command: Sequence[str | Path], environment: Mapping[str, str], *, folder: Path) -> ProgramRun:
    """Run a program in a folder until it ends.

    The program inherits the lock of `exclusive`, so that nothing else begins while it runs. Its environment holds no
    secret, only names of files with secrets.
    """
    process = subprocess.run(  # noqa: S603 - our own command lines, no shell
        [str(word) for word in command],
        env={**inherited_environment(), "HOME": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        cwd=folder,
        close_fds=False,
        check=False,
    )
    return ProgramRun(process.returncode, process.stdout, process.stderr)
