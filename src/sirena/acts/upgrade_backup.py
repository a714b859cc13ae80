"""Keeping the state before an upgrade, and restoring it for `sirena upgrade --back`.

In the production profile the state is kept as a backup, in the embedded profile as copies of the SQLite files.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sirena.acts.backing_up import make_backup, restore_backup
from sirena.acts.recording import actor
from sirena.acts.upgrade_look import own_files
from sirena.database.mlflow_database import copy_sqlite
from sirena.domain.errors import UsageError
from sirena.host.accounts import OsAccount
from sirena.host.secret_files import write_private
from sirena.ledger.store import open_ledger
from sirena.server.steps import Tell
from sirena.settings.catalogue import Settings


@dataclass(frozen=True)
class UpgradeBackup:
    """Record of the state before the last upgrade, from which `sirena upgrade --back` restores that state."""

    former: str
    """Release of Sirena before the upgrade."""
    release: str
    """Release of Sirena after the upgrade."""
    at: str
    """When the state was kept, UTC, ISO 8601."""
    snapshot: str
    """Id of the backup, or folder of the copies; empty if nothing was kept."""
    due: tuple[str, ...] = ()
    """What was to be changed, a sentence each."""

    def is_of_the_same(self, former: str, release: str, due: Sequence[str]) -> bool:
        """Tell whether an earlier attempt of the same upgrade, which changed only a part, kept this state."""
        return (self.former, self.release) == (former, release) and set(due) < set(self.due)


def keep(
    settings: Settings, former: str, release: str, due: Sequence[str], tell: Tell, *, renounced: bool
) -> UpgradeBackup:
    """Keep the current state before an upgrade, and return a record of where it is kept.

    If an interrupted upgrade is repeated, the state kept by the first attempt stays: no release of Sirena could work
    with the state that the interrupted upgrade left.

    Args:
        settings: settings of the installation; in the production profile its databases and object store must answer.
        former: release of Sirena before the upgrade.
        release: release of Sirena after the upgrade.
        due: what is to be changed, one sentence for each change.
        tell: called with a text at each step.
        renounced: True to keep nothing.

    Raises:
        SirenaError: the state cannot be kept; then the upgrade must not begin.
    """
    with suppress(UsageError):
        earlier_backup = read_upgrade_backup(settings)
        if earlier_backup.is_of_the_same(former, release, due):
            tell(f"the state before the attempt of {earlier_backup.at} stays the way back")
            return earlier_backup
    now = datetime.now(UTC)
    snapshot = ""
    if not renounced:
        tell("backup")
        snapshot = _back_up(settings, tell) if settings.profile == "production" else str(_copy(settings, now))
    backup = UpgradeBackup(former, release, now.isoformat(timespec="seconds"), snapshot, tuple(due))
    write_private(_note(settings), json.dumps(asdict(backup), indent=1) + "\n", OsAccount.of_this_process())
    return backup


def read_upgrade_backup(settings: Settings) -> UpgradeBackup:
    """Return the record of the state before the last upgrade.

    Raises:
        UsageError: nothing was upgraded here, or the upgrade was made without a backup.
    """
    try:
        backup = UpgradeBackup(**json.loads(_note(settings).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError(f"nothing was upgraded in {settings.home}") from None
    if not backup.snapshot:
        raise UsageError(
            f"the upgrade of {backup.at} was made without a backup",
            hint="`sirena restore --at DATE` puts back an earlier one, if there is one",
        )
    return backup


def go_back(settings: Settings, backup: UpgradeBackup, tell: Tell) -> None:
    """Restore the state before an upgrade; all parts are stopped, and stay so.

    Raises:
        SirenaError: the state cannot be restored.
    """
    if settings.profile == "production":
        _restore(settings, backup.snapshot, tell)
        return
    folder = Path(backup.snapshot)
    for copy in sorted(folder.rglob("*.db")):
        tell(copy.name)
        copy_sqlite(copy, settings.home / copy.relative_to(folder))
    if (folder / "ledger").is_dir():
        facts = actor(settings)
        ledger = open_ledger(settings)
        # what was written since the copy is not there any more, and the ledger says so
        ledger.resume(who=facts["who"], origin=facts["origin"], reason=f"upgrade to {backup.release} taken back")
        ledger.close()


def _copy(settings: Settings, now: datetime) -> Path:
    folder = settings.home / "before-upgrade" / f"{now:%Y%m%dT%H%M%SZ}"
    if settings.database_url.get_secret_value():
        raise UsageError(
            "accounts and ledger lie in SIRENA_DATABASE_URL, which Sirena does not back up",
            hint="back that database up, then say --no-backup",
        )
    for file in own_files(settings):
        target = folder / file.relative_to(settings.home)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.touch(mode=0o600)
        copy_sqlite(file, target)
    return folder


def _back_up(settings: Settings, tell: Tell) -> str:

    return make_backup(settings, tell, before_upgrade=True).snapshot


def _restore(settings: Settings, snapshot: str, tell: Tell) -> None:

    restore_backup(settings, snapshot, tell, replace=True)


def _note(settings: Settings) -> Path:
    return settings.home / "upgrade.json"
