"""The daily backup and the weekly drill, by a part of the stack: works with systemd and without.

Each runs as a command of its own, so what it loads is given back, and what goes wrong in it ends there. The clock on
the wall decides: after a sleep, a stop or a jump of the clock, what was due meanwhile is done once.
"""

import subprocess
import sys
import time as clock
from datetime import datetime, time, timedelta
from typing import Final

from sirena.operations.backup_state import Activity, LastRun, read_backup_state
from sirena.operations.settings import Settings

_SUNDAY: Final = 6
_LOOK_SECONDS: Final = 30.0


def due(now: datetime, at: time, last: datetime, *, weekly: bool = False) -> bool:
    """Tell whether an activity is due.

    Args:
        now: local time.
        at: time of the day.
        last: when it last began or ended, or when the watch began; local time.
        weekly: Sundays only.
    """
    planned = datetime.combine(now.date(), at)
    if weekly:
        planned -= timedelta(days=(now.weekday() - _SUNDAY) % 7)
    if planned > now:
        planned -= timedelta(days=7 if weekly else 1)
    return last < planned


def watch(settings: Settings) -> None:
    """Back up daily at `SIRENA_BACKUP_AT` and drill on Sundays after it, for ever; a failure is told and noted."""
    begun = datetime.now()
    at = time.fromisoformat(settings.backup_at)
    while True:
        state = read_backup_state(settings)
        for activity, last, weekly in ((Activity.BACKUP, state.backup, False), (Activity.DRILL, state.drill, True)):
            if due(datetime.now(), at, _last(last, begun), weekly=weekly):
                _run(activity)
        clock.sleep(_LOOK_SECONDS)


def _last(last: LastRun | None, begun: datetime) -> datetime:
    return last.finished.astimezone().replace(tzinfo=None) if last else begun


def _run(activity: Activity) -> None:
    print(f"{activity}: begins", flush=True)
    ended = subprocess.run([sys.executable, "-m", "sirena.cli", activity.value], check=False)  # noqa: S603 - our own
    print(f"{activity}: ended with {ended.returncode}", flush=True)
