"""``sirena backup``, ``restore``, ``drill``."""

from typing import TYPE_CHECKING, Annotated

import typer

from sirena.cli.progress import step_reporter
from sirena.cli.voice import say
from sirena.host.termination import ends_in_order

if TYPE_CHECKING:
    from sirena.settings.catalogue import Settings

_MIB = 2**20


def register(app: typer.Typer) -> None:
    """Add ``sirena backup``, ``sirena restore`` and ``sirena drill`` to the command line."""
    app.command(name="backup", epilog="Example: SIRENA_BACKUP_REPOSITORY=/mnt/nas/sirena sirena backup")(backup)
    app.command(name="restore", epilog="Example: sirena restore --at 2026-11-22")(restore)
    app.command(name="drill", epilog="Example: sirena drill")(drill)


At = Annotated[
    str,
    typer.Option(
        "--at",
        help="Backup to restore: its id, or a date or time (UTC unless it names a zone), which takes the "
        "latest backup up to then; by default the latest.",
        show_default=False,
    ),
]


def backup(
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Back up every day and make a restore drill every week, until SIGTERM; `sirena up` starts this.",
        ),
    ] = False,
) -> None:
    """Back up databases, models and configuration.

    The encrypted repository is checked afterwards, and old backups are removed. The 7 newest daily, 5 weekly and 12
    monthly backups are kept. The service keeps answering meanwhile.
    """
    if watch:
        _keep_watch()
    from sirena.acts.backing_up import make_backup
    from sirena.server.backup.places import password_file

    settings = _settings()
    password = password_file(settings)
    had_password = password.exists()
    try:
        with ends_in_order(), step_reporter() as report_step:
            backup_made = make_backup(settings, report_step)
    finally:
        if password.exists() and not had_password:
            say(
                f"KEEP A COPY of {password} in another place now: without this password the backup is worthless, and "
                "nobody can recover it",
                err=True,
            )
    manifest = backup_made.manifest
    say(
        f"backup {backup_made.snapshot}: {len(manifest.objects):,} objects, "
        f"{sum(sum(tables.values()) for tables in manifest.tables.values()):,} rows, "
        f"{manifest.size / _MIB:,.1f} MiB in {backup_made.seconds:.1f} s, in {backup_made.repository.location}"
    )
    if backup_made.release:
        say(f"answers of {backup_made.release} recorded for the drill")
    else:
        say("the service had no release to answer with: a drill cannot compare answers", err=True)
    if backup_made.left_out:
        say(f"not in the backup, set them again after a restore: {', '.join(backup_made.left_out)}", err=True)
    if backup_made.repository.is_on_this_machine:
        say("this repository is lost together with this machine: set SIRENA_BACKUP_REPOSITORY", err=True)
    elif backup_made.repository.is_on_the_same_disk:
        say(
            "this repository is on the disk of SIRENA_HOME and is lost together with it: check that its own disk is "
            "mounted",
            err=True,
        )
    if backup_made.ahead:
        snapshot_names = ", ".join(f"{snapshot.id} ({snapshot.time:%Y-%m-%d})" for snapshot in backup_made.ahead)
        say(
            f"no old backup was removed, because some have a date in the future: {snapshot_names}; check this "
            "machine's clock with `timedatectl`",
            err=True,
        )


def restore(
    at: At = "",
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Replace the databases that are here; the former ones are kept under other names."
        ),
    ] = False,
) -> None:
    """Restore a backup on this machine.

    The backup holds databases, models and configuration. Run `sirena up` afterwards. The SIRENA_HOME of this machine
    must be empty (you may choose another folder), and no part may run. The machine keeps its own passwords. A restore
    that failed can be repeated safely.
    """
    from sirena.acts.backing_up import restore_backup

    with ends_in_order(), step_reporter() as report_step:
        outcome = restore_backup(_settings(), at, report_step, replace=replace)
    manifest = outcome.manifest
    say(
        f"restored {outcome.snapshot.id} of {outcome.snapshot.time:%Y-%m-%d %H:%M} UTC: "
        f"{len(manifest.objects):,} objects, {sum(sum(tables.values()) for tables in manifest.tables.values()):,} rows"
    )
    say(outcome.configuration)
    say(outcome.record)
    say(
        f"accounts and tokens are those of {outcome.snapshot.time:%Y-%m-%d %H:%M} UTC: what was disabled, revoked or "
        "removed since then is valid again; see `sirena user list` and `sirena token list`"
    )
    say("next: sirena up --profile production")


def drill(at: At = "") -> None:
    """Prove that the latest backup can be restored.

    It is restored beside the running system, checked, and removed again. The drill checks every hash, every row count
    and the hash chain of the audit ledger, and that the restored production release gives exactly the answers that the
    service gave when the backup was made. If a check fails, the drill fails.
    """
    from sirena.acts.backing_up import drill_backup

    with ends_in_order(), step_reporter() as report_step:
        outcome = drill_backup(_settings(), at, report_step)
    say(f"drill of {outcome.snapshot.id} ({outcome.snapshot.time:%Y-%m-%d %H:%M} UTC): {outcome.seconds:.1f} s")
    for sentence in outcome.proofs:
        say(f"  {sentence}")


def _keep_watch() -> None:
    """Back up and drill when it is time, each as a command of its own, so that this process does not load MLflow."""
    from sirena.server.backup.schedule import watch
    from sirena.settings.catalogue import load_settings

    with ends_in_order():
        watch(load_settings())


def _settings() -> "Settings":
    from sirena.acts.stack_choice import chosen_stack

    return chosen_stack("").settings
