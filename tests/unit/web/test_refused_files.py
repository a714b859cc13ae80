"""What the pages say of a file that cannot be read, in Spanish."""

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "está vacío"),
        (b"\x00\x01\x02\x03" * 99, "no tiene ningún formato"),
        (b"PK\x03\x04garbage", "o está dañada"),
        (b"%PDF-1.7", "es un PDF"),
        (b"<html><table>", "es una página web"),
        (b"{\\rtf1", "es un documento de texto"),
        (b"<?xml version='1.0'?><x/>", "es XML"),
        (b"<?mso-application progid='Excel.Sheet'?>", "XML de Excel 2003"),
        (b'[{"a": 1}]', "es JSON"),
        (b"MSH|^~\\&|LAB", "HL7"),
        (b"H|\\^&|||LAB", "ASTM"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "tiene contraseña"),
        (b"\x1f\x8b\x08\x00rubbish", "gzip"),
        (b"name,age\nx,3\n", "la primera fila no nombra ninguna columna de WHONET"),
        (b"ORGANISM,AMK_NM,AMK_NM\neco,1,2\n", "hay columnas repetidas"),
        (b"ORGANISM,AMK_NM\n", "ningún aislamiento"),
        (b"ORGANISM,AMK_NM\neco,1,2,3\n", "celdas"),
        (b"SQLite format 3\x00" + b"\xff" * 200, "SQLite"),
        (b"PAR1" + b"\xff" * 200 + b"PAR1", "Parquet"),
    ],
)
def test_a_dropped_file_is_refused_in_spanish(person: TestClient, content: bytes, words: str) -> None:
    """What is wrong and what to do, no word of it in English."""
    files = {"file": ("archivo.bin", content)}
    refused = person.post("/files", files=files, headers={"accept-language": "es"})
    assert refused.status_code == 422
    main = refused.text.partition("<main")[2]
    assert words in main
    assert 'lang="en"' not in main


def test_what_could_not_be_read_in_a_file_is_told_in_spanish(person: TestClient) -> None:
    """By column and row, never by content."""
    files = {"file": ("a.csv", b"ORGANISM,AMK_NM\neco,secret\neco,2\n")}
    page = person.post("/files", files=files, headers={"accept-language": "es"}).text
    assert "columna AMK_NM: 1 × texto que no es una CIM (fila 2)" in page
    assert "secret" not in page
