"""Workbooks of the four formats that Sirena reads, written by hand, with each cell at a chosen place.

Libraries that write workbooks place cells only as in a table; people's mistakes and attackers do not.
"""

import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

_OFFICE: Final = "http://schemas.openxmlformats.org"
_OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns"
_SECTOR: Final = 512
_STREAM: Final = 4096
"""Shortest stream of an .xls that lies in sectors of its own."""
_END, _FAT, _FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


@dataclass(frozen=True)
class Cell:
    """A text at a place in a sheet."""

    row: int
    """From 0."""
    column: int
    """From 0."""
    text: str

    @property
    def reference(self) -> str:
        """The place as Excel writes it: ``A1``."""
        letters, number = "", self.column + 1
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(ord("A") + rest) + letters
        return f"{letters}{self.row + 1}"


def xlsx(cells: Sequence[Cell], *, equals: str = "=") -> bytes:
    """Return an Excel workbook; ``equals`` is the text between an attribute of a cell and the attribute's value."""
    rows = "".join(
        f'<row><c r{equals}"{cell.reference}" t="str"><v>{cell.text}</v></c></row>'
        for cell in sorted(cells, key=lambda cell: (cell.row, cell.column))
    )
    sheet = f'<worksheet xmlns="{_OFFICE}/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'
    book = (
        f'<workbook xmlns="{_OFFICE}/spreadsheetml/2006/main" '
        f'xmlns:r="{_OFFICE}/officeDocument/2006/relationships"><sheets>'
        '<sheet name="isolates" sheetId="1" r:id="r1"/></sheets></workbook>'
    )
    return _office("xml", book.encode(), sheet.encode())


def xlsb(cells: Sequence[Cell]) -> bytes:
    """Return a binary Excel workbook."""
    named = _record12(156, struct.pack("<II", 0, 1) + _wide("r1") + _wide("isolates"))
    book = b"".join([_record12(131), _record12(143), named, _record12(144), _record12(132)])
    last = (max(cell.row for cell in cells), max(cell.column for cell in cells))
    rows = b"".join(
        _record12(0, struct.pack("<IIHBHI", cell.row, 0, 300, 0, 0, 0))
        + _record12(6, struct.pack("<II", cell.column, 0) + _wide(cell.text))
        for cell in cells
    )
    extent = _record12(148, struct.pack("<IIII", 0, last[0], 0, last[1]))
    sheet = b"".join([_record12(129), extent, _record12(145), rows, _record12(146), _record12(130)])
    return _office("bin", book, sheet)


def ods(rows: str) -> bytes:
    """Return a LibreOffice workbook with rows in its format's XML."""
    namespaces = " ".join(f'xmlns:{name}="{_OASIS}:{name}:1.0"' for name in ("office", "table", "text"))
    content = (
        f"<office:document-content {namespaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="isolates">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = f'<manifest:manifest xmlns:manifest="{_OASIS}:manifest:1.0"/>'
    return _archive(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": manifest.encode(),
            "content.xml": content.encode(),
        }
    )


def ods_row(*texts: str, rows: int = 1, columns: int = 1) -> str:
    """Return a row that is repeated ``rows`` times, with each cell repeated ``columns`` times."""
    cells = "".join(
        f'<table:table-cell office:value-type="string" table:number-columns-repeated="{columns}">'
        f"<text:p>{text}</text:p></table:table-cell>"
        for text in texts
    )
    return f'<table:table-row table:number-rows-repeated="{rows}">{cells}</table:table-row>'


def xls(cells: Sequence[Cell]) -> bytes:
    """Return a workbook in the format of Excel 97."""
    labels = b"".join(
        _record8(0x0204, struct.pack("<HHHHB", cell.row, cell.column, 0, len(cell.text), 0) + cell.text.encode())
        for cell in cells
    )
    sheet = _record8(0x0809, struct.pack("<HHHHII", 0x0600, 16, 0, 0, 0, 0)) + labels + _record8(0x000A)
    return _compound((_book8(len(_book8(0))) + sheet).ljust(_STREAM, b"\0"))


def _book8(place: int) -> bytes:
    """Return the records that say where the only sheet begins in the stream."""
    begin, name = struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0), b"isolates"
    named = struct.pack("<IBBBB", place, 0, 0, len(name), 0) + name
    return _record8(0x0809, begin) + _record8(0x0085, named) + _record8(0x000A)


def _compound(stream: bytes) -> bytes:
    """Return a compound file with one stream, ``Workbook``: sector table, directory, stream."""
    sectors = len(stream) // _SECTOR
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, _STREAM, _END, 0, _END, 0) + struct.pack("<I", 0)
    head += struct.pack("<I", _FREE) * 108
    chain = [_FAT, _END, *range(3, sectors + 2), _END]
    table = struct.pack(f"<{_SECTOR // 4}I", *chain, *[_FREE] * (_SECTOR // 4 - len(chain)))
    folder = _folder_entry("Root Entry", 5, child=1, start=_END, size=0)
    folder += _folder_entry("Workbook", 2, child=_FREE, start=2, size=len(stream))
    return head + table + folder + bytes(_SECTOR - len(folder)) + stream


def _folder_entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    entry = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text) + 2, kind, 1, _FREE, _FREE, child)
    return entry + bytes(36) + struct.pack("<IQ", start, size)


def _office(suffix: str, book: bytes, sheet: bytes) -> bytes:
    package, document = f"{_OFFICE}/package/2006", f"{_OFFICE}/officeDocument/2006/relationships"

    def relation(kind: str, target: str) -> bytes:
        return (
            f'<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="r1" Type="{document}/{kind}" Target="{target}"/></Relationships>'
        ).encode()

    types = (
        f'<Types xmlns="{package}/content-types"><Default Extension="{suffix}" ContentType="application/xml"/></Types>'
    )
    return _archive(
        {
            "[Content_Types].xml": types.encode(),
            "_rels/.rels": relation("officeDocument", f"xl/workbook.{suffix}"),
            f"xl/workbook.{suffix}": book,
            f"xl/_rels/workbook.{suffix}.rels": relation("worksheet", f"worksheets/sheet1.{suffix}"),
            f"xl/worksheets/sheet1.{suffix}": sheet,
        }
    )


def _archive(files: dict[str, bytes]) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def _record12(kind: int, content: bytes = b"") -> bytes:
    named = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(content)
    return named + (bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])) + content


def _record8(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
