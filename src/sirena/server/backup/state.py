"""How the last backup, restore drill and restore ended, kept in a small file that `sirena status` and monitors read."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sirena.domain.errors import SirenaError
from sirena.host.accounts import OsAccount
from sirena.host.secret_files import write_private
from sirena.settings.catalogue import Settings


class Activity(StrEnum):
    """A kind of run whose end is noted; the value is also the name of its command."""

    BACKUP = "backup"
    DRILL = "drill"
    RESTORE = "restore"


class RunOutcome(StrEnum):
    """How a run ended."""

    OK = "ok"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    """The run was begun and has no noted end: it is in progress, or was killed."""


@dataclass(frozen=True)
class LastRun:
    """The last run of a backup, restore drill or restore."""

    outcome: RunOutcome
    finished: datetime
    """When the run ended, or while unfinished when it began; UTC."""
    snapshot: str = ""
    """Id of the snapshot in the backup repository; empty if there was none."""
    seconds: float = 0.0
    failure: str = ""
    """Text of the error; empty when the run succeeded."""
    succeeded: datetime | None = None
    """When a run of this kind last succeeded, in UTC; None if no run ever succeeded."""

    @property
    def age(self) -> timedelta | None:
        """Time since a run of this kind last succeeded; None if no run ever succeeded."""
        return datetime.now(UTC) - self.succeeded if self.succeeded else None


@dataclass(frozen=True)
class BackupState:
    """The last run of each kind of activity; None for a kind that was never run here."""

    backup: LastRun | None = None
    drill: LastRun | None = None
    restore: LastRun | None = None


class Note:
    """What a run notes while it is running."""

    snapshot: str = ""


def read_backup_state(settings: Settings) -> BackupState:
    """Return how the last runs ended; a file that cannot be read counts as empty."""
    try:
        document = json.loads(_file(settings).read_text(encoding="utf-8"))
        return BackupState(**{Activity(name).value: _run_of(facts) for name, facts in document.items()})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return BackupState()


@contextlib.contextmanager
def noting(settings: Settings, activity: Activity) -> Iterator[Note]:
    """Store how a ``with`` block ends, even by an error. The caller must hold `backup.exclusive`."""
    start, start_time = time.monotonic(), datetime.now(UTC)
    before: LastRun | None = getattr(read_backup_state(settings), activity.value)
    last_success = before.succeeded if before else None
    run = LastRun(RunOutcome.UNFINISHED, start_time, succeeded=last_success)
    _write(settings, activity, run)
    note = Note()
    try:
        yield note
    except BaseException as error:
        is_interrupted = isinstance(error, KeyboardInterrupt)
        text = (
            error.text if isinstance(error, SirenaError) else "interrupted" if is_interrupted else type(error).__name__
        )
        run = replace(run, outcome=RunOutcome.FAILED, failure=text)
        raise
    else:
        run = replace(run, outcome=RunOutcome.OK, succeeded=datetime.now(UTC))
    finally:
        seconds = round(time.monotonic() - start, 1)
        run = replace(run, finished=datetime.now(UTC), seconds=seconds, snapshot=note.snapshot)
        # a full disk is what the run itself tells of; then "unfinished" stays noted
        with contextlib.suppress(OSError):
            _write(settings, activity, run)


def _file(settings: Settings) -> Path:
    return settings.home / "backup" / "state.json"


def _run_of(facts: dict[str, Any]) -> LastRun:
    last_success = facts["succeeded"]
    return LastRun(
        **{
            **facts,
            "outcome": RunOutcome(facts["outcome"]),
            "finished": datetime.fromisoformat(facts["finished"]),
            "succeeded": datetime.fromisoformat(last_success) if last_success else None,
        }
    )


def _write(settings: Settings, activity: Activity, run: LastRun) -> None:
    documents = {**asdict(read_backup_state(settings)), activity.value: asdict(run)}
    file = _file(settings)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = {name: facts for name, facts in documents.items() if facts is not None}
    write_private(file, json.dumps(document, indent=1, default=datetime.isoformat), OsAccount.of_this_process())
