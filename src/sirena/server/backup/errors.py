"""Errors of backup, restore and restore drill."""

from sirena.domain.errors import SirenaError, UsageError


class BackupError(SirenaError):
    """A step of a backup, restore or restore drill failed; what was there before is unchanged."""

    code = "backup"
    status = 500


class BackupRunningError(BackupError):
    """Another backup, restore, restore drill or collection (`sirena gc`) of the same `SIRENA_HOME` is running."""

    code = "backup_running"
    status = 409


class DamagedBackupError(BackupError):
    """What was read from the backup repository is not what was saved."""

    code = "backup_damaged"


class DrillError(BackupError):
    """A restore drill restored a backup, and the result differs from what was backed up."""

    code = "drill"


class RestoreRefusedError(UsageError):
    """The machine to restore onto is not empty, or its stack runs."""

    code = "restore_refused"
