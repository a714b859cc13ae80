"""dBASE III and IV, FoxPro and Visual FoxPro tables: the form of WHONET's older files (suffix: the laboratory's code).

The records have a fixed width, so whole columns are cut out with NumPy: fifty thousand isolates with eighty columns
take a second. The libraries for this format read record by record (minutes), choose the file by its suffix, cannot read
dBASE IV and turn names into capitals. So this module reads the format itself, and the tests compare it with one of
them.

Source: "Xbase file format description" (dBASE header, field descriptors, language drivers).
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from sirena.whonet.encoding import CodePage, likelier_code_page
from sirena.whonet.errors import UnreadableFileError, no_rows
from sirena.whonet.file import RawTable
from sirena.whonet.headers import assign_roles, refuse_duplicates, refuse_foreign
from sirena.whonet.numbers import spell_numbers
from sirena.whonet.problems import FIRST_ROWS, Problem, ProblemClass
from sirena.whonet.source import Source

_VERSIONS: Final = {
    0x02: "FoxBASE",
    0x03: "dBASE III",
    0x04: "dBASE IV",
    0x05: "dBASE V",
    7: "dBASE 7",
    0x30: "Visual FoxPro",
    0x31: "Visual FoxPro",
    0x32: "Visual FoxPro",
    0x43: "dBASE IV",
    0x63: "dBASE IV",
    0x83: "dBASE III with memo",
    0x8B: "dBASE IV with memo",
    0xCB: "dBASE IV with memo",
    0xF5: "FoxPro with memo",
}
_CODE_PAGES: Final = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x08: "cp865", 0x09: "cp437", 0x0A: "cp850", 0x0B: "cp437",
    0x0D: "cp437", 0x0E: "cp850", 0x0F: "cp437", 0x10: "cp850", 0x11: "cp437", 0x12: "cp850", 0x14: "cp850",
    0x15: "cp437", 0x16: "cp850", 0x17: "cp865", 0x18: "cp437", 0x19: "cp437", 0x1A: "cp850", 0x1B: "cp437",
    0x1D: "cp850", 0x1F: "cp852", 0x24: "cp860", 0x25: "cp850", 0x37: "cp850", 0x40: "cp852", 0x57: "cp1252",
    0x58: "cp1252", 0x59: "cp1252", 0x64: "cp852", 0x65: "cp866", 0xC8: "cp1250", 0xC9: "cp1251", 0xCA: "cp1254",
    0xCB: "cp1253", 0xCC: "cp1257",
}  # fmt: skip
"""Language driver of the header → Python's codec, for the single-byte code pages."""

