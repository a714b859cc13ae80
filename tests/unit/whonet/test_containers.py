"""Files inside files, and files that are something else: read, or called what they are."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.reading import read_file
from sirena.whonet.writing import write_file
from tests.workbook_files import ods, ods_row

TABLE = b"ORGANISM,AMK_NM\neco,4\n"


def archive(**members: bytes) -> bytes:
    """Return a zip archive."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in members.items():
            written.writestr(name, data)
    return content.getvalue()


def test_an_archive_of_one_file_is_read_as_that_file(tmp_path: Path) -> None:
    """Text, or a workbook, in a zip as it comes by e-mail."""
    (tmp_path / "a.zip").write_bytes(archive(isolates=TABLE))
    assert read_file(tmp_path / "a.zip").frame.rows() == [("eco", "4")]
    write_file(read_file(tmp_path / "a.zip").frame, tmp_path / "book.xlsx")
    (tmp_path / "b.zip").write_bytes(archive(book=(tmp_path / "book.xlsx").read_bytes()))
    assert read_file(tmp_path / "b.zip").frame.rows() == [("eco", "4")]


def test_an_archive_of_several_files_says_so(tmp_path: Path) -> None:
    """Which one is meant cannot be known."""
    (tmp_path / "a.zip").write_bytes(archive(one=TABLE, two=TABLE))
    with pytest.raises(UnreadableFileError, match="zip archive of 2 files"):
        read_file(tmp_path / "a.zip")


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    """It would fill the memory."""
    (tmp_path / "a.zip").write_bytes(archive(one=TABLE + b"eco,4\n" * 5_000_000))
    with pytest.raises(UnreadableFileError, match="far more than a table"):
        read_file(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<html><body><table><tr><td>ORGANISM</td></tr></table></body></html>", "web page"),
        (b'\xef\xbb\xbf<!DOCTYPE html>\n<html lang="es">', "web page"),
        (b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?><Workbook/>', "XML of Excel 2003"),
        (b'<?xml version="1.0"?><antibiogram/>', "is XML"),
        (b"%PDF-1.7\n%text", "is a PDF"),
        (b"{\\rtf1\\ansi Escherichia coli}", "text document"),
        (b'[{"ORGANISM": "eco"}]', "is JSON"),
        (b'{"isolates": 2}', "is JSON"),
        (b"MSH|^~\\&|VITEK|LAB\rOBX|1|ST|AMK\r", "HL7"),
    ],
)
def test_what_is_no_table_is_called_what_it_is(content: bytes, name: str, tmp_path: Path) -> None:
    """Whatever its name says, and with what to do."""
    (tmp_path / "isolates.xls").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=name) as refusal:
        read_file(tmp_path / "isolates.xls")
    assert "xport" in refusal.value.hint or "save" in refusal.value.hint


def test_a_password_is_named(shared_data: Path, tmp_path: Path) -> None:
    """Of a workbook, of a table of LibreOffice's."""
    with pytest.raises(UnreadableFileError, match="has a password"):
        read_file(shared_data / "cases" / "c12_password.xlsx")
    with zipfile.ZipFile(BytesIO(ods(ods_row("ORGANISM", "AMK_NM")))) as plain:
        members = {name: plain.read(name) for name in plain.namelist()}
    members["META-INF/manifest.xml"] = b"<manifest><encryption-data/></manifest>"
    (tmp_path / "book.ods").write_bytes(archive(**members))
    with pytest.raises(UnreadableFileError, match="has a password"):
        read_file(tmp_path / "book.ods")
