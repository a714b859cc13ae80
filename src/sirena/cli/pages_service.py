"""``sirena pages-service``: the pages as a part of the stack."""

import resource
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from sirena.serving.holder import PanelHolder
    from sirena.settings.catalogue import Settings


def register(app: typer.Typer) -> None:
    """Add ``sirena pages-service`` to the command line."""
    app.command(name="pages-service")(pages_service)


def pages_service(
    socket: Annotated[
        Path | None, typer.Option(help="Unix socket to listen on, in a folder that only NGINX may enter.")
    ] = None,
    desk: Annotated[
        Path | None,
        typer.Option(help="Unix socket of the access service, which writes the pages' events to the audit ledger."),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Loopback port to listen on, on one person's machine.")
    ] = 0,
    key: Annotated[Path | None, typer.Option(help="File of the key with which this person opens the pages.")] = None,
) -> None:
    """Serve Sirena's pages; `sirena up` starts this.

    They show files and isolates in a browser, until SIGTERM. On a server, everybody whom the entry lets in can use the
    pages (--socket, --desk); on one person's machine, the person who has the key (--port, --key). Categories come from
    the active release, or from the guideline editions in force while there is no release. A file that somebody opens is
    never written to a disk; it is removed from memory when the session ends, or after 30 minutes without use.

    Example: sirena pages-service --socket doors/pages/socket --desk doors/desk/socket
    """
    from sirena.acts.judged_panel import JudgedPanelSource
    from sirena.ledger.store import open_ledger
    from sirena.serving.holder import PanelHolder
    from sirena.serving.server import bind, bind_path, run_until_signal, url_of
    from sirena.settings.catalogue import load_settings

    if (socket is None) == (key is None) or (socket is None) != (desk is None):
        raise UsageError("name --socket and --desk, or --port and --key", hint="`sirena up` does")
    # a process that breaks leaves no file of what it held in memory
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    settings = load_settings()
    listener = bind("127.0.0.1", port) if socket is None else bind_path(socket)
    holder = PanelHolder(JudgedPanelSource(settings, open_ledger(settings)), poll_seconds=settings.poll_seconds)
    app = _application(holder, settings, desk, "" if key is None else key.read_text(encoding="utf-8"))
    typer.echo(f"Sirena shows pages: {url_of(listener)}", err=True)
    holder.start()
    try:
        run_until_signal(app, listener)
    finally:
        holder.stop()


def _application(holder: "PanelHolder", settings: "Settings", desk: Path | None, key: str) -> "ASGIApp":
    """Return the application of the pages: behind the entry if there is a desk, else for the holder of the key."""
    from sirena.acts.local_rules import local_rules_of
    from sirena.acts.recording import actor
    from sirena.acts.training_evidence import evidence_of
    from sirena.cli.pages_answers import audit_labels_of, models_of
    from sirena.cli.pages_desk import PagesDesk
    from sirena.guidelines.editions import Editions
    from sirena.server.parts.connections import PartConnection
    from sirena.web.answers_now import AnswersNow, EditionsNow
    from sirena.web.application import create_entry_pages, create_pages
    from sirena.web.opened_files import OpenedFiles
    from sirena.web.other_editions import OtherEditions

    rules = local_rules_of(settings, behind_entry=desk is not None)
    all_editions = Editions(settings.editions_folder)
    editions = EditionsNow(all_editions, rules)
    answering = AnswersNow(holder, editions)
    other_editions = OtherEditions(all_editions, editions.overlay)
    sides = (other_editions, models_of(settings), evidence_of, audit_labels_of, rules)
    if desk is None:
        return create_pages(answering, OpenedFiles(), key, *sides, partial(actor, settings))
    asking = PagesDesk(PartConnection("http://desk", socket=desk))
    return create_entry_pages(answering, OpenedFiles(), asking.record, asking.open_sessions, *sides)
