"""Reading a WHONET file of any format into the same kind of table.

Rules, each with a test of like name:

- the format is determined by the content, never by the file's name;
- every column and row is kept, in order and as text; an empty cell is null;
- a file that cannot be trusted as a whole (cut off, damaged, ragged rows, two columns of one name) is an error;
- a mistake in single cells is a problem, named by row, column and class (`WhonetFile.problems`).
"""

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from sirena.domain.errors import UsageError
from sirena.domain.organisms import ORGANISMS, resolve_many
from sirena.domain.site import Site
from sirena.domain.specimens import sites_of_specimens
from sirena.whonet.arrow_file import MAGIC as ARROW_MAGIC
from sirena.whonet.arrow_file import read_arrow
from sirena.whonet.biomerieux import is_biomerieux, read_biomerieux
from sirena.whonet.containers import OLE_MAGIC, refuse_foreign_container, unpack_zip
from sirena.whonet.dbase import is_dbase, read_dbase
from sirena.whonet.delimited import read_delimited
from sirena.whonet.encoding import looks_like_text
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.excel import read_excel
from sirena.whonet.fhir import is_fhir, read_fhir
from sirena.whonet.fields import FIELDS, Field
from sirena.whonet.file import FileFormat, RawTable, WhonetFile
from sirena.whonet.headers import ORGANISM_FIELDS, Roles, assign_roles
from sirena.whonet.long_format import widen
from sirena.whonet.mapping import LaboratoryMapping
from sirena.whonet.parquet import MAGIC as PARQUET_MAGIC
from sirena.whonet.parquet import read_parquet
from sirena.whonet.sensititre import is_sensititre, read_sensititre
from sirena.whonet.source import LARGEST, Bounds, Source, open_source, source_of
from sirena.whonet.sqlite import MAGIC as SQLITE_MAGIC
from sirena.whonet.sqlite import read_sqlite
from sirena.whonet.understanding import understand
from sirena.whonet.workbook import ZIP_MAGIC


def read_file(path: Path | str, *, sheet: str | None = None, mapping: LaboratoryMapping | None = None) -> WhonetFile:
    r"""Read a WHONET file: dBASE, SQLite, delimited text, spreadsheet, Parquet or Arrow, also packed with gzip.

    Args:
        path: the file; ``-`` reads standard input.
        sheet: name of a spreadsheet's sheet; if None, the first visible sheet that holds a table.
        mapping: what the laboratory says about its columns.

    Raises:
        UnavailableFileError: the file is missing, a folder, or not readable.
        UnreadableFileError: the file is empty, damaged, cut off, of no known format, or no WHONET table.
        DuplicateColumnsError: two columns have one meaning.
        UsageError: the named sheet does not exist, or the file has no sheets.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "2025.csv")
    ...     _ = path.write_text("Microorganismo;Amikacina CIM\neco;<=2\n")
    ...     file = read_file(path)
    >>> file.organism_column, [test.name for test in file.test_columns.values()], file.frame.rows()
    ('Microorganismo', ['AMK_NM'], [('eco', '<=2')])
    """
    return _read_source(open_source(path), path, sheet, mapping)


def read_stream(
    stream: BinaryIO,
    name: str,
    *,
    sheet: str | None = None,
    mapping: LaboratoryMapping | None = None,
    bounds: Bounds = LARGEST,
) -> WhonetFile:
    r"""Read a file from a stream, such as an upload, as `read_file` reads one from a disk.

    Args:
        stream: the file's bytes.
        name: file name, for messages.
        sheet: as for `read_file`.
        mapping: as for `read_file`.
        bounds: most bytes and cells the table may have.

    Raises:
        UnreadableFileError: as for `read_file`.
        DuplicateColumnsError: two columns have one meaning.
        UsageError: as for `read_file`.

    >>> import io
    >>> file = read_stream(io.BytesIO(b"ORGANISM,AMK_NM\neco,4\nkpn,S\n"), "2025.csv")
    >>> [str(problem) for problem in file.problems]
    ['column AMK_NM: 1 × a category (S, I, R …) where an MIC belongs (row 3)']
    """
    return _read_source(source_of(stream, name, bounds), name, sheet, mapping)


def _read_source(
    outer_source: Source, path: Path | str, sheet: str | None, mapping: LaboratoryMapping | None
) -> WhonetFile:
    source = unpack_zip(outer_source)
    file_format = find_format(source)
    if sheet is not None and file_format is not FileFormat.EXCEL:
        raise UsageError(f"{source.name}: is no spreadsheet and has no sheet {sheet}", hint="Leave out --sheet.")
    table = _read_table(source, file_format, sheet)
    return describe_table(path, file_format, table, mapping or LaboratoryMapping())


def describe_table(
    path: Path | str, file_format: FileFormat, table: RawTable, mapping: LaboratoryMapping | None = None
) -> WhonetFile:
    """Return a table with the roles of its columns.

    Raises:
        DuplicateColumnsError: two columns have one meaning.

    >>> table = RawTable(pl.DataFrame({"Germen": ["eco"], "Muestra": ["5001"], "Amikacina": ["<=2"]}))
    >>> file = describe_table("2025.csv", FileFormat.DELIMITED, table)
    >>> file.fields, file.test_columns["Amikacina"].name
    ({'Germen': 'ORGANISM', 'Muestra': 'SPEC_NUM'}, 'AMK_NM')
    """
    mapping = mapping or LaboratoryMapping()
    table = widen(table, str(path))
    roles = assign_roles(table.frame.columns)
    fields = fields_of(table.frame.columns, roles, mapping)
    roles = replace(roles, fields=_with_origin_as_specimen(table.frame, fields))
    understanding = understand(table.frame, roles, mapping)
    return WhonetFile(
        path=path,
        format=file_format,
        table=table,
        organism_column=_choose_organism(table.frame, roles),
        fields={header: field.short for header, field in roles.fields.items()},
        specimen_column=_first_filled(table.frame, roles.headers_of("SPEC_TYPE")),
        date_column=_first_filled(table.frame, roles.headers_of("SPEC_DATE")),
        test_columns=understanding.test_columns,
        category_columns=roles.category_columns,
        label_columns=understanding.label_columns,
        header_readings=understanding.readings,
        patient_headers=understanding.patient_headers,
        mapping=mapping,
    )


