"""Printing sections of a report: as tables with colour on a terminal, as aligned plain text into a pipe."""

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import typer

from sirena.cli.shown import in_lines
from sirena.cli.voice import in_words


@dataclass(frozen=True)
class Section:
    """A titled table, or a titled list of sentences when it has no columns."""

    title: str
    rows: Sequence[Sequence[str]]
    columns: Sequence[str] = ()
    """Headings; a heading that begins with ``#`` is shown without it and right-aligned."""
    note: str = ""
    """Sentence below the table."""
    words: Collection[int] = ()
    """Numbers, from 0, of the columns whose cells are Sirena's own words, to be translated."""

    def in_words(self) -> "Section":
        """Return the section in the language of the locale; texts from files or people are not translated."""
        rows = [
            tuple(in_words(cell) if number in self.words else cell for number, cell in enumerate(row))
            for row in self.rows
        ]
        return replace(
            self,
            title=in_words(self.title),
            rows=rows,
            columns=tuple(map(in_words, self.columns)),
            note=in_words(self.note),
        )


def print_sections(sections: Iterable[Section]) -> None:
    """Print sections one after the other; a section without rows and note is left out."""
    for section in sections:
        if section.rows or section.note:
            if sys.stdout.isatty():
                _print_rich(section.in_words())
            else:
                _print_plain(section.in_words())


def _print_rich(section: Section) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(
        title=Text(section.title), title_justify="left", show_header=bool(section.columns), caption_justify="left"
    )
    for heading in section.columns or [""] * max(map(len, section.rows), default=1):
        table.add_column(heading.removeprefix("#"), justify="right" if heading.startswith("#") else "left")
    for row in section.rows:
        table.add_row(*(Text(in_lines(cell)) for cell in row))
    if section.rows:
        console.print(table)
    if section.note:
        console.print(Text(in_lines(section.note)))


def _print_plain(section: Section) -> None:
    typer.echo(section.title)
    lines = [tuple(heading.removeprefix("#") for heading in section.columns)] if section.columns else []
    lines += [tuple(map(in_lines, row)) for row in section.rows]
    right = {number for number, heading in enumerate(section.columns) if heading.startswith("#")}
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)] if lines else []
    for line in lines:
        cells = (
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        typer.echo(f"  {'  '.join(cells)}".rstrip())
    if section.note:
        typer.echo(f"  {in_lines(section.note)}")
    typer.echo("")
