"""Translating the help of commands, and Typer's own texts, into the language of the locale."""

import io
from typing import Any, Final

import typer

from sirena.cli.voice import speaks_spanish
from sirena.texts.catalogue import COMMANDS, read_catalogue
from sirena.texts.language import SPANISH
from sirena.texts.messages import translate

_EXTRAS: Final = "  ["
"""Beginning of what Typer writes after the help of an option: default, bounds, or that it is required."""


class _SpanishFormatter(typer.Context.formatter_class):  # type: ignore[misc, valid-type]
    """Formatter of help texts that translates Typer's own words into Spanish."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        words = " ".join(_word(word) for word in args.split(" "))
        super().write_usage(prog, words, prefix or f"{_word('Usage')}: ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(_word(heading))

    def write_dl(self, rows: Any, *arguments: Any, **options: Any) -> None:
        super().write_dl([(first, _with_extras(second)) for first, second in rows], *arguments, **options)


class _SpanishContext(typer.Context):
    formatter_class = _SpanishFormatter


def speak_spanish(command: Any) -> None:
    """Translate the help of a command, and of its subcommands, into Spanish.

    Args:
        command: the command, as Typer built it.
    """
    command.context_class = _SpanishContext
    for name in ("help", "epilog", "short_help"):
        setattr(command, name, _text(getattr(command, name)))
    for parameter in command.params:
        parameter.help = _text(getattr(parameter, "help", None))
    for child in getattr(command, "commands", {}).values():
        speak_spanish(child)


def show_misuse(error: Any) -> None:
    """Print Typer's error about wrong arguments, in the language of the locale.

    Args:
        error: the error that Typer raised.
    """
    buffer = io.StringIO()
    error.show(file=buffer)
    for line in buffer.getvalue().splitlines():
        typer.echo(translate(line, SPANISH, COMMANDS).text if speaks_spanish() else line, err=True)


def _text(english: str | None) -> str | None:
    return _word(english) if english else english


def _word(english: str) -> str:
    return read_catalogue(COMMANDS).get(english, (english,))[0]


def _with_extras(text: str) -> str:
    """Return an option's help with the part in brackets translated, and Typer's own help texts too."""
    words, bracket, extras = text.rpartition(_EXTRAS)
    if not bracket:
        return _word(text) if not text.startswith("[") else _extras(text)
    return f"{_word(words)}  {_extras('[' + extras)}"


def _extras(text: str) -> str:
    parts = text.removeprefix("[").removesuffix("]").split("; ")
    return f"[{'; '.join(translate(part, SPANISH, COMMANDS).text for part in parts)}]"
