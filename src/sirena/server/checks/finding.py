"""What a look found."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sirena.domain.errors import SirenaError
from sirena.server.checks.conditions import Condition, Urgency

AS_ROOT: Final = "look as root: `sudo -E sirena doctor`"
"""Remedy for what this account may not see."""


class CheckVerdict(StrEnum):
    """How it stands; only `WRONG` makes the command fail."""

    WELL = "well"
    UNSEEN = "not seen"
    """It could not be looked at from here, which says nothing of how it is."""
    WARNING = "warning"
    WRONG = "wrong"


class Area(StrEnum):
    """What a finding is about; also the title of its section."""

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
    """One thing that was looked at."""

    area: Area
    name: str
    """What was looked at."""
    verdict: CheckVerdict
    told: str
    """How it is; never a secret."""
    remedy: str = ""
    """What mends it, best the exact command."""

    @classmethod
    def of_condition(cls, condition: Condition) -> "CheckFinding":
        """Return what `sirena status` says of a condition."""
        verdict = {
            Urgency.OK: CheckVerdict.WELL,
            Urgency.WARNING: CheckVerdict.WARNING,
            Urgency.CRITICAL: CheckVerdict.WRONG,
        }
        return cls(Area.STACK, condition.name, verdict[condition.urgency], condition.told, condition.remedy)


@dataclass
class Notebook:
    """Findings as they are made; a look that cannot be made is a finding too, and never ends the others."""

    findings: list[CheckFinding] = field(default_factory=list)

    def note(self, area: Area, name: str, verdict: CheckVerdict, told: str, remedy: str = "") -> None:
        """Note a finding."""
        self.findings.append(CheckFinding(area, name, verdict, told, remedy))

    @contextmanager
    def looking(self, area: Area, name: str) -> Iterator[None]:
        """Turn what a look raises into a finding: our errors say what is wrong, the system's that nothing was seen."""
        try:
            yield
        except SirenaError as error:
            self.note(area, name, CheckVerdict.WRONG, error.text, error.hint)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            told = f"{where}{error.strerror or type(error).__name__}"
            self.note(area, name, CheckVerdict.UNSEEN, told, AS_ROOT)
