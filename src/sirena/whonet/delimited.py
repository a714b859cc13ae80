"""Delimited text: tab, ``|``, ``;`` or comma, with quotes.

Parsed by Arrow's reader, which counts the cells of every row: a row with more or fewer cells than the header would put
results under the wrong antimicrobial, so it stops the reading and is named.
"""

import codecs
import contextlib
import csv
import io
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from sirena.whonet.encoding import find_encoding, refuse_nul, to_utf8, wide_encoding
from sirena.whonet.errors import UnreadableFileError, no_rows
from sirena.whonet.file import Table
from sirena.whonet.headers import Roles, assign_roles, refuse_duplicates, refuse_foreign
from sirena.whonet.rows import name_columns, settle
from sirena.whonet.source import HEAD, Source

DELIMITERS: Final = {"\t": "tab", "|": "bar", ";": "semicolon", ",": "comma"}
"""Delimiters tried, and how to name them."""
_WIDEST_TABLE: Final = 5000
_BLOCK: Final = 8 * 1024**2


def read_delimited(source: Source) -> Table:
    """Read a delimited text table.

    Raises:
        UnreadableFileError: no header of WHONET's, NUL bytes, text that breaks its encoding, ragged rows, no isolates.
        DuplicateColumnsError: two columns have one name.
    """
    _look_at_header(source)
    encoding = find_encoding(content := source.content())
    text = to_utf8(content, encoding, source.name)
    del content
    line, start = _line(text, 0)
    first_row = 2
    if _names_separator(line):
        line, start = _line(text, start)
        first_row = 3
    delimiter = find_delimiter(line)
    headers = split_line(line, delimiter)
    refuse_duplicates(header for header in headers if header)
    if not text[start : start + HEAD].strip():
        raise no_rows(source.name)
    second, _ = _line(text, start)
    width = max(len(headers), len(split_line(second, delimiter)))
    names = name_columns([*headers, *[""] * (width - len(headers))])
    frame = _parse(text, start, names, delimiter, first_row, source.name)
    if width > len(headers):
        frame = _without_surplus(frame, names[len(headers) :], len(headers), first_row, source.name)
    detail = f"delimiter {DELIMITERS[delimiter]}" + (", gzip" if source.packed else "")
    unnamed = [name for name, header in zip(names, headers, strict=False) if not header]
    return settle(frame, unnamed, source.name, first_row, encoding.removesuffix("-sig"), detail)


def _look_at_header(source: Source) -> None:
    """Look at the beginning only, so that noise of any size is refused at once and without reading it."""
    head = source.head
    encoding = wide_encoding(head)
    if encoding is None:
        encoding = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "cp1252"
        refuse_nul(head, source.name)
    text = head.decode(encoding, "replace").lstrip("\ufeff").encode()
    line, start = _line(text, 0)
    if _names_separator(line):
        line, start = _line(text, start)
    delimiter = find_delimiter(line)
    refuse_foreign(_roles(headers := split_line(line, delimiter)), source.name)
    rows = csv.reader(io.StringIO(text[start:].decode("utf-8", "replace"), newline=""), delimiter=delimiter)
    with contextlib.suppress(csv.Error, StopIteration):
        previous = next(rows)  # always one behind: the last row of the beginning may be cut
        for number, following in enumerate(rows, 2):
            if previous and (len(previous) < len(headers) or any(previous[len(headers) :])):
                raise _ragged(source.name, number, len(previous), len(headers), 1)
            previous = following


def find_delimiter(header_line: str) -> str:
    """Return the delimiter that finds most of WHONET's column names in a header; on a tie the one that splits most."""

    def merit(delimiter: str) -> tuple[int, int]:
        names = split_line(header_line, delimiter)
        roles = _roles(names)
        return len(roles.fields) + len(roles.test_columns), len(names)

    return max(DELIMITERS, key=merit)


def _roles(names: list[str]) -> Roles:
    """Roles of a header that may hold anything at all."""
    distinct = {name.casefold(): name for name in names[:_WIDEST_TABLE] if name}
    return assign_roles(list(distinct.values()))


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line, without surrounding spaces."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]
    return [cell.strip() for cell in cells]


def _names_separator(line: str) -> bool:
    """Tell Excel's own first line, ``sep=;``."""
    return line.strip().casefold().startswith("sep=") and len(line.strip()) == 5


def _line(text: bytes, start: int) -> tuple[str, int]:
    """Return the line at a position and where the next begins; lines end in CR, LF or both, outside quotes."""
    limit = start + 16 * HEAD
    end = start
    quoted = False
    while end < min(limit, len(text)):
        breaks = [position for mark in (b"\n", b"\r") if (position := text.find(mark, end, limit)) >= 0]
        stop = min(breaks, default=min(limit, len(text)))
        quoted ^= text.count(b'"', end, stop) % 2 == 1
        end = stop
        if not quoted:
            break
        end += 1
    after = end + (2 if text[end : end + 2] == b"\r\n" else 1)
    return text[start:end].decode("utf-8", "replace"), after


def _parse(text: bytes, start: int, names: list[str], delimiter: str, first_row: int, file: str) -> pl.DataFrame:
    """Parse the lines below the header; blank lines become rows of nulls."""
    ragged: list[tuple[int, int]] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        ragged.append((row.number - 1 + first_row, row.actual_columns))
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(text).slice(start)),
            # Row numbers are known only when one thread reads.
            read_options=arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=len(names) == 1,
                invalid_row_handler=note,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid as error:
        raise UnreadableFileError(
            f"{file}: the text cannot be read as a table", hint="Look for an open quotation mark, or export it again."
        ) from error
    if ragged:
        raise _ragged(file, *ragged[0], len(names), len(ragged))
    columns = []
    while table.num_columns:  # each is given back before the next, so that a long file is never held twice
        columns.append(pl.DataFrame(pl.from_arrow(table.select([0]), rechunk=False)).to_series().rechunk())
        table = table.remove_column(0)
    return pl.DataFrame(columns)


def _without_surplus(frame: pl.DataFrame, surplus: list[str], width: int, first_row: int, file: str) -> pl.DataFrame:
    """Drop the empty cells that a delimiter at the end of each line makes; values there are a ragged row."""
    filled = frame.select(pl.any_horizontal(pl.col(surplus).is_not_null())).to_series()
    if filled.any():
        raise _ragged(file, int(filled.arg_true()[0]) + first_row, width + len(surplus), width, int(filled.sum()))
    return frame.drop(surplus)


def _ragged(file: str, row: int, cells: int, width: int, count: int) -> UnreadableFileError:
    others = f", and {count - 1} more rows like it" if count > 1 else ""
    return UnreadableFileError(
        f"{file}: row {row} has {cells} cells where the header has {width}{others}",
        hint="The file is cut off, or a cell holds the delimiter or an open quotation mark; export it again.",
    )
