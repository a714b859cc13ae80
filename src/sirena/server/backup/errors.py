"""Errors of backup, restore and drill."""

from sirena.domain.errors import SirenaError, UsageError


class BackupError(SirenaError):
    """A step of a backup, restore or drill failed; what was there before is unchanged."""

    code = "backup"
    status = 500


class BackupRunningError(BackupError):
    """Another backup, restore, drill or collection of the same `SIRENA_HOME` is under way."""

    code = "backup_running"
    status = 409


class DamagedBackupError(BackupError):
    """What was read from the repository is not what was saved."""

    code = "backup_damaged"


class DrillError(BackupError):
    """A drill restored a backup beside the running system, and the result differs from what was backed up."""

    code = "drill"


class RestoreRefusedError(UsageError):
    """The machine to restore onto is not empty, or its stack runs."""

    code = "restore_refused"
