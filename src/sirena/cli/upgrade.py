"""``sirena upgrade``: from the release that ran here to the one that is installed now, and back."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.voice import say

if TYPE_CHECKING:
    from sirena.cli.upgrade_look import Finding
    from sirena.operations.stack import Stack
    from sirena.operations.steps import Tell

NEEDED: Final = 4
"""Exit code of `--check` when there is something to do."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="upgrade", epilog="Example: sirena upgrade --check; sirena upgrade")(upgrade)


def upgrade(
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would be done; exit code 4 when there is something.")
    ] = False,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Renounce the backup, and with it the way back.")
    ] = False,
    back: Annotated[
        bool, typer.Option("--back", help="Put back what was there before the last upgrade, and stay down.")
    ] = False,
) -> None:
    """Bring the databases to the installed release: end the stack, back up, change the tables, start, look.

    First install the new package. Changed are MLflow's tables and ours, each in one transaction or not at all, so
    repeating an upgrade that failed is safe. Or go back: `sirena upgrade --back` with the new package, then install
    the former one and `sirena up`.
    """
    from sirena.cli.progress import told
    from sirena.cli.stack_choice import chosen_stack
    from sirena.cli.upgrade_look import look
    from sirena.domain.errors import UsageError

    if sum((check, no_backup, back)) > 1:
        raise UsageError("--check, --no-backup and --back exclude each other")
    stack = chosen_stack("")
    with told() as tell:
        if back:
            _go_back(stack, tell)
            return
        findings = look(stack)
    due = [finding for finding in findings if finding.is_due]
    _print(findings)
    if check and due:
        say("an upgrade is needed: sirena upgrade")
        raise typer.Exit(NEEDED)
    if not due:
        say("nothing to upgrade")
        return
    if check:
        return
    with told() as tell:
        _upgrade(stack, findings, tell, renounced=no_backup)


def _upgrade(stack: "Stack", findings: "list[Finding]", tell: "Tell", *, renounced: bool) -> None:
    from sirena import __version__
    from sirena.cli.recording import recorded
    from sirena.cli.stack_choice import note_release
    from sirena.cli.way_back import keep
    from sirena.domain.errors import SirenaError
    from sirena.ledger.catalogue import Upgraded
    from sirena.operations.accounts import PreparationError
    from sirena.operations.store_file import StoreFile

    # what `up` would refuse afterwards is refused while everything still runs
    StoreFile(stack.settings).require_size()
    former = findings[0].found
    changed = tuple(str(finding) for finding in findings[1:] if finding.is_due)
    production = stack.settings.profile == "production"
    ran = stack.supervisor.is_running()
    _drain(stack, tell)
    kept = False
    try:
        with recorded(stack.settings, Upgraded, release=__version__, former=former, changed=changed) as act:
            way = keep(stack.settings, former, __version__, changed, tell, renounced=renounced)
            act.learn(snapshot=way.snapshot)
            kept = bool(way.snapshot)
            _change(stack, tell)
            if production or ran:
                stack.bring_up(tell)
    except (SirenaError, OSError) as error:
        # down, so that the way back is open
        stack.take_down()
        remedy = "repeat `sirena upgrade`"
        if kept:
            remedy += f"; or go back: `sirena upgrade --back`, install Sirena {former}, `sirena up`"
        cause = error if isinstance(error, SirenaError) else PreparationError(f"{error.filename}: {error.strerror}")
        raise type(cause)(f"the upgrade failed, everything is down: {cause.text}", hint=remedy) from error
    note_release(stack)
    say(f"upgraded: {'; '.join(changed) or f'Sirena {former} to {__version__}'}")
    if way.snapshot:
        say(f"the state before: {way.snapshot}; back to it: sirena upgrade --back")


def _drain(stack: "Stack", tell: "Tell") -> None:
    """End everything in order, then start what keeps data, alone: nobody can change anything through it but us."""
    tell("ending the stack")
    stack.take_down()
    if stack.settings.profile == "production":
        stack.bring_up_stores(tell)


def _change(stack: "Stack", tell: "Tell") -> None:
    from sirena.cli.tables import bring_to_head, writer_of
    from sirena.cli.upgrade_look import entered, mlflow_database
    from sirena.operations.mlflow_database import installed_revision

    with entered(stack) as settings:
        mlflow = mlflow_database(stack)
        if mlflow is not None and mlflow.revision() not in ("", installed_revision()):
            tell("MLflow's tables")
            mlflow.upgrade()
        tell("tables of accounts and ledger")
        if stack.settings.profile == "production":
            stack.database().hand_over_tables()
        bring_to_head(settings, writer_of(settings))


def _go_back(stack: "Stack", tell: "Tell") -> None:
    from sirena.cli.stack_choice import note_release
    from sirena.cli.way_back import go_back, noted

    way = noted(stack.settings)
    tell("ending the stack")
    stack.take_down()
    go_back(stack.settings, way, tell)
    note_release(stack, way.former)
    say(f"the state before the upgrade of {way.at} is back; now install Sirena {way.former} and say `sirena up`")


def _print(findings: "list[Finding]") -> None:
    from sirena.cli.sections import Section, print_sections

    rows = [
        (one.what, one.found or "nothing yet", one.needed, "to be changed" if one.is_due else "") for one in findings
    ]
    print_sections([Section("Revisions", rows, ("of", "found", "needed", ""))])
