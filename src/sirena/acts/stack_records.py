"""Recording in the ledger that the stack was started or stopped, and which settings were changed."""

import typer

from sirena import __version__
from sirena.acts.recording import actor
from sirena.ledger.catalogue import SettingsChanged, Started, Stopped
from sirena.ledger.errors import LedgerError
from sirena.ledger.event import Event
from sirena.ledger.store import open_ledger
from sirena.server.stack import Stack
from sirena.settings.kept import KeptSettings


def record_start(stack: Stack, *, was_running: bool) -> None:
    """Record that the stack was started, and each setting whose value differs from that at the last start.

    Args:
        stack: the stack; it must run, so that its ledger answers.
        was_running: True if the stack ran already, and only changed settings were applied.

    Raises:
        LedgerError: the ledger cannot be written.
    """
    settings = stack.settings
    kept_settings = KeptSettings.of(settings)
    events: list[Event] = [
        SettingsChanged(**actor(settings), setting=change.variable, before=change.before, after=change.after)
        for change in kept_settings.changes(settings)
    ]
    if not was_running:
        events.append(Started(**actor(settings), profile=settings.profile, version=__version__))
    open_ledger(settings).append(*events)
    kept_settings.keep(settings)


def record_stop(stack: Stack) -> None:
    """Record that the stack is being stopped; if the ledger does not answer, print that and continue."""
    try:
        open_ledger(stack.settings).append(Stopped(**actor(stack.settings), profile=stack.settings.profile))
    except LedgerError as error:
        typer.echo(f"not on record: {error.text}", err=True)
