"""Write docs/reference/commands.md from the program's own ``--help``.

Run it after changing a command; a test compares the document with the program.
"""

from pathlib import Path
from typing import Any

import typer

from sirena.cli import build_app

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"
_WIDTH = 100


def command_reference() -> str:
    """Return the document: one section per command, with its help as the terminal shows it."""
    root = typer.main.get_command(build_app())
    sections = ["# Commands\n\nAs `sirena COMMAND --help` prints them.\n", _section("sirena", root)]
    sections += _descend("sirena", root)
    return "\n".join(sections)


def _descend(path: str, command: Any) -> list[str]:
    found: list[str] = []
    for name, child in getattr(command, "commands", {}).items():
        found.append(_section(f"{path} {name}", child))
        found += _descend(f"{path} {name}", child)
    return found


def _section(path: str, command: Any) -> str:
    context = command.context_class(command, info_name=path, terminal_width=_WIDTH, max_content_width=_WIDTH)
    return f"## {path}\n\n```\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    TARGET.write_text(command_reference(), encoding="utf-8")
