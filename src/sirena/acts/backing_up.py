"""Backup, restore and restore drill: one at a time, noted for `sirena status`, and recorded in the ledger."""

from contextlib import closing, suppress

from pydantic import SecretStr

from sirena.acts.backup_proof import prove
from sirena.acts.recording import actor, recorded
from sirena.database.schema import SchemaError
from sirena.domain.errors import UsageError
from sirena.ledger.catalogue import BackedUp, Restored
from sirena.ledger.store import open_ledger
from sirena.server.backup.drilling import DrillResult
from sirena.server.backup.drilling import drill as put_back_beside
from sirena.server.backup.exclusive import exclusive
from sirena.server.backup.making import MadeBackup, back_up, require_production
from sirena.server.backup.repository import Snapshot
from sirena.server.backup.restoring import RestoredBackup, restore
from sirena.server.backup.state import Activity, noting
from sirena.server.steps import Tell
from sirena.settings.catalogue import Settings


def make_backup(settings: Settings, tell: Tell, *, before_upgrade: bool = False) -> MadeBackup:
    """Make a backup of a running production stack.

    Args:
        settings: settings of the installation.
        tell: called with a text at each step.
        before_upgrade: True for the backup to which `sirena upgrade --back` returns.

    Raises:
        SirenaError: a step failed; `sirena status` shows the failure from now on.
    """
    require_production(settings)
    with (
        exclusive(settings, "backup"),
        noting(settings, Activity.BACKUP) as note,
        recorded(settings, BackedUp) as act,
    ):
        backup = back_up(settings, tell, before_upgrade=before_upgrade)
        note.snapshot = backup.snapshot
        act.learn(snapshot=backup.snapshot, size=backup.manifest.size)
    return backup


def drill_backup(settings: Settings, at: str, tell: Tell) -> DrillResult:
    """Restore a backup into a copy next to the running system, to prove that the backup can be restored.

    Raises:
        SirenaError: the backup did not prove restorable; `sirena status` shows the failure from now on.
    """
    require_production(settings)
    with (
        exclusive(settings, "drill"),
        noting(settings, Activity.DRILL) as note,
        recorded(settings, Restored, snapshot=at or "latest", drill=True) as act,
    ):
        drill = put_back_beside(settings, at, prove, tell)
        note.snapshot = drill.snapshot.id
        act.learn(snapshot=drill.snapshot.id)
    return drill


def restore_backup(settings: Settings, at: str, tell: Tell, *, replace: bool) -> RestoredBackup:
    """Restore a backup on this machine.

    Raises:
        SirenaError: the backup was not restored; what was here before is unchanged.
    """
    require_production(settings)
    with exclusive(settings, "restore"), noting(settings, Activity.RESTORE) as note:
        restoration = restore(settings, at, tell, _put_on_record, replace=replace)
        note.snapshot = restoration.snapshot.id
    return restoration


def _put_on_record(settings: Settings, snapshot: Snapshot) -> str:
    """Record the restore in the restored ledger.

    If the head files of the former ledger are ahead of the restored ledger, it is continued, with an entry on what was
    lost (`LedgerResumed`), as by `sirena audit resume`.
    """
    try:
        _resume_and_record(settings, snapshot)
    except SchemaError as error:
        return f"not on record, since {error.text}; {error.hint}"
    return "on record in the restored audit ledger"


def _resume_and_record(settings: Settings, snapshot: Snapshot) -> None:
    # the passwords were made by this restore, perhaps; settings read before it do not know of them
    own = settings.model_copy(update={"database_url": SecretStr(settings.own_database_url)})
    facts = actor(settings)
    with closing(open_ledger(own)) as ledger:
        # a fresh machine has lost nothing
        with suppress(UsageError):
            ledger.resume(
                who=facts["who"], origin=facts["origin"], reason=f"backup {snapshot.id} put back by sirena restore"
            )
        ledger.append(Restored(**facts, snapshot=snapshot.id))
