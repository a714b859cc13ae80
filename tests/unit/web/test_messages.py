"""What readers say of a file, in Spanish: no message without its template, no template without its message."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from starlette.testclient import TestClient

import sirena.web
import sirena.whonet
from sirena.web.messages import MESSAGES, translate
from sirena.whonet.drug_headers import Content
from sirena.whonet.problems import ProblemClass

_READERS = [
    *(
        path
        for path in sorted(Path(sirena.whonet.__file__).parent.glob("*.py"))
        if not re.fullmatch(r"writing|(dbase|sqlite|mapping)_writing|mapping|synthetic\w*", path.stem)
    ),
    Path(sirena.web.__file__).parent / "upload.py",
]
"""Sources of all that a dropped file, or its download, can be refused by."""
_OF_DISKS = "UnavailableFileError"
"""Raised of a path on a disk, which no page names."""


def _spelled(node: ast.expr) -> list[str]:
    """Return the texts an expression can be, ``7`` in the place of each value; none for what is computed elsewhere."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return _spelled(node.body) + _spelled(node.orelse)
    if not isinstance(node, ast.JoinedStr):
        return []
    texts = [""]
    for part in node.values:
        value = part.value if isinstance(part, ast.FormattedValue) else part
        assert isinstance(value, ast.expr)
        texts = [text + more for text in texts for more in (_spelled(value) or ["7"])]
    return texts


def _messages() -> Iterator[tuple[str, str]]:
    """Yield place and text of each error that readers raise."""
    for path in _READERS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error")):
                continue
            if node.func.id == _OF_DISKS:
                continue
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                yield from ((f"{path.name}:{node.lineno}", text) for text in _spelled(argument))


def test_every_message_of_the_readers_has_its_spanish() -> None:
    """The source itself is read, so that a new message without a template is named."""
    texts = [(place, text) for place, text in _messages() if text != "7: 7"]
    assert len(texts) > 80
    assert [(place, text) for place, text in texts if translate(text, "es").language == "en"] == []


@pytest.mark.parametrize("text", [*(kind.sentence for kind in ProblemClass), *Content, "left out", "patient number"])
def test_every_problem_and_content_has_its_spanish(text: str) -> None:
    """As the page of a file shows them."""
    assert translate(text, "es").language == "es"


def test_no_template_is_of_a_message_that_is_gone() -> None:
    """Every one has its words in the source of a reader, and all of its values in both languages."""
    source = {
        node.value
        for path in _READERS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    with MESSAGES.open("rb") as stream:
        entries = {str(entry.id): str(entry.string) for entry in read_po(stream, locale="es") if entry.id}
    for english, spanish in entries.items():
        words = max(re.split(r"%\(\w+\)s| \(", english), key=len).removeprefix(": ")
        assert any(words in constant for constant in source), english
        assert sorted(re.findall(r"%\(\w+\)s", english)) == sorted(re.findall(r"%\(\w+\)s", spanish))
        assert spanish.strip(), english


def test_values_are_put_into_the_sentence() -> None:
    """The longest template wins, and what fits none stays English."""
    ragged = "a: b.csv: row 7 has 3 cells where the header has 5, and 2 more rows like it"
    assert translate(ragged, "es").text == "a: b.csv: la fila 7 tiene 3 celdas y la cabecera 5; hay 2 filas más así"
    assert translate(ragged, "en").text == ragged
    assert translate("100 % unforeseen", "es") == translate("100 % unforeseen", "en")


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
        (b"AMK_NM,CIP_NM\n1,2\n", "ninguna columna nombra el microorganismo"),
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
    assert "columna AMK_NM: 1 × texto que no es una CMI (fila 2)" in page
    assert "secret" not in page
