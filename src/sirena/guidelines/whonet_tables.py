"""Reading WHONET's resource tables: tab-delimited text, plain or gzipped, recognised by their columns."""

import csv
import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sirena.guidelines.tables import TableError

_SIGNATURES: Final = {
    "breakpoints": {"GUIDELINES", "YEAR", "TEST_METHOD", "ORGANISM_CODE", "ORGANISM_CODE_TYPE", "BREAKPOINT_TYPE"},
    "phenotypes": {"GUIDELINE", "ORGANISM_CODE", "ORGANISM_CODE_TYPE", "ABX_CODE", "ABX_CODE_TYPE"},
    "organisms": {"WHONET_ORG_CODE", "ORGANISM", "GENUS_CODE"},
}
"""Columns by which each of WHONET's tables is recognised."""

_MAXIMUM_BYTES: Final = 100_000_000


@dataclass
class WhonetTables:
    """The rows of WHONET's tables, and the files from which they came."""

    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    """Rows by kind of table: ``breakpoints``, ``phenotypes``, ``organisms``."""
    files: list[dict[str, str]] = field(default_factory=list)
    """File name and SHA-256 of each file."""


def read_whonet_tables(paths: Iterable[Path]) -> WhonetTables:
    r"""Read WHONET's tables, plain or gzipped, in any order.

    Raises:
        TableError: a file is missing, cut short, or not one of WHONET's tables.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "Organisms.txt")
    ...     _ = table.write_text("WHONET_ORG_CODE\tORGANISM\tGENUS_CODE\neco\tEscherichia coli\tESC")
    ...     read_whonet_tables([table]).rows
    {'organisms': [{'WHONET_ORG_CODE': 'eco', 'ORGANISM': 'Escherichia coli', 'GENUS_CODE': 'ESC'}]}
    """
    source = WhonetTables()
    for path in paths:
        content = _content(path)
        rows = list(_table(path, content))
        kind = next((kind for kind, columns in _SIGNATURES.items() if rows and columns <= rows[0].keys()), None)
        if kind is None:
            raise TableError(
                f"{path.name}: this is none of WHONET's tables of breakpoints, organisms or expected resistance",
                hint="give Breakpoints.txt, Organisms.txt, ExpectedResistancePhenotypes.txt, plain or gzipped",
            )
        source.rows.setdefault(kind, []).extend(rows)
        source.files.append({"file": path.name, "sha256": hashlib.sha256(content).hexdigest()})
    return source


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAXIMUM_BYTES:
            raise TableError(
                f"{path.name}: too large for a table of WHONET's", hint="give WHONET's tab-delimited table"
            )
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except FileNotFoundError:
        raise TableError(f"{path.name}: there is no such file", hint="give the path of WHONET's table") from None
    except (OSError, EOFError, zlib.error):
        raise TableError(f"{path.name}: cannot be read", hint="the file may be cut short; fetch it again") from None


def _table(path: Path, content: bytes) -> Iterator[dict[str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise TableError(f"{path.name}: this is not a text file", hint="give WHONET's tab-delimited table")
    reader = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
    for row in reader:
        yield {key: (value or "").strip() for key, value in row.items() if key is not None}
