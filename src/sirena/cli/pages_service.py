"""``sirena pages-service``: the pages behind the entry."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="pages-service")(pages_service)


def pages_service(
    socket: Annotated[Path, typer.Option(help="Unix socket to listen on, in a folder NGINX alone may enter.")],
    desk: Annotated[Path, typer.Option(help="Unix socket of the access service where what happens goes on record.")],
) -> None:
    """Show files and isolates in browsers to whoever the entry lets in, until SIGTERM; `sirena up` starts it.

    The active release answers, and until there is one the guideline editions in force. No file that somebody opens is
    written to a disk; it is gone when the session ends, and after 30 minutes without a look.

    Example: sirena pages-service --socket doors/pages/socket --desk doors/desk/socket
    """
    import resource

    from sirena.acts.judged_panel import JudgedPanelSource
    from sirena.acts.local_rules import local_rules_of
    from sirena.cli.pages_answers import AnswersNow, EditionsNow, audit_labels_of, evidence_of_models
    from sirena.cli.pages_desk import PagesDesk
    from sirena.cli.pages_models import models_of
    from sirena.guidelines.editions import Editions
    from sirena.ledger.store import open_ledger
    from sirena.server.parts.doors import Door
    from sirena.serving.holder import PanelHolder
    from sirena.serving.server import bind_path, run_until_signal, url_of
    from sirena.settings.catalogue import load_settings
    from sirena.web.application import create_entry_pages
    from sirena.web.opened_files import OpenedFiles
    from sirena.web.other_editions import OtherEditions

    # a process that breaks leaves no file of what it held in memory
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    settings = load_settings()
    bound = bind_path(socket)
    holder = PanelHolder(JudgedPanelSource(settings, open_ledger(settings)), poll_seconds=settings.poll_seconds)
    asking = PagesDesk(Door("http://desk", socket=desk))
    rules = local_rules_of(settings, behind_entry=True)
    editions = EditionsNow(settings, rules)
    answering = AnswersNow(holder, editions)
    others = OtherEditions(Editions(settings.editions_folder), editions.overlay)
    house = models_of(settings)
    sides = (others, house, evidence_of_models, audit_labels_of, rules)
    app = create_entry_pages(answering, OpenedFiles(), asking.record, asking.open_sessions, *sides)
    typer.echo(f"Sirena shows pages: {url_of(bound)}", err=True)
    holder.start()
    try:
        run_until_signal(app, bound)
    finally:
        holder.stop()
