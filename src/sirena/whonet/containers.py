"""Files that hold a table inside another format: they are unpacked, or refused with advice on what to do.

Rules, each with a test of like name:

- a zip archive with one file in it is read as that file; an archive with several is refused, and they are named;
- a file with a password is refused, and the error says so;
- a web page, XML of Excel 2003, a PDF, a Word document or JSON, is refused by its true format, whatever its name says.
"""

import re
import zipfile
import zlib
from dataclasses import replace
from io import BytesIO
from typing import Final

from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.source import HEAD, Source
from sirena.whonet.workbook import ZIP_MAGIC, damaged, password_protected

OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOKS: Final = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
_ENCRYPTED: Final = tuple(name.encode("utf-16-le") for name in ("EncryptedPackage", "EncryptionInfo"))
_WORD: Final = "WordDocument".encode("utf-16-le")
_MANIFEST: Final = "META-INF/manifest.xml"
_SUSPICIOUS_RATIO: Final = 250

_TEXTS: Final = (
    (
        re.compile(rb"urn:schemas-microsoft-com:office:spreadsheet|<\?mso-application\s+progid=.Excel", re.I),
        "is XML of Excel 2003",
        "Open it in Excel or LibreOffice and save it as .xlsx.",
    ),
    (
        re.compile(rb"\A\s*<(?:!doctype html|html|head|body|table|meta)\b", re.I),
        "is a web page (HTML), whatever its name says",
        "Open it in Excel or LibreOffice and save it as .xlsx.",
    ),
    (re.compile(rb"\A%PDF-"), "is a PDF", "Export the table itself as .csv or .xlsx."),
    (re.compile(rb"\A\{\\rtf"), "is a text document (RTF)", "Export the table itself as .csv or .xlsx."),
    (re.compile(rb"\A\s*<\?xml\b", re.I), "is XML", "Export the table as .csv or .xlsx."),
    (
        re.compile(rb'\A\s*[\[{]\s*(?:[{"\[]|\Z)'),
        "is JSON",
        "Send it to the service (/invocations), or export the table as .csv or .xlsx.",
    ),
    (
        re.compile(rb"\A[\x00-\x20]*(?:MSH|FHS|BHS)\|[\^~\\&]"),
        "is HL7 messages of version 2, which are not read",
        "Export the results as .csv or .xlsx, or send them as FHIR Observations.",
    ),
    (
        re.compile(rb"\A[\x00-\x20]*\d?H\|[\\^&]{3}"),
        "is ASTM messages of an instrument, which are not read",
        "Export the results as .csv or .xlsx.",
    ),
)
_HIGH: Final = re.compile(rb"\A\xef\xbb\xbf")


def refuse_foreign_container(source: Source) -> None:
    """Raise an error if a file is known to be something other than a table.

    Raises:
        UnreadableFileError: the file is of such a format; the error says which, and what to do.

    >>> from sirena.whonet.source import source_of
    >>> refuse_foreign_container(source_of(BytesIO(b"%PDF-1.7"), "2025.csv"))
    Traceback (most recent call last):
    sirena.whonet.errors.UnreadableFileError: 2025.csv: is a PDF
    """
    head = _HIGH.sub(b"", source.head)
    if head.startswith(OLE_MAGIC):
        content = source.content() if source.path is not None else head
        if any(name in content for name in _ENCRYPTED):
            raise password_protected(source.name)
        if _WORD in content:
            raise UnreadableFileError(f"{source.name}: is a Word document", hint="Export the table itself as .csv.")
        return
    for pattern, description, remedy in _TEXTS:
        if pattern.search(head):
            raise UnreadableFileError(f"{source.name}: {description}", hint=remedy)


def unpack_zip(source: Source) -> Source:
    """Return the one file inside a zip archive; a workbook, which is an archive too, is returned unchanged.

    Raises:
        UnreadableFileError: the archive is damaged, has a password, holds no file or several, or unpacks to far more
            bytes than a table has.

    >>> from sirena.whonet.source import source_of
    >>> stream = BytesIO()
    >>> with zipfile.ZipFile(stream, "w") as archive:
    ...     archive.writestr("2025.csv", "ORGANISM,AMK_NM")
    >>> unpack_zip(source_of(BytesIO(stream.getvalue()), "2025.zip")).head
    b'ORGANISM,AMK_NM'
    """
    if not source.head.startswith(ZIP_MAGIC):
        return source
    content = source.content()
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            names = {member.filename for member in members}
            if _MANIFEST in names and b"encryption-data" in archive.read(_MANIFEST):
                raise password_protected(source.name)
            if names.intersection(_WORKBOOKS) or any(name.casefold() in _WORKBOOKS for name in names):
                return _with_content(source, content)
            if any(name.startswith("word/") for name in names):
                raise UnreadableFileError(f"{source.name}: is a Word document", hint="Export the table as .csv.")
            return _only_member(source, archive, members)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, KeyError) as error:
        raise damaged(source.name) from error


def _with_content(source: Source, content: bytes) -> Source:
    return source if source.path is not None else replace(source, content=lambda: content)


def _only_member(source: Source, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Source:
    tables = [member for member in members if not member.filename.startswith("__MACOSX/")]
    if len(tables) != 1:
        raise UnreadableFileError(
            f"{source.name}: is a zip archive of {len(tables)} files", hint="Unpack it and name the one to read."
        )
    member = tables[0]
    if member.flag_bits & 1:
        raise password_protected(source.name)
    if member.file_size > source.bounds.bytes or member.file_size > _SUSPICIOUS_RATIO * max(member.compress_size, HEAD):
        raise UnreadableFileError(f"{source.name}: unpacks to far more than a table would", hint="Unpack it first.")
    table = archive.read(member)
    if not table:
        raise UnreadableFileError(f"{source.name}: the file in the archive is empty", hint="Export it again.")
    return replace(source, path=None, head=table[:HEAD], content=lambda: table, is_packed=True)
