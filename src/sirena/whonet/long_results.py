"""Results read from messages, one antimicrobial each, as the long table that `long_format` joins by isolate.

Messages of instruments and of laboratory systems hold more than a table: names, birth dates, comments. Their readers
take only the fields of `LongResult`, so the specimen number is the only datum that concerns a patient.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import polars as pl

from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.file import RawTable

_HEADERS = ("Specimen number", "Isolate number", "Specimen type", "Organism")
_RESULT_HEADERS = ("Antimicrobial", "MIC", "Interpretation", "Method", "Unit")


@dataclass(frozen=True, slots=True)
class LongResult:
    """The result of one antimicrobial for one isolate; a field is None if the message has no value for it."""

    specimen: str | None
    """Number of the specimen, given by the laboratory."""
    isolate: str | None
    """Number of the isolate in the specimen."""
    specimen_type: str | None
    organism: str | None
    """Name or code of the organism, as sent."""
    drug: str
    """Name or code of the antimicrobial, as sent."""
    value: str | None
    """MIC or zone with its comparator, as sent."""
    label: str | None = None
    """Category, as sent."""
    method: str | None = None
    unit: str | None = None


def long_table(results: Sequence[LongResult], rows: Sequence[int], file: str, detail: str, encoding: str) -> RawTable:
    """Return results as a table with one row per antimicrobial.

    Args:
        results: the results, in the order of the file.
        rows: number of the line or message of each result, for reports.
        file: name of the file, for messages.
        detail: description of the kind of file, for the user.
        encoding: encoding of the text.

    Raises:
        UnreadableFileError: there are no results.

    >>> result = LongResult("5001", "1", "Urine", "Escherichia coli", "Amikacin", "<=2", "S")
    >>> table = long_table([result], [1], "vitek.txt", "messages of VITEK 2", "utf-8")
    >>> table.frame.select("Organism", "Antimicrobial", "MIC", "Interpretation").rows()
    [('Escherichia coli', 'Amikacin', '<=2', 'S')]
    """
    if not results:
        raise UnreadableFileError(
            f"{file}: {detail} without any result of an antimicrobial",
            hint="Export the susceptibility results too; identifications alone are not interpreted.",
        )
    columns = zip(*(astuple(result) for result in results), strict=True)
    names = (*_HEADERS, *_RESULT_HEADERS)
    frame = pl.DataFrame(
        [
            pl.Series(name, [text.strip() or None if text else None for text in cells], dtype=pl.String)
            for name, cells in zip(names, columns, strict=True)
        ]
    )
    empty = [name for name in names if name not in ("Organism", "MIC") and frame[name].null_count() == frame.height]
    return RawTable(frame.drop(empty), encoding=encoding, detail=detail, numbers=tuple(rows))
