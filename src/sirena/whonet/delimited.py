"""Delimited text: separated by tab, ``|``, ``;`` or comma, with quotes; its header is the first line or below a title.

Arrow's reader parses it and counts the cells of every row. A row with more or fewer cells than the header would put
results under the wrong antimicrobial, so it is an error, which names the row.
"""

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from sirena.whonet.csv_style import CsvStyle
from sirena.whonet.encoding import CodePage, find_encoding, refuse_nul, to_utf8, wide_encoding
from sirena.whonet.errors import UnreadableFileError, no_rows
from sirena.whonet.file import RawTable
from sirena.whonet.header_row import LOOKED_AT, roles_of_cells, split_line
from sirena.whonet.headers import Roles, refuse_duplicates, refuse_foreign
from sirena.whonet.problems import Problem, ProblemClass
from sirena.whonet.quotes import RowLayout, settle_quotes
from sirena.whonet.rows import name_columns, settle
from sirena.whonet.source import HEAD, Source

DELIMITERS: Final = {"\t": "tab", "|": "bar", ";": "semicolon", ",": "comma"}
"""The possible delimiters, and their names in messages."""
_BLOCK: Final = 8 * 1024**2


@dataclass(frozen=True, slots=True)
class Header:
    """The header line of a delimited text, and where it is."""

    headers: list[str]
    delimiter: str
    quote: str
    start: int
    """Position of the line below the header, in bytes."""
    first_row: int
    """Number of the line below the header, from 1."""
    above: int
    """Number of lines above the header that are not part of the table."""


def read_delimited(source: Source) -> RawTable:
    r"""Read a delimited text table.

    Raises:
        UnreadableFileError: no header of a table of isolates, NUL bytes, bytes that do not fit the encoding, rows with
            another number of cells than the header, a quotation mark of unclear meaning, or no isolates.
        DuplicateColumnsError: two columns have one name.

    >>> from sirena.whonet.source import source_of
    >>> text = "Microorganismo;AMK_NM\nEnterococo;<=2\nNeumococo;\n"
    >>> table = read_delimited(source_of(io.BytesIO(text.encode()), "2025.csv"))
    >>> table.detail, table.frame.rows()
    ('delimiter semicolon', [('Enterococo', '<=2'), ('Neumococo', None)])
    """
    look_at_header(source)
    page = find_encoding(content := source.content())
    text = to_utf8(content, page.name, source.name)
    del content
    header = find_header(text, source.name)
    headers, start = header.headers, header.start
    refuse_duplicates(name for name in headers if name)
    if not text[start : start + HEAD].strip():
        raise no_rows(source.name)
    second, _ = line_at(text, start, header.quote)
    width = max(len(headers), len(split_line(second, header.delimiter, header.quote)))
    names = name_columns([*headers, *[""] * (width - len(headers))])
    text = settle_quotes(
        text, start, RowLayout(header.delimiter, len(headers), header.quote), source.name, header.first_row
    )
    frame = _parse(text, names, header, source.name)
    if width > len(headers):
        frame = _without_surplus(frame, names[len(headers) :], len(headers), header.first_row, source.name)
    substitute_names = [name for name, label in zip(names, headers, strict=False) if not label]
    return with_text_facts(
        settle(frame, substitute_names, source.name, header.first_row), header, page, is_packed=source.is_packed
    )


def with_text_facts(table: RawTable, header: Header, page: CodePage, *, is_packed: bool) -> RawTable:
    r"""Return a table with facts about its text file added: encoding, delimiter, lines above the header.

    Args:
        table: the table, from `rows.settle`.
        header: the text's header.
        page: the text's encoding.
        is_packed: whether the file was packed with gzip.

    >>> table = RawTable(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["4"]}))
    >>> header = find_header(b"ORGANISM;AMK_NM\neco;4\n", "2025.csv")
    >>> table = with_text_facts(table, header, CodePage("cp1252"), is_packed=True)
    >>> table.encoding, table.detail
    ('cp1252', 'delimiter semicolon, gzip')
    """
    problems = [Problem(ProblemClass.TITLE_ROW, None, header.above)] if header.above else []
    problems += [Problem(ProblemClass.CODE_PAGE, None, page.doubtful)] if page.doubtful else []
    return replace(
        table,
        encoding=page.name.removesuffix("-sig"),
        detail=f"delimiter {DELIMITERS[header.delimiter]}" + (", gzip" if is_packed else ""),
        problems=(*problems, *table.problems),
        csv_style=CsvStyle(header.delimiter, page.name),
    )


