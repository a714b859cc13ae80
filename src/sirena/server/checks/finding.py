"""What the checks of `sirena doctor`, `sirena status` and `sirena settings check` find."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Final

from sirena.domain.errors import SirenaError

AS_ROOT: Final = "look as root: `sudo -E sirena doctor`"
"""Remedy for what this account cannot check."""


class CheckVerdict(StrEnum):
    """The verdict of a check, the gravest last; only `WRONG` makes the command fail."""

    WELL = "well"
    UNSEEN = "not seen"
    """It could not be checked by this account."""
    WARNING = "warning"
    WRONG = "wrong"

    @classmethod
    def past(cls, limits: int) -> "CheckVerdict":
        """Return the verdict on a measured value.

        Args:
            limits: how many limits it passed: 0, 1 (that of a warning) or 2.
        """
        return (cls.WELL, cls.WARNING, cls.WRONG)[limits]

    @classmethod
    def worst(cls, verdicts: "Iterable[CheckVerdict]") -> "CheckVerdict":
        """Return the gravest of some verdicts."""
        return max(verdicts, key=list(cls).index)


class Area(StrEnum):
    """Area of a finding, and title of its section."""

    SETTINGS = "Settings"
    MACHINE = "Machine"
    PROGRAMS = "Programs"
    ACCOUNTS = "Accounts and folders"
    PORTS = "Ports"
    NETWORK = "Names and other servers"
    DATABASES = "Databases"
    STACK = "Stack"


@dataclass(frozen=True)
class CheckFinding:
    """What one check found: a verdict, what is the case, and what to do about it."""

    area: Area
    name: str
    """What was checked."""
    verdict: CheckVerdict
    told: str
    """What was found; never a secret."""
    remedy: str = ""
    """What to do, if possible the exact command."""


def about(name: str) -> "partial[CheckFinding]":
    """Return the function that makes findings about one thing that a stack needs, from verdict, text and remedy."""
    return partial(CheckFinding, Area.STACK, name)


@dataclass
class CheckReport:
    """The findings of all checks. A check that fails with an error is a finding too, and does not end the others."""

    findings: list[CheckFinding] = field(default_factory=list)

    def note(self, area: Area, name: str, verdict: CheckVerdict, text: str, remedy: str = "") -> None:
        """Add a finding."""
        self.findings.append(CheckFinding(area, name, verdict, text, remedy))

    @contextmanager
    def looking(self, area: Area, name: str) -> Iterator[None]:
        """Turn an error in a ``with`` block into a finding: `WRONG` for Sirena's errors, `UNSEEN` for the system's."""
        try:
            yield
        except SirenaError as error:
            self.note(area, name, CheckVerdict.WRONG, error.text, error.hint)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            text = f"{where}{error.strerror or type(error).__name__}"
            self.note(area, name, CheckVerdict.UNSEEN, text, AS_ROOT)
