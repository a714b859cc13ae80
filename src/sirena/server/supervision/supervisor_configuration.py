"""Writing supervisord's configuration: each part as a program, in the order of their start."""

import os
import sys
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import jinja2

from sirena.host.accounts import PreparationError
from sirena.host.environment import import_path
from sirena.server.parts.part import Part


def configuration_text(folder: Path, logs: Path, parts: Iterable[Part]) -> str:
    """Return the text of supervisord's configuration.

    Args:
        folder: folder of the supervisor's own files.
        logs: folder of the parts' logs.
        parts: the parts, in the order of their start.

    Raises:
        PreparationError: a path or setting holds a character that the configuration cannot hold.
    """
    template = jinja2.Template(
        files(__package__).joinpath("templates/supervisord.conf.j2").read_text(encoding="utf-8"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,
    )
    template.globals["quoted"] = _quoted_text
    text: str = template.render(
        folder=_escaped_text(str(folder)),
        logs=_escaped_text(str(logs)),
        python=sys.executable,
        import_path=import_path(),
        parts=list(parts),
        is_root=os.getuid() == 0,
    )
    return text


def _escaped_text(text: str) -> str:
    """Return a text with ``%`` doubled, since supervisord expands it in every value."""
    return text.replace("%", "%%")


def _quoted_text(text: str) -> str:
    """Return a word in quotes, as supervisord reads it; it knows no escapes, so some characters are refused."""
    if any(letter in text for letter in '"\\\n'):
        raise PreparationError(
            "a quotation mark or backslash in a path or setting cannot be handed to the supervisor",
            hint="choose paths and names without them",
        )
    return f'"{_escaped_text(text)}"'