_FIELD_TYPES: Final = frozenset(b"CNFLDMGBPTIY@O+0VQW")
_WIDTHS: Final = {"I": 4, "+": 4, "Y": 8, "T": 8, "@": 8, "D": 8, "L": 1, "O": 8}
"""Field types whose width is fixed, and that width."""
_DESCRIPTOR: Final = 32
_START_7, _DESCRIPTOR_7, _DBASE_7 = 68, 48, 0x04
_VERSION_7: Final = 7
"""Stands for dBASE 7, whose first byte is the same as dBASE IV's."""
_PLAIN_TYPES: Final = frozenset("CNFDLMBG")
"""Types whose cells dBASE 7 writes as dBASE IV does."""
_END_OF_FIELDS: Final = 0x0D
_YEAR_1, _UNIX_EPOCH, _YEAR_10000 = 1_721_426, 2_440_588, 5_373_485
"""Julian day numbers of the first day of year 1, of 1970 and of year 10000."""
_DAY: Final = 86_400_000
_DELETED: Final = ord("*")
_FIRST_LETTER_BEYOND_ASCII: Final = 0x80
_MOST_CELLS: Final = 2_000
"""Most cells of a field by which the code page is determined, spread over the whole file."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: bytes
    kind: str
    start: int
    width: int
    decimals: int


@dataclass(frozen=True, slots=True)
class _Header:
    version: int
    records: int
    start: int
    width: int
    language: int
    fields: tuple[_Field, ...]


def is_dbase(head: bytes) -> bool:
    """Tell whether a file is a dBASE table, by its header: version, sizes that fit, known types of fields.

    >>> import pathlib, tempfile
    >>> from sirena.whonet.dbase_writing import write_dbase
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "2025.dbf")
    ...     write_dbase(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["4"]}), path)
    ...     is_dbase(path.read_bytes()), is_dbase(b"ORGANISM,AMK_NM")
    (True, False)
    """
    return _parse_header(head) is not None


def _parse_header(head: bytes) -> _Header | None:
    return _parse_old_header(head) or _parse_header_7(head)


def _parse_header_7(head: bytes) -> _Header | None:
    """Return the header of a dBASE 7 table: 68 bytes, then descriptors of 48 bytes with names of 32."""
    if len(head) < _START_7 + _DESCRIPTOR_7 or head[0] != _DBASE_7:
        return None
    records, start, width = struct.unpack_from("<IHH", head, 4)
    fields: list[_Field] = []
    position, offset = 1, _START_7
    while offset + _DESCRIPTOR_7 <= len(head) and head[offset] != _END_OF_FIELDS:
        name, kind, size, decimals = struct.unpack_from("<32scBB", head, offset)
        if kind[0] not in _FIELD_TYPES or not name.strip(b"\0 "):
            return None
        fields.append(_Field(name.split(b"\0")[0].strip(), chr(kind[0]), position, size, decimals))
        position += size
        offset += _DESCRIPTOR_7
    if not fields or position != width or start <= offset:
        return None
    return _Header(_VERSION_7, records, start, width, 0, tuple(fields))


def _parse_old_header(head: bytes) -> _Header | None:
    if len(head) < 2 * _DESCRIPTOR or head[0] not in _VERSIONS:
        return None
    records, start, width = struct.unpack_from("<IHH", head, 4)
    end = head.find(_END_OF_FIELDS, _DESCRIPTOR)
    while end >= 0 and end % _DESCRIPTOR:
        end = head.find(_END_OF_FIELDS, end + 1)
    if end < 2 * _DESCRIPTOR or start <= end or width < 2:
        return None
    fields: list[_Field] = []
    position = 1
    for offset in range(_DESCRIPTOR, end, _DESCRIPTOR):
        descriptor = head[offset : offset + _DESCRIPTOR]
        kind, size, decimals = descriptor[11], descriptor[16], descriptor[17]
        if kind not in _FIELD_TYPES or not descriptor[:11].strip(b"\0 ") or size != _WIDTHS.get(chr(kind), size):
            return None
        if chr(kind) == "C":
            size, decimals = size + 256 * decimals, 0  # FoxPro and Clipper: long texts
        fields.append(_Field(descriptor[:11].split(b"\0")[0].strip(), chr(kind), position, size, decimals))
        position += size
    if position != width:
        fields, position = _without_long_texts(fields)
    return _Header(head[0], records, start, width, head[29], tuple(fields)) if position == width else None


def _without_long_texts(fields: list[_Field]) -> tuple[list[_Field], int]:
    """Return the fields with one-byte widths, and the record's width: some writers leave rubbish in the second byte."""
    laid_out: list[_Field] = []
    position = 1
    for field in fields:
        width = field.width % 256 if field.kind == "C" else field.width
        laid_out.append(_Field(field.name, field.kind, position, width, field.decimals))
        position += width
    return laid_out, position