def fields_of(headers: list[str], roles: Roles, mapping: LaboratoryMapping) -> dict[str, Field]:
    """Return the WHONET field of each column; the mapping decides before the header.

    >>> from sirena.whonet.mapping import ColumnMapping
    >>> mapping = LaboratoryMapping({"Sitio": ColumnMapping(field="SPEC_TYPE")})
    >>> fields = fields_of(["Germen", "Sitio"], assign_roles(["Germen", "Sitio"]), mapping)
    >>> {header: field.short for header, field in fields.items()}
    {'Sitio': 'SPEC_TYPE', 'Germen': 'ORGANISM'}
    """
    mapped_names = {header: mapping.column(header).field for header in headers}
    mapped_fields = {header: FIELDS[short] for header, short in mapped_names.items() if short}
    return mapped_fields | {header: field for header, field in roles.fields.items() if mapped_names[header] is None}


def _with_origin_as_specimen(frame: pl.DataFrame, fields: dict[str, Field]) -> dict[str, Field]:
    """Return the fields with ORIGIN as specimen type if all its values are specimens: MicroScan calls it ``Origen``."""
    if any(field.short == "SPEC_TYPE" for field in fields.values()):
        return fields
    for header, field in fields.items():
        texts = frame[header].drop_nulls().unique().head(_MOST_ORIGINS).to_list() if field.short == "ORIGIN" else []
        sites = sites_of_specimens(texts)
        if any(site is not Site.UNKNOWN for site in sites) and None not in sites:
            return fields | {header: FIELDS["SPEC_TYPE"]}
    return fields


def find_format(source: Source) -> FileFormat:
    r"""Return a file's format, by its first bytes.

    Raises:
        UnreadableFileError: the bytes are of no format that can be read; the error lists the formats.

    >>> import io
    >>> from sirena.whonet.source import source_of
    >>> find_format(source_of(io.BytesIO(b"ORGANISM,AMK_NM\neco,4\n"), "a.csv"))
    <FileFormat.DELIMITED: 'delimited'>
    """
    head = source.head
    if is_fhir(head):
        return FileFormat.FHIR
    if is_biomerieux(head):
        return FileFormat.BIOMERIEUX
    refuse_foreign_container(source)
    if head.startswith(SQLITE_MAGIC):
        return FileFormat.SQLITE
    if head.startswith(PARQUET_MAGIC):
        return FileFormat.PARQUET
    if head.startswith(ARROW_MAGIC):
        return FileFormat.ARROW
    if head.startswith((ZIP_MAGIC, OLE_MAGIC)):
        return FileFormat.EXCEL
    if is_dbase(head):
        return FileFormat.DBASE
    if looks_like_text(head) and is_sensititre(head):
        return FileFormat.SENSITITRE
    if looks_like_text(head):
        return FileFormat.DELIMITED
    raise UnreadableFileError(
        f"{source.name}: of no format that is read here",
        hint="Give a WHONET file: dBASE, SQLite, delimited text, .xlsx, Parquet or Arrow.",
    )


_ENOUGH_KNOWN: Final = 0.5
_MOST_ORGANISMS: Final = 500
_MOST_ORIGINS: Final = 2_000


def _read_table(source: Source, file_format: FileFormat, sheet: str | None) -> RawTable:
    match file_format:
        case FileFormat.SQLITE:
            return read_sqlite(source)
        case FileFormat.PARQUET:
            return read_parquet(source)
        case FileFormat.ARROW:
            return read_arrow(source)
        case FileFormat.EXCEL:
            return read_excel(source, sheet)
        case FileFormat.DBASE:
            return read_dbase(source)
        case FileFormat.DELIMITED:
            return read_delimited(source)
        case FileFormat.SENSITITRE:
            return read_sensititre(source)
        case FileFormat.BIOMERIEUX:
            return read_biomerieux(source)
        case FileFormat.FHIR:
            return read_fhir(source)


def _choose_organism(frame: pl.DataFrame, roles: Roles) -> str | None:
    """Return the organism column: codes before names, unless most of its codes are another system's."""
    headers = [header for short in ORGANISM_FIELDS for header in roles.headers_of(short)]
    first = _first_filled(frame, headers)
    filled_headers = [header for header in headers if frame[header].null_count() < frame.height]
    if first is None or len(filled_headers) < 2 or _share_known(frame[first]) >= _ENOUGH_KNOWN:
        return first
    return max(filled_headers, key=lambda header: _share_known(frame[header]))


def _share_known(column: pl.Series) -> float:
    texts = column.drop_nulls().unique().head(_MOST_ORGANISMS).to_list()
    codes = sum(text.strip().lower() in ORGANISMS for text in texts) / len(texts)
    if codes >= _ENOUGH_KNOWN:  # names are looked up only where codes do not suffice: their table takes time to make
        return codes
    return sum(bool(code) for code in resolve_many(texts)) / len(texts)


def _first_filled(frame: pl.DataFrame, headers: list[str]) -> str | None:
    """Return the first column that is not empty, else the first one, else None."""
    filled_headers = (header for header in headers if frame[header].null_count() < frame.height)
    return next(filled_headers, headers[0] if headers else None)
