"""What a stack needs beside running parts: room on the disk, a certificate that lasts, backups that were proved."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Final

from sirena.operations.accounts import PreparationError
from sirena.operations.backup_state import LastRun, RunOutcome, read_backup_state
from sirena.operations.certificates import days_left, entry_certificate
from sirena.operations.settings import OFF, CertificateSource, Settings

_GIB: Final = 2**30
_PERCENT_LEFT: Final = (15, 5)
"""Share of the disk still free below which one is warned, and below which it is urgent."""
_GIB_LEFT: Final = (10, 2)
"""So much is enough, however large the disk."""
_CERTIFICATE_DAYS: Final = (21, 3)
"""certbot renews thirty days before the end, so three weeks mean that it has failed for nine days."""
_BACKUP_AGE: Final = (timedelta(hours=26), timedelta(days=3))
_DRILL_AGE: Final = (timedelta(days=8), timedelta(days=31))


class Urgency(IntEnum):
    """How urgent it is that somebody does something; the values are the exit codes monitors know."""

    OK = 0
    WARNING = 1
    CRITICAL = 2

    @property
    def word(self) -> str:
        """For people."""
        return ("well", "warning", "critical")[self]


@dataclass(frozen=True)
class Condition:
    """One thing that has to be so."""

    name: str
    urgency: Urgency
    told: str
    """How it is, in a few words."""


def conditions(settings: Settings) -> Iterator[Condition]:
    """Look at everything but the parts and the ledger.

    Args:
        settings: of the stack; the embedded profile has a disk and nothing else of this.
    """
    yield _disk(settings)
    if settings.profile != "production":
        return
    yield _certificate(settings)
    state = read_backup_state(settings)
    yield _run("backup", state.backup, _BACKUP_AGE, planned=settings.backup_at != OFF)
    yield _run("drill", state.drill, _DRILL_AGE, planned=settings.backup_at != OFF)


def _disk(settings: Settings) -> Condition:
    folder = settings.home if settings.home.exists() else settings.home.parent
    use = shutil.disk_usage(folder)
    percent, left = 100 * use.free / use.total, use.free / _GIB
    levels = [percent < share and left < enough for share, enough in zip(_PERCENT_LEFT, _GIB_LEFT, strict=True)]
    return Condition("disk", Urgency(sum(levels)), f"{left:.1f} GiB free of {use.total / _GIB:.1f} ({percent:.0f} %)")


def _certificate(settings: Settings) -> Condition:
    try:
        days = days_left(entry_certificate(settings).chain)
    except OSError:
        return Condition("certificate", Urgency.CRITICAL, "none: the stack was never brought up, or the file is gone")
    except PreparationError as error:
        return Condition("certificate", Urgency.CRITICAL, error.text)
    ours = settings.tls is CertificateSource.SELF_MADE
    levels = [days < limit for limit in _CERTIFICATE_DAYS]
    return Condition(
        "certificate", Urgency(sum(levels)), f"{days} days left, {'our own authority' if ours else settings.tls.value}"
    )


def _run(name: str, run: LastRun | None, ages: tuple[timedelta, timedelta], *, planned: bool) -> Condition:
    if run is None:
        # a fresh server has its first night before it
        return Condition(name, Urgency.OK if planned else Urgency.WARNING, "none yet")
    age = run.age
    if age is None:
        return Condition(name, Urgency.CRITICAL, f"none ever went well; {_failure(run)}")
    urgency = Urgency(sum(age > limit for limit in ages))
    told = f"went well {_ago(age)} ago" + (f", {run.snapshot[:8]}" if run.snapshot else "")
    if run.outcome is RunOutcome.FAILED:
        return Condition(name, max(urgency, Urgency.WARNING), f"{_failure(run)}; {told}")
    return Condition(name, urgency, told)


def _failure(run: LastRun) -> str:
    return f"the last failed: {run.failure}" if run.outcome is RunOutcome.FAILED else f"the last is {run.outcome.value}"


def _ago(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{age.days} d {hours % 24} h" if age.days else f"{hours} h {int(age.total_seconds() // 60) % 60} min"
