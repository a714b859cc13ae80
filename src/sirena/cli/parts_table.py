"""The table of the stack's parts."""

from collections.abc import Sequence
from typing import Final

from sirena.cli.sections import Section, print_sections
from sirena.server.supervision.health_report import PartHealth

_MINUTE: Final = 60


def print_parts(parts: Sequence[PartHealth]) -> None:
    """Print a table of the parts."""
    rows = [
        (
            part.name,
            part.state,
            part.version,
            str(part.port or ""),
            f"{part.memory_mib} MiB" if part.memory else "",
            _duration(part.seconds) if part.seconds else "",
        )
        for part in parts
    ]
    total = sum(part.memory_mib for part in parts)
    headings = ("part", "state", "version", "#port", "#memory", "#running")
    print_sections([Section("Parts", rows, headings, f"{total} MiB in all", words=(1,))])


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}"
