"""``sirena units``: the systemd unit of the stack."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: sirena units --to /etc/systemd/system && systemctl enable --now sirena")
    def units(
        to: Annotated[
            Path | None, typer.Option(help="Folder to write it into; printed when left out.", show_default=False)
        ] = None,
    ) -> None:
        """Write the systemd unit that starts the stack at boot. Bring the stack up once before and take it down."""
        from sirena.operations.settings import load_settings
        from sirena.operations.systemd import unit_text, write_unit

        settings = load_settings()
        typer.echo(unit_text(settings) if to is None else write_unit(settings, to), nl=to is not None)