def read_dbase(source: Source) -> RawTable:
    """Read a dBASE table; deleted records are left out and reported as a problem.

    Raises:
        UnreadableFileError: the header is damaged, the file is cut off, a field's type has no text, or there are no
            isolates.
        DuplicateColumnsError: two fields have one name.

    >>> import pathlib, tempfile
    >>> from sirena.whonet import dbase_writing, source
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "2025.dbf")
    ...     dbase_writing.write_dbase(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["4"]}), path)
    ...     read_dbase(source.open_source(path)).frame.rows()
    [('eco', '4')]
    """
    header = _parse_header(source.head)
    if header is None:
        raise UnreadableFileError(f"{source.name}: the dBASE header is damaged", hint="Export the file again.")
    if header.version == _VERSION_7 and (other_kinds := {field.kind for field in header.fields} - _PLAIN_TYPES):
        raise UnreadableFileError(
            f"{source.name}: is dBASE 7 with fields of type {', '.join(sorted(other_kinds))}, which are not read",
            hint="Save it as dBASE IV or .csv.",
        )
    content = source.content()
    records, surplus = _cut_records(content, header, source.name)
    declared_page = _CODE_PAGES.get(header.language)
    page = _find_code_page(records, header.fields, declared_page)
    encoding = page.name
    names = [field.name.decode(encoding, "replace") for field in header.fields]
    refuse_duplicates(names)
    refuse_foreign(assign_roles(names), source.name)
    is_deleted = records[:, 0] == _DELETED
    numbers = tuple(int(position) + 1 for position in np.flatnonzero(is_deleted))
    if len(numbers) == len(records):
        raise no_rows(source.name)
    live_records = records[~is_deleted] if numbers else records
    problems = [Problem(ProblemClass.DELETED_RECORD, None, len(numbers), numbers[:FIRST_ROWS])] if numbers else []
    if surplus:
        problems.append(Problem(ProblemClass.TRAILING_BYTES, None, surplus))
    if page.doubtful:
        problems.append(Problem(ProblemClass.CODE_PAGE, None, page.doubtful))
    columns: dict[str, pl.Series] = {}
    for name, field in zip(names, header.fields, strict=True):
        if field.kind == "0":  # Visual FoxPro's null flags are no data
            continue
        columns[name], lost = _read_field(live_records, field, encoding, name)
        if lost:
            problems.append(Problem(ProblemClass.MEMO, name, lost))
    detail = _VERSIONS[header.version]
    if encoding not in (declared_page, "cp1252"):
        detail += f", {encoding} by the letters of the whole file" + (
            f", not {declared_page} as it says" if declared_page else ""
        )
    return RawTable(pl.DataFrame(columns), encoding, 1, numbers, tuple(problems), detail)


