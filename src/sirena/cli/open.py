"""``sirena open``: Sirena's pages for one person on their own machine."""

import webbrowser
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from sirena.cli.voice import say

_EXAMPLE: Final = "Example: sirena open hospital.sir"


def register(app: typer.Typer) -> None:
    """Add ``sirena open`` to the command line."""
    app.command("open", epilog=_EXAMPLE)(open_pages)


def open_pages(
    file: Annotated[
        Path | None, typer.Argument(help="WHONET file of any format to show; you can open more on the pages.")
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(
            help="Release whose models are used: active, latest, or a name; by default the guideline editions are used."
        ),
    ] = None,
    guideline: Annotated[
        list[str] | None,
        typer.Option(help="Edition for the columns of its guideline; by default the newest in force. May be repeated."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Also open the address in a browser.")] = True,
) -> None:
    """Show files and isolates in a browser on this machine.

    Each result has S / I / R and its reason. The command runs until Ctrl-C. Only somebody who has the printed address
    can open the pages. No data leaves this machine, and no file that you drop on a page is written to a disk; patients'
    names, numbers and birth dates are removed as the file is read.
    """
    from sirena.acts.local_rules import local_rules_of
    from sirena.acts.recording import actor
    from sirena.acts.training_evidence import evidence_of
    from sirena.cli.pages_answers import answers_for, audit_labels_of, models_of
    from sirena.guidelines.editions import Editions
    from sirena.serving.server import bind, run_until_signal, url_of
    from sirena.settings.catalogue import load_settings
    from sirena.web.answers_now import EditionsNow
    from sirena.web.application import create_pages
    from sirena.web.opened_file import open_whonet_file
    from sirena.web.opened_files import OpenedFiles
    from sirena.web.other_editions import OtherEditions
    from sirena.web.visitors import ENTER, new_key
    from sirena.whonet.reading import read_file

    settings = load_settings()
    rules = local_rules_of(settings)
    all_editions = Editions(settings.editions_folder)
    editions = EditionsNow(all_editions, rules, guideline or [])
    answers = answers_for(release, []) if release else editions()
    files = OpenedFiles()
    if file is not None:
        files.add(open_whonet_file(file.name, read_file(file), answers))
    key = new_key()
    listener = bind("127.0.0.1", port)
    address = f"{url_of(listener)}{ENTER}{key}"
    say(f"Sirena: {address}")
    if browser:
        webbrowser.open(address)
    other_editions = OtherEditions(all_editions, editions.overlay)
    sides = (models_of(settings), evidence_of, audit_labels_of, rules, partial(actor, settings))
    run_until_signal(create_pages(answers if release else editions, files, key, other_editions, *sides), listener)
