"""Which columns may be used for training: none that could identify a patient.

An allow-list decides, because no list of identifying fields can be complete: laboratories add fields of their own. It
keeps the organism, test columns and their categories, a few fields that many patients share (`Privacy.KEPT`), and the
year of the specimen's date. Everything else is dropped, known or not.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from sirena.whonet.fields import FIELDS, Privacy
from sirena.whonet.file import WhonetFile
from sirena.whonet.headers import assign_roles, category_of

YEAR: Final = "DATA_YEAR"
"""WHONET's own field for the year; filled from the specimen's date if the table has none."""


def kept_columns(headers: list[str]) -> list[str]:
    """Return the headers that training may use, in the table's order.

    Raises:
        DuplicateColumnsError: two columns have one meaning.

    >>> kept_columns(["PATIENT_ID", "ORGANISM", "AMK_NM", "LAST_NAME"])
    ['ORGANISM', 'AMK_NM']
    """
    roles = assign_roles(headers)
    return [
        header
        for header in headers
        if header in roles.test_columns
        or category_of(header) is not None
        or (header in roles.fields and roles.fields[header].privacy is Privacy.KEPT)
    ]


def columns_of_patients(file: WhonetFile) -> list[str]:
    r"""Return the headers of columns that identify a patient, in the table's order.

    The columns are recognised by their name, by the mapping, or by the pattern of their values.

    >>> from io import BytesIO
    >>> from sirena.whonet.reading import read_stream
    >>> columns_of_patients(read_stream(BytesIO(b"PATIENT_ID,WARD,ORGANISM,AMK_NM\nF1,icu,eco,4\n"), "2025.csv"))
    ['PATIENT_ID', 'WARD']
    """
    mapped_headers = {header for header, short in file.fields.items() if FIELDS[short].privacy is Privacy.IDENTIFIES}
    patient_headers = {*patient_columns(file.frame.columns), *mapped_headers, *file.patient_headers}
    return [header for header in file.frame.columns if header in patient_headers]


def patient_columns(headers: list[str]) -> list[str]:
    """Return the headers whose names identify a patient or another person, in the table's order.

    Use it only to show the headers: `drop_patient_columns` drops more columns than these.

    Raises:
        DuplicateColumnsError: two columns have one meaning.

    >>> patient_columns(["NHC", "ORGANISM", "AMK_NM"])
    ['NHC']
    """
    fields = assign_roles(headers).fields
    return [header for header in headers if header in fields and fields[header].privacy is Privacy.IDENTIFIES]


def drop_patient_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table without any column that could show whose isolate a row is.

    Args:
        frame: the table, from `read_file`.

    Returns:
        The columns of `kept_columns`, unchanged and in order, then ``DATA_YEAR`` from the specimen's date, if any.

    Raises:
        DuplicateColumnsError: two columns have one meaning.

    >>> drop_patient_columns(pl.DataFrame({"NHC": ["1"], "ORGANISM": ["eco"], "AMK_NM": ["4"]})).columns
    ['ORGANISM', 'AMK_NM']
    """
    roles = assign_roles(frame.columns)
    kept_frame = frame.select(kept_columns(frame.columns))
    dates = roles.headers_of("SPEC_DATE")
    if not dates or roles.headers_of(YEAR):
        return kept_frame
    return kept_frame.with_columns(_years(frame[dates[0]]))


def _years(dates: pl.Series) -> pl.Series:
    return dates.str.extract(r"(?:^|\D)((?:19|20)\d{2})(?:\D|$)").alias(YEAR)


def without_patients(file: WhonetFile) -> WhonetFile:
    r"""Return a file as training may use it: the same rows, without columns that could show whose isolate a row is.

    >>> from io import BytesIO
    >>> from sirena.whonet.reading import read_stream
    >>> file = read_stream(BytesIO(b"PATIENT_ID,SPEC_DATE,ORGANISM,AMK_NM\nF1,2025-03-01,eco,4\n"), "2025.csv")
    >>> without_patients(file).frame.to_dicts()
    [{'ORGANISM': 'eco', 'AMK_NM': '4', 'DATA_YEAR': '2025'}]
    """
    frame = drop_patient_columns(file.frame)
    # columns whose role only their values or the mapping showed
    own = {*file.test_columns, *file.label_columns.values(), file.organism_column, file.specimen_column}
    test_columns = [header for header in file.frame.columns if header in own and header not in frame.columns]
    if file.date_column is not None and YEAR not in frame.columns and not file.headers_of(YEAR):
        frame = frame.with_columns(_years(file.frame[file.date_column]))
    return replace(file, table=replace(file.table, frame=frame.with_columns(file.frame[name] for name in test_columns)))