def _find_code_page(records: NDArray[np.uint8], fields: tuple[_Field, ...], declared_page: str | None) -> CodePage:
    """Return the code page by the letters of all text fields; UTF-8 if they are, which no dBASE header can declare."""
    parts: list[bytes] = []
    beyond_ascii = records.max(axis=0, initial=0) >= _FIRST_LETTER_BEYOND_ASCII
    for field in fields:
        place = slice(field.start, field.start + field.width)
        if field.kind == "C" and beyond_ascii[place].any():
            cells = records[:, place]
            foreign = cells[(cells >= _FIRST_LETTER_BEYOND_ASCII).any(axis=1)]
            foreign = foreign[:: 1 + len(foreign) // _MOST_CELLS]
            parts.append(np.pad(foreign, ((0, 0), (0, 1)), constant_values=ord(" ")).tobytes())
    content = b"".join(parts)
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    # the end of a field may cut a letter in two
    if sum(not letter.isascii() for letter in set(text)) - bool(broken) > 0 and broken * 10 <= len(content) - len(text):
        return CodePage("utf-8")
    return likelier_code_page(content, declared_page)


def _cut_records(content: bytes, header: _Header, file: str) -> tuple[NDArray[np.uint8], int]:
    """Return the records as bytes, of shape (records, width), and the number of bytes after the last record."""
    present = (len(content) - header.start) // header.width
    if present < header.records:
        raise UnreadableFileError(
            f"{file}: cut off: its header promises {header.records} records and {max(present, 0)} are there",
            hint="Copy or export it again.",
        )
    if header.records == 0:
        raise no_rows(file)
    size = header.records * header.width
    surplus = content[header.start + size :].rstrip(b"\x1a\0 \r\n")
    block = np.frombuffer(content, np.uint8, size, header.start)
    return block.reshape(header.records, header.width), len(surplus)


def _read_field(records: NDArray[np.uint8], field: _Field, encoding: str, name: str) -> tuple[pl.Series, int]:
    """Return a column, and the number of its cells that refer to a memo file."""
    cells = np.ascontiguousarray(records[:, field.start : field.start + field.width])
    match field.kind:
        case "C" | "V":
            text = _texts(cells, encoding).str.strip_chars_end(" \0")
        case "N" | "F":
            text = _texts(cells, encoding).str.strip_chars(" \0")
            if field.decimals:
                text = (
                    text.str.replace(r"^([+-]?\d*\.\d*?)0+$", "$1")
                    .str.replace(r"\.$", "")
                    .str.replace(r"^([+-]?)\.", "${1}0.")
                )
        case "D":
            text = _texts(cells, encoding).str.strip_chars(" \0").str.replace(r"^(\d{4})(\d{2})(\d{2})$", "$1-$2-$3")
            text = text.replace("00000000", "")
        case "L":
            text = _texts(cells, encoding).str.strip_chars(" ?\0")
        case "I" | "+":
            text = pl.Series(cells.view("<i4").ravel()).cast(pl.String)
        case "B" | "O" if field.width == 8:
            text = spell_numbers(pl.Series(cells.view("<f8").ravel()))
        case "Y":
            text = spell_numbers(pl.Series(cells.view("<i8").ravel()) / 10_000)
        case "T" | "@":
            text = _timestamps(cells)
        case _:
            has_content = (cells.reshape(len(cells), -1) != ord(" ")).any(axis=1) & (
                cells.reshape(len(cells), -1) != 0
            ).any(axis=1)
            return pl.Series(name, [None] * len(cells), dtype=pl.String), int(has_content.sum())
    return text.set(text == "", None).alias(name), 0


def _timestamps(cells: NDArray[np.uint8]) -> pl.Series:
    """Return Visual FoxPro's timestamps, a Julian day number and milliseconds, as texts."""
    days, milliseconds = cells.view("<i4").reshape(-1, 2).astype(np.int64).T
    possible = (days >= _YEAR_1) & (days < _YEAR_10000) & (milliseconds >= 0) & (milliseconds < _DAY)
    stamps = np.where(possible, (days - _UNIX_EPOCH) * _DAY + milliseconds, 0)
    text = pl.Series(stamps).cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%d %H:%M:%S")
    return text.set(pl.Series(~possible), "(no date)").set(pl.Series(days == 0), "")


def _texts(cells: NDArray[np.uint8], encoding: str) -> pl.Series:
    """Return one column's bytes, of shape (records, width), as texts, without a loop over single cells."""
    count, width = cells.shape
    if encoding == "utf-8" and cells.size and cells.max() >= _FIRST_LETTER_BEYOND_ASCII:
        return pl.Series([cell.tobytes().decode(encoding, "replace") for cell in cells], dtype=pl.String)
    if cells.size and cells.max() >= _FIRST_LETTER_BEYOND_ASCII:
        table = [bytes([byte]).decode(encoding, "replace") for byte in range(256)]
        lengths = np.array([len(character.encode()) for character in table], dtype=np.int64)
        data = cells.tobytes().decode(encoding, "replace").encode()
        offsets = np.concatenate(([0], np.cumsum(lengths[cells].sum(axis=1))))
    else:
        data = cells.tobytes()
        offsets = np.arange(count + 1, dtype=np.int64) * width
    array = pa.LargeStringArray.from_buffers(
        count, pa.py_buffer(offsets.astype(np.int64).tobytes()), pa.py_buffer(data)
    )
    return pl.Series(pl.from_arrow(array))
