"""The part of the stack that runs the daily backup and the weekly restore drill, with systemd or without.

Each runs as a separate command, so that its memory is freed and its errors end with it. The wall clock decides: what
was due while the machine slept or was off is done once.
"""

import subprocess
import sys
import time as clock
from datetime import datetime, time, timedelta
from typing import Final

from sirena.domain.errors import UsageError
from sirena.server.backup.state import Activity, LastRun, RunOutcome, read_backup_state
from sirena.server.parts.connections import PartConnections
from sirena.server.parts.part import HttpHealth
from sirena.settings.catalogue import OFF, Settings

_SUNDAY: Final = 6
_LOOK_SECONDS: Final = 30.0
_AHEAD: Final = timedelta(days=1)
_REPEAT_AFTER: Final = timedelta(hours=1)
_PATIENCE_SECONDS: Final = 120.0


def due(now: datetime, at: time, last: datetime, *, weekly: bool = False) -> bool:
    """Tell whether the daily or weekly time of an activity has passed since its last run.

    Args:
        now: local time.
        at: time of the day.
        last: when the activity last began or ended, or when the watch began; local time.
        weekly: True for Sundays only.

    A `last` more than a day ahead of `now` was noted by a wrong clock; then the activity is due.
    """
    if last > now + _AHEAD:
        return True
    planned_time = datetime.combine(now.date(), at)
    if weekly:
        planned_time -= timedelta(days=(now.weekday() - _SUNDAY) % 7)
    if planned_time > now:
        planned_time -= timedelta(days=7 if weekly else 1)
    return last < planned_time


def watch(settings: Settings) -> None:
    """Run a backup daily at `SIRENA_BACKUP_AT`, and a restore drill after Sunday's, forever.

    A failed run is printed, noted in the backup state, and repeated hourly until it succeeds.

    Raises:
        UsageError: `SIRENA_BACKUP_AT` is `off`.
    """
    if settings.backup_at == OFF:
        raise UsageError("SIRENA_BACKUP_AT is off", hint="set it to a time of the day, such as 02:30")
    start = datetime.now()
    at = time.fromisoformat(settings.backup_at)
    while True:
        state = read_backup_state(settings)
        for activity, last, weekly in ((Activity.BACKUP, state.backup, False), (Activity.DRILL, state.drill, True)):
            if due(datetime.now(), at, _local(last) if last else start, weekly=weekly) or _to_repeat(last):
                _await_service(settings)
                _run_activity(activity)
        clock.sleep(_LOOK_SECONDS)


def _local(last: LastRun) -> datetime:
    return last.finished.astimezone().replace(tzinfo=None)


def _to_repeat(last: LastRun | None) -> bool:
    return last is not None and last.outcome is not RunOutcome.OK and datetime.now() - _local(last) > _REPEAT_AFTER


def _await_service(settings: Settings) -> None:
    """Wait up to two minutes until the service is ready, so that a backup can record its answers."""
    health = HttpHealth(PartConnections(settings).of_part("service"), "/readyz")
    deadline = clock.monotonic() + _PATIENCE_SECONDS
    while not health.is_well() and clock.monotonic() < deadline:
        clock.sleep(1)


def _run_activity(activity: Activity) -> None:
    print(f"{activity}: begins", flush=True)
    with subprocess.Popen([sys.executable, "-m", "sirena.cli", activity.value]) as process:  # noqa: S603 - our own
        try:
            process.wait()
        except KeyboardInterrupt:
            process.terminate()
            raise
    print(f"{activity}: ended with {process.returncode}", flush=True)
