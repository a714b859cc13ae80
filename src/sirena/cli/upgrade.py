"""``sirena upgrade``: upgrading from the release that ran here to the one installed now, and going back."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena import __version__
from sirena.cli.progress import step_reporter
from sirena.cli.sections import Section, print_sections
from sirena.cli.voice import say
from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    from sirena.acts.upgrade_look import UpgradeFinding

NEEDED: Final = 4
"""Exit code of `--check` when an upgrade is needed."""


def register(app: typer.Typer) -> None:
    """Add ``sirena upgrade`` to the command line."""
    app.command(name="upgrade", epilog="Example: sirena upgrade --check; sirena upgrade")(upgrade)


def upgrade(
    check: Annotated[
        bool,
        typer.Option("--check", help="Only print what would be changed; exit code 4 if there is something to change."),
    ] = False,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Upgrade without a backup; --back is then not possible.")
    ] = False,
    back: Annotated[
        bool,
        typer.Option("--back", help="Restore the databases from before the last upgrade, and leave all parts stopped."),
    ] = False,
) -> None:
    """Upgrade the databases to the installed version.

    The steps are: stop all parts, back up, change the tables, start, check. Install the new package first. MLflow's
    tables and Sirena's are changed, each in one transaction, so that an upgrade that failed can be repeated safely. To
    go back, run `sirena upgrade --back` with the new package, then install the former one and run `sirena up`.
    """
    from sirena.acts.stack_choice import chosen_stack
    from sirena.acts.upgrade_look import look
    from sirena.acts.upgrading import take_upgrade_back, upgrade_stack

    if sum((check, no_backup, back)) > 1:
        raise UsageError("--check, --no-backup and --back exclude each other")
    stack = chosen_stack("")
    with step_reporter() as report_step:
        if back:
            backup = take_upgrade_back(stack, report_step)
            say(
                f"the state before the upgrade of {backup.at} is restored; now install Sirena {backup.former} "
                "and run `sirena up`"
            )
            return
        findings = look(stack)
    due_findings = [finding for finding in findings if finding.is_due]
    _print(findings)
    if check and due_findings:
        say("an upgrade is needed: sirena upgrade")
        raise typer.Exit(NEEDED)
    if not due_findings:
        say("nothing to upgrade")
        return
    if check:
        return
    with step_reporter() as report_step:
        backup = upgrade_stack(stack, findings, report_step, renounced=no_backup)
    former = findings[0].revision
    say(f"upgraded: {'; '.join(backup.due) or f'Sirena {former} to {__version__}'}")
    if backup.snapshot:
        say(f"the former state is in {backup.snapshot}; to return to it: sirena upgrade --back")


def _print(findings: "list[UpgradeFinding]") -> None:
    rows = [
        (
            finding.subject,
            finding.revision or "nothing yet",
            finding.needed_revision,
            "to be changed" if finding.is_due else "",
        )
        for finding in findings
    ]
    print_sections([Section("Revisions", rows, ("of", "found", "needed", ""))])
