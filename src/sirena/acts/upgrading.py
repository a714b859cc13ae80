"""Upgrading a stack, and taking the upgrade back, recorded in the ledger."""

from sirena import __version__
from sirena.acts.recording import recorded
from sirena.acts.stack_choice import note_release
from sirena.acts.tables import bring_to_head, writer_of
from sirena.acts.upgrade_backup import UpgradeBackup, go_back, keep, read_upgrade_backup
from sirena.acts.upgrade_look import UpgradeFinding, entered, mlflow_database
from sirena.database.mlflow_database import installed_revision
from sirena.domain.errors import SirenaError
from sirena.host.accounts import PreparationError
from sirena.ledger.catalogue import Upgraded
from sirena.server.object_store.store_file import StoreFile
from sirena.server.production_stack import ProductionStack
from sirena.server.stack import Stack
from sirena.server.steps import Tell


def upgrade_stack(stack: Stack, findings: list[UpgradeFinding], tell: Tell, *, renounced: bool) -> UpgradeBackup:
    """Stop the stack, back up, upgrade the tables, start the stack again; return where the former state is kept.

    Args:
        stack: the stack to upgrade.
        findings: findings from `upgrade_look.look`.
        tell: called with a text at each step.
        renounced: True to make no backup.

    Raises:
        SirenaError: the upgrade failed and all parts are stopped; the hint says how to go on and how to go back.
    """
    # what `up` would refuse afterwards is refused while everything still runs
    StoreFile(stack.settings).require_size()
    former = findings[0].revision
    changes = tuple(str(finding) for finding in findings[1:] if finding.is_due)
    production = isinstance(stack, ProductionStack)
    ran = stack.supervisor.is_running()
    _drain(stack, tell)
    is_backed_up = False
    try:
        with recorded(stack.settings, Upgraded, release=__version__, former=former, changed=changes) as act:
            backup = keep(stack.settings, former, __version__, changes, tell, renounced=renounced)
            act.learn(snapshot=backup.snapshot)
            is_backed_up = bool(backup.snapshot)
            _change(stack, tell)
            if production or ran:
                stack.bring_up(tell)
    except (SirenaError, OSError) as error:
        # down, so that one can go back
        stack.take_down()
        remedy = "repeat `sirena upgrade`"
        if is_backed_up:
            remedy += f"; or go back: `sirena upgrade --back`, install Sirena {former}, `sirena up`"
        cause = error if isinstance(error, SirenaError) else PreparationError(f"{error.filename}: {error.strerror}")
        raise type(cause)(f"the upgrade failed, everything is down: {cause.text}", hint=remedy) from error
    note_release(stack)
    return backup


def _drain(stack: Stack, tell: Tell) -> None:
    """Stop all parts in order, then start only the databases and the object store, which nobody else can reach then."""
    tell("ending the stack")
    stack.take_down()
    if isinstance(stack, ProductionStack):
        stack.bring_up_stores(tell)


def _change(stack: Stack, tell: Tell) -> None:
    with entered(stack) as settings:
        mlflow = mlflow_database(stack)
        if mlflow is not None and mlflow.revision() not in ("", installed_revision()):
            tell("MLflow's tables")
            mlflow.upgrade()
        tell("tables of accounts and ledger")
        bring_to_head(settings, writer_of(settings))


def take_upgrade_back(stack: Stack, tell: Tell) -> UpgradeBackup:
    """Restore the state before the last upgrade, leave the stack stopped, and return what was restored."""
    backup = read_upgrade_backup(stack.settings)
    tell("ending the stack")
    stack.take_down()
    go_back(stack.settings, backup, tell)
    note_release(stack, backup.former)
    return backup
