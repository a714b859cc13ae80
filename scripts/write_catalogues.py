"""Update the Spanish catalogues from the source: new texts are added without translation, unused ones removed.

Run this after changing a text, then fill in the Spanish in ``src/sirena/texts/locale``; tests compare.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import typer

sys.path.insert(0, str(Path(__file__).resolve().parent))

from message_extraction import messages

from sirena.cli import build_app
from sirena.texts.catalogue import COMMANDS, MESSAGES, read_catalogue
from sirena.texts.messages import PLACE

OF_TYPER: Final = (
    *("Usage", "Options", "Commands", "Arguments", "[OPTIONS]", "COMMAND", "[ARGS]..."),
    *("Show this message and exit.", "Install completion for the current shell."),
    "Show completion for the current shell, to copy it or customize the installation.",
    *("required", "default: %(default)s", "env var: %(variable)s"),
    *("Usage: %(usage)s", "Try '%(command)s' for help.", "Error: %(message)s"),
    *("Missing argument '%(name)s'.", "Missing option '%(name)s'.", "Missing command."),
    *("No such option: %(name)s", "No such option: %(name)s (Possible options: %(names)s)"),
    *("No such command '%(name)s'.", "No such command '%(name)s'. Did you mean '%(other)s'?"),
    *("Got unexpected extra argument(s) (%(names)s)", "Option '%(name)s' requires an argument."),
    *("Option '%(name)s' does not take a value.", "Invalid value for '%(name)s': %(why)s"),
    "Value error, '%(value)s' is not one of %(choices)s.",
    "Input should be a valid integer, unable to parse string as an integer",
    *("Input should be greater than or equal to %(number)s", "Input should be less than or equal to %(number)s"),
)
"""What Typer says itself."""
_HEAD: Final = """msgid ""
msgstr ""
"Language: es\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""


def command_texts() -> dict[str, str]:
    """Return every text of the commands' help with the first command that has it, and Typer's own words."""
    texts = dict.fromkeys(OF_TYPER, "Typer")
    for text, command in _helps("sirena", typer.main.get_command(build_app())):
        texts.setdefault(text, command)
    return texts


def _helps(path: str, command: Any) -> Iterable[tuple[str, str]]:
    parameters = (getattr(parameter, "help", None) for parameter in command.params)
    for text in (command.help, command.epilog, command.short_help, *parameters):
        if text:
            yield text, path
    for name, child in getattr(command, "commands", {}).items():
        yield from _helps(f"{path} {name}", child)


def catalogue_text(texts: Mapping[str, str], spanish: Mapping[str, tuple[str, ...]]) -> str:
    """Return a catalogue, in the order of the source.

    Args:
        texts: texts, with the place of each.
        spanish: translations so far, by English text.
    """
    return "\n".join([_HEAD, *(_entry(text, place, spanish.get(text, ("",))) for text, place in texts.items())])


def _entry(english: str, place: str, forms: tuple[str, ...]) -> str:
    lines = [f"#: {place}", *(["#, python-format"] if PLACE.search(english) else []), f"msgid {_quoted(english)}"]
    if len(forms) == 1:
        lines.append(f"msgstr {_quoted(forms[0])}")
    else:
        lines.append(f"msgid_plural {_quoted(english)}")
        lines += [f"msgstr[{number}] {_quoted(form)}" for number, form in enumerate(forms)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in (lines if len(lines) == 1 else ["", *lines]))


if __name__ == "__main__":
    for path, texts in ((COMMANDS, command_texts()), (MESSAGES, messages())):
        known = read_catalogue(path) if path.exists() else {}
        path.write_text(catalogue_text(texts, known), encoding="utf-8")
        missing = [text for text in texts if not any(known.get(text, ()))]
        print(f"{path.name}: {len(texts)} texts, {len(missing)} without Spanish")
