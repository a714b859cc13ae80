"""Tables that laboratories send to surveillance: EARS-Net's lines are read, GLASS's counts are refused by name.

- EARS-Net: one row per antimicrobial, with MIC, gradient strip and zone in columns of their own; each column that is
  filled becomes a row of its method. Columns that differ among an isolate's lines are left out.
- GLASS RIS and SAMPLE files hold counts of isolates and no single isolate, so there is nothing to interpret.

Evidence: the columns as the ECDC's own preparation scripts and the WHO's importer (both public) name them; no file sent
by a hospital was seen.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.fields import fold_header
from sirena.whonet.file import RawTable

_COUNTS: Final = frozenset({"antibiotic", "pathogen", "resistant", "susceptible"})
_METHODS: Final = {"mic": "MIC", "etest": "gradient", "grad": "gradient", "zone": "disk"}
_MARK: Final = "resultmicvalue"
_PER_LINE: Final = frozenset({"recordid", "record id", "diskload", "disk load", "sir"})


def refuse_counts(headers: Sequence[str], file: str) -> None:
    """Raise an error if a table holds counts of isolates.

    Raises:
        UnreadableFileError: the table is GLASS's; the error says so.

    >>> refuse_counts(["Specimen", "Pathogen", "Antibiotic", "Resistant", "Susceptible"], "RIS")
    Traceback (most recent call last):
    sirena.whonet.errors.UnreadableFileError: RIS: holds counts of isolates for surveillance (GLASS RIS) and no isolate
    """
    if {fold_header(header) for header in headers} >= _COUNTS:
        raise UnreadableFileError(
            f"{file}: holds counts of isolates for surveillance (GLASS RIS) and no isolate",
            hint="Give the isolates themselves: the WHONET file or the laboratory's export they were counted from.",
        )


def holds_lines(headers: Sequence[str]) -> bool:
    """Tell whether a table holds EARS-Net's lines, by its headers.

    >>> holds_lines(["RecordType", "Antibiotic", "ResultMICValue"]), holds_lines(["ORGANISM", "AMK_NM"])
    (True, False)
    """
    return {fold_header(header) for header in headers} >= {_MARK, "antibiotic"}


def stack_methods(table: RawTable) -> RawTable:
    """Return a table of EARS-Net's lines with one row for each test method; any other table is returned unchanged.

    >>> line = {"Antibiotic": ["AMK"], "ResultMICSign": ["<="], "ResultMICValue": ["2"], "ResultZoneValue": ["21"]}
    >>> stack_methods(RawTable(pl.DataFrame(line))).frame.select("Antibiotic", "sign", "MIC", "method").rows()
    [('AMK', '<=', '2', 'MIC'), ('AMK', None, '21', 'disk')]
    """
    by_name = {fold_header(header): header for header in table.frame.columns}
    if not holds_lines(table.frame.columns):
        return table
    frame = table.frame
    results = {
        name
        for stem in _METHODS
        for part in ("value", "sign", "sir")
        if (name := by_name.get(f"result{stem}{part}")) is not None
    }
    kept_columns = [name for name in frame.columns if name not in results and fold_header(name) not in _PER_LINE]
    whole = by_name.get("sir")
    numbers = pl.Series("__row", table.numbers or _rows(table), dtype=pl.Int64)
    parts = []
    for stem, method in _METHODS.items():
        value = by_name.get(f"result{stem}value")
        if value is None:
            continue
        own = {part: by_name.get(f"result{stem}{part}") for part in ("sign", "sir")}
        label = pl.coalesce([pl.col(name) for name in (own["sir"], whole) if name] or [pl.lit(None, dtype=pl.String)])
        sign = pl.col(own["sign"]) if own["sign"] else pl.lit(None, dtype=pl.String)
        part = frame.with_columns(numbers).filter(pl.col(value).is_not_null())
        parts.append(
            part.select(
                *(pl.col(name) for name in kept_columns),
                sign.alias("sign"),
                pl.col(value).alias("MIC"),
                label.alias("interpretation"),
                pl.lit(method).alias("method"),
                pl.col("__row"),
            )
        )
    stacked_frame = pl.concat(parts).sort("__row", maintain_order=True)
    if stacked_frame.is_empty():
        return table
    return replace(
        table, frame=stacked_frame.drop("__row"), numbers=tuple(stacked_frame["__row"].to_list()), skipped_rows=()
    )


def _rows(table: RawTable) -> list[int]:
    skipped_numbers = set(table.skipped_rows)
    last = table.first_row + table.frame.height + len(skipped_numbers)
    return [number for number in range(table.first_row, last) if number not in skipped_numbers][: table.frame.height]
