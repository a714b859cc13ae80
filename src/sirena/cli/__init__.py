"""The ``sirena`` command: one module for each command; errors and exit codes are handled here.

Exit codes: 0 done; 1 failed; 2 wrong use; 3 refused by a gate; 4 `upgrade --check` found something to do;
5 `drift` found drift.
"""

import atexit
import os
import re
import sys
import threading
import traceback
from collections.abc import Sequence
from gc import set_threshold
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

import typer
from typer.exceptions import TyperException

from sirena import __version__
from sirena.cli.shown import in_lines
from sirena.cli.voice import in_words, say, speaks_spanish
from sirena.domain.errors import SirenaError
from sirena.whonet.errors import folded_key

COMMAND_MODULES: Final[tuple[str, ...]] = (
    "demo",
    "inspect",
    "ask",
    "reference",
    "guideline",
    "rules",
    "train",
    "cells",
    "certify",
    "promote",
    "release",
    "interpret",
    "open",
    "alerts",
    "export",
    "antibiogram",
    "drift",
    "serve",
    "audit",
    "user",
    "token",
    "access_service",
    "pages_service",
    "synthesize",
    "up",
    "status",
    "doctor",
    "upgrade",
    "run",
    "gc",
    "settings",
    "certificate",
    "units",
    "backup",
)
"""Modules of this package that register commands, in the order of `sirena --help`."""
_INTERRUPTED: Final = 130
_OBJECTS_BETWEEN_COLLECTIONS: Final = 500_000
"""Objects made between two garbage collections. Importing MLflow makes a million objects that stay; a collection after
each 700 would take a third of its time. A server sets the usual number again once it has started.
"""


_FIRST_THINGS: Final = """Sirena: from MICs in a WHONET file to S / I / R, with a reason for every answer.

  sirena ask "E. coli" CIP=0.5 "AMK<=2"       one isolate, at once
  sirena inspect FILE                         what a file holds, and what in it cannot be read
  sirena reference FILE -o categories.xlsx    categories for a whole file, by the breakpoints in force

Models of your own begin with `sirena train FILE`; `sirena --help` lists every command."""
"""Printed when no command is given: what a person does first."""


def _version(flag: bool) -> None:
    if flag:
        typer.echo(__version__)
        raise typer.Exit


def build_app(modules: Sequence[str] = COMMAND_MODULES) -> typer.Typer:
    """Return the command-line application with the commands of some modules.

    Command modules import what takes long (Polars, MLflow, Keras) inside their functions, so that ``sirena --help``
    answers at once.

    Args:
        modules: names of command modules; all by default.
    """
    app = typer.Typer(
        name="sirena",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Interpret the MICs of WHONET files as S / I / R: train models, certify them, deploy them on "
        "MLflow, serve them.",
    )

    @app.callback(invoke_without_command=True)
    def root(
        context: typer.Context,
        version: bool = typer.Option(  # noqa: ARG001 - its callback prints it and ends
            False, "--version", callback=_version, is_eager=True, help="Print the version."
        ),
    ) -> None:
        # options may stand before the command
        if context.invoked_subcommand is None:
            say(_FIRST_THINGS)

    for name in modules:
        import_module(f"{__name__}.{name}").register(app)
    return app


def modules_for(arguments: Sequence[str]) -> Sequence[str]:
    """Return the modules that a command line needs; a command starts sooner if the others are not imported.

    >>> modules_for(["ask", "eco", "AMK=2"])
    ('ask',)
    >>> modules_for(["pages-service", "--port", "0"])
    ('pages_service',)
    """
    module = next(iter(arguments), "").replace("-", "_")
    return (module,) if module in COMMAND_MODULES else COMMAND_MODULES


def command() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    if sys.stderr is None:
        # closed by who called, as by `2>&-`; else the next file that is opened would take its place
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - open until the process ends
    try:
        main()
    except SystemExit as end:
        _end_at_once(int(end.code or 0))


def _end_at_once(code: int) -> NoReturn:
    """End the process like an interpreter, but without freeing its memory, which takes a second after loading MLflow.

    If a non-daemon thread still runs, or the printed output cannot be written, the interpreter ends the process as
    usual.
    """
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)


def main() -> NoReturn:
    """Run the command line, print an error as a message without a stack trace, and exit."""
    set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        code = _run(sys.argv[1:])
    except SirenaError as error:
        typer.echo(f"sirena: {in_words(in_lines(error.text))}", err=True)
        if error.hint:
            typer.echo(f"  {in_words('remedy')}: {in_words(in_lines(error.hint))}", err=True)
        code = error.exit_code
    except Exception as error:  # noqa: BLE001 - the last one, reported without its contents
        _tell_unforeseen(error)
        code = 1
    if code == _INTERRUPTED:
        # Typer turns Ctrl-C into this code and says nothing
        say("sirena: interrupted", err=True)
    sys.exit(code)


def _run(arguments: Sequence[str]) -> int:
    """Run a command, print what is wrong with its arguments if they are, and return its exit code."""
    for argument in arguments:
        # `Path`, as which commands take it, would name another object
        if match := re.search(r"s3://.+?/(/|\./).*", argument):
            raise folded_key(match[0])
    root = typer.main.get_command(build_app(modules_for(arguments)))
    if speaks_spanish():
        from sirena.cli.help_words import speak_spanish

        speak_spanish(root)
    try:
        return int(root.main(standalone_mode=False) or 0)
    except TyperException as misuse:
        from sirena.cli.help_words import show_misuse

        show_misuse(misuse)
        return misuse.exit_code
    except typer.Abort:
        say("Aborted!", err=True)
        return 1


def _tell_unforeseen(error: Exception) -> None:
    """Print where an unforeseen error arose, without its text and trace, which may hold a patient's data."""
    if isinstance(error, OSError) and error.strerror:
        say(f"sirena: {error.filename or 'writing'}: {error.strerror}", err=True)
        return
    from sirena.settings.catalogue import load_settings

    package = Path(__file__).parent.parent
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(package)
    ]
    place = f"{Path(frames[-1].filename).relative_to(package)}, line {frames[-1].lineno}" if frames else "the start"
    say(f"sirena: unforeseen error ({type(error).__name__}) at {place}", err=True)
    say("  remedy: report it with the command you gave, without data; SIRENA_TRACE=1 shows the trace", err=True)
    if load_settings().trace:
        traceback.print_exception(error)
