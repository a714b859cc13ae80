"""``sirena units``: writing the systemd units of the stack."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add ``sirena units`` to the command line."""

    @app.command(epilog="Example: sirena units --to /etc/systemd/system && systemctl enable --now sirena")
    def units(
        to: Annotated[
            Path | None,
            typer.Option(help="Folder to write the units to; by default they are printed.", show_default=False),
        ] = None,
        timers: Annotated[
            bool,
            typer.Option(
                "--timers",
                help="Also write services and timers for backup and restore drill (for SIRENA_BACKUP_AT=off).",
            ),
        ] = False,
    ) -> None:
        """Write the systemd unit that starts all parts at boot. Run `sirena up` and `sirena down` once before."""
        from sirena.server.supervision.systemd import schedule_texts, unit_text, write_units
        from sirena.settings.catalogue import load_settings

        settings = load_settings()
        if to is not None:
            for path in write_units(settings, to, timers=timers):
                typer.echo(path)
            return
        texts = [unit_text(settings), *(schedule_texts(settings).values() if timers else ())]
        typer.echo("\n".join(texts), nl=False)