def look_at_header(source: Source) -> None:
    r"""Check that the beginning of a text may be a table, so that random bytes are refused without reading them all.

    Raises:
        UnreadableFileError: the beginning is not that of a table.

    >>> from sirena.whonet.source import source_of
    >>> look_at_header(source_of(io.BytesIO(b"ORGANISM,AMK_NM\neco\nkpn,4\n"), "2025.csv"))
    Traceback (most recent call last):
    sirena.whonet.errors.UnreadableFileError: 2025.csv: row 2 has 1 cells where the header has 2
    """
    head = source.head
    encoding = wide_encoding(head)
    if encoding is None:
        encoding = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "cp1252"
        refuse_nul(head, source.name)
    text = head.decode(encoding, "replace").lstrip("\ufeff").encode()
    header = find_header(text, source.name)
    body = text[header.start :].decode("utf-8", "replace")
    rows = csv.reader(io.StringIO(body, newline=""), delimiter=header.delimiter, quotechar=header.quote)
    width = len(header.headers)
    with contextlib.suppress(csv.Error, StopIteration):
        previous, line = next(rows), rows.line_num  # always one behind: the last row of the beginning may be cut
        for number, following in enumerate(rows, header.first_row):
            if rows.line_num > line + 1:  # over line ends: whether a quotation is one, `settle_quotes` decides
                return
            line = rows.line_num
            if previous and (len(previous) < width or any(previous[width:])):
                raise ragged_row(source.name, number, len(previous), width, 1)
            previous = following


def find_header(text: bytes, file: str) -> Header:
    r"""Return the header: the first line, or the one below Excel's ``sep=;`` or below a title.

    Raises:
        UnreadableFileError: no line names columns of a table of isolates.

    >>> find_header(b"sep=;\nORGANISM;AMK_NM\neco;4\n", "a.csv").headers
    ['ORGANISM', 'AMK_NM']
    """
    first: Roles | None = None
    start = number = 0
    skipped_lines = 0
    while start < len(text) and number < LOOKED_AT:
        line, after = line_at(text, start)
        number += 1
        if number == 1 and _names_separator(line):
            start, skipped_lines = after, 1
            continue
        quote = "'" if line.lstrip().startswith("'") else '"'
        delimiter = find_delimiter(line, quote)
        headers = split_line(line, delimiter, quote)
        roles = roles_of_cells(headers)
        if first is None:
            first = roles
            if not roles.is_foreign:
                return Header(headers, delimiter, quote, after, number + 1, 0)
        elif roles.names_isolates:
            return Header(headers, delimiter, quote, after, number + 1, number - 1 - skipped_lines)
        # a title may hold a lone mark, so that lines above the header end where they end
        start = _physical_end(text, start)
    refuse_foreign(first or roles_of_cells([]), file)
    raise no_rows(file)


def _physical_end(text: bytes, start: int) -> int:
    match = re.compile(rb"\r\n|\n|\r").search(text, start)
    return match.end() if match else len(text)


def find_delimiter(header_line: str, quote: str = '"') -> str:
    """Return the delimiter that gives a header the most known column names; if equal, the most names.

    >>> find_delimiter("ORGANISM;AMK_NM;CIP_NM")
    ';'
    """

    def merit(delimiter: str) -> tuple[int, int]:
        names = split_line(header_line, delimiter, quote)
        return roles_of_cells(names).known_count, len(names)

    return max(DELIMITERS, key=merit)


def _names_separator(line: str) -> bool:
    """Tell whether a line is Excel's own first line, ``sep=;``."""
    return line.strip().casefold().startswith("sep=") and len(line.strip()) == 5


def line_at(text: bytes, start: int, quote: str = '"') -> tuple[str, int]:
    r"""Return the line at a position, and the position of the next; lines end in CR, LF or both, outside quotes.

    >>> line_at(b"ORGANISM,AMK_NM\r\neco,4\r\n", 0)
    ('ORGANISM,AMK_NM', 17)
    """
    limit = start + 16 * HEAD
    end = start
    in_quotes = False
    while end < min(limit, len(text)):
        breaks = [position for mark in (b"\n", b"\r") if (position := text.find(mark, end, limit)) >= 0]
        stop = min(breaks, default=min(limit, len(text)))
        in_quotes ^= text.count(quote.encode(), end, stop) % 2 == 1
        end = stop
        if not in_quotes:
            break
        end += 1
    after = end + (2 if text[end : end + 2] == b"\r\n" else 1)
    return text[start:end].decode("utf-8", "replace"), after


def parse_rows(
    text: pa.Buffer, names: list[str], header: Header, file: str, by_texts: Iterable[str] = ()
) -> tuple[pa.Table, list[tuple[int, int]]]:
    r"""Parse the lines below the header; blank lines become rows of nulls.

    Args:
        text: whole lines, as UTF-8 bytes.
        names: names of all columns.
        header: the text's header.
        file: name of the file, for messages.
        by_texts: columns to be dictionary-encoded: integer codes that stand for texts.

    Returns:
        The rows; and for each row with another number of cells than the header, its position among all rows (1-based)
        and its number of cells.

    Raises:
        UnreadableFileError: a quotation is not closed.

    >>> text = b"ORGANISM,AMK_NM\neco,4\nkpn\n"
    >>> header = find_header(text, "2025.csv")
    >>> table, ragged_rows = parse_rows(pa.py_buffer(text[header.start :]), header.headers, header, "2025.csv")
    >>> table.to_pylist(), ragged_rows
    ([{'ORGANISM': 'eco', 'AMK_NM': '4'}], [(2, 1)])
    """
    ragged_rows: list[tuple[int, int]] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        ragged_rows.append((row.number, row.actual_columns))
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text),
            # Row numbers are known only when one thread reads.
            read_options=arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(
                delimiter=header.delimiter,
                quote_char=header.quote,
                newlines_in_values=True,
                ignore_empty_lines=len(names) == 1,
                invalid_row_handler=note,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string())
                | dict.fromkeys(by_texts, pa.dictionary(pa.int32(), pa.string())),
                strings_can_be_null=True,
                null_values=[""],
                check_utf8=False,  # the text was decoded or checked as a whole
            ),
        )
    except pa.ArrowInvalid as error:
        raise UnreadableFileError(
            f"{file}: the text cannot be read as a table", hint="Look for an open quotation mark, or export it again."
        ) from error
    return table, ragged_rows


def _parse(text: bytes, names: list[str], header: Header, file: str) -> pl.DataFrame:
    table, ragged_rows = parse_rows(pa.py_buffer(text).slice(header.start), names, header, file)
    if ragged_rows:
        number, cells = ragged_rows[0]
        raise ragged_row(file, number - 1 + header.first_row, cells, len(names), len(ragged_rows))
    columns = []
    while table.num_columns:  # each is given back before the next, so that a long file is never held twice
        columns.append(pl.DataFrame(pl.from_arrow(table.select([0]), rechunk=False)).to_series().rechunk())
        table = table.remove_column(0)
    return pl.DataFrame(columns)


def _without_surplus(frame: pl.DataFrame, surplus: list[str], width: int, first_row: int, file: str) -> pl.DataFrame:
    """Drop the empty cells made by a delimiter at each line's end; a value in them is a row with too many cells."""
    has_surplus = frame.select(pl.any_horizontal(pl.col(surplus).is_not_null())).to_series()
    if has_surplus.any():
        raise ragged_row(
            file, int(has_surplus.arg_true()[0]) + first_row, width + len(surplus), width, int(has_surplus.sum())
        )
    return frame.drop(surplus)


def ragged_row(file: str, row: int, cells: int, width: int, count: int) -> UnreadableFileError:
    """Return the error for rows with another number of cells than the header.

    Args:
        file: name of the file, for messages.
        row: number of the first such row.
        cells: number of that row's cells.
        width: number of the header's cells.
        count: number of such rows.

    >>> print(ragged_row("2025.csv", row=7, cells=3, width=4, count=3))
    2025.csv: row 7 has 3 cells where the header has 4, and 2 more rows like it
    """
    others_text = f", and {count - 1} more rows like it" if count > 1 else ""
    return UnreadableFileError(
        f"{file}: row {row} has {cells} cells where the header has {width}{others_text}",
        hint="The file is cut off, or a cell holds the delimiter or an open quotation mark; export it again.",
    )
