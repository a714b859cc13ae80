"""Tables with one row per drug: the rows of an isolate are joined into one, in which each antimicrobial has a column.

Rules, each with a test of like name:

- a table is long when it has a column of antimicrobials, one of results, and no column of a single antimicrobial;
- rows that agree in all other columns are one isolate, which has the place and number of its first row;
- a comparator in a column of its own (``<=``) is written before its figure;
- MICs, gradient strips and zones of one drug become columns of their own, and so do categories;
- different results of one test for one isolate are kept side by side, not read, and reported;
- an unknown antimicrobial keeps a column under its own name.

Evidence: NCBI's antibiogram template, whose columns a public reader (AMRgen) names; the Spanish names are our own. For
EARS-Net's lines see `surveillance`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from sirena.whonet.drug_headers import LABEL_SUFFIX, find_drug
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.fields import Privacy, find_field, fold_header
from sirena.whonet.file import RawTable
from sirena.whonet.headers import assign_roles
from sirena.whonet.long_headers import find_parts
from sirena.whonet.surveillance import holds_lines, refuse_counts, stack_methods

_VARYING: Final = ("testing standard year or version", "laboratory typing method version or reagent", "vendor")
_VARYING_MORE: Final = ("laboratory typing platform", "dst media", "disc content", "disk content")
_SEPARATOR: Final = " | "
_MIC: Final = " MIC"
_ZONE: Final = re.compile(r"disk|disc|disco|kirby|zona|zone|difusi", re.IGNORECASE)
_GRADIENT: Final = re.compile(r"e-?test|gradient|tira", re.IGNORECASE)
_LABELS: Final = {
    "susceptible": "S",
    "sensible": "S",
    "intermediate": "I",
    "intermedio": "I",
    "resistant": "R",
    "resistente": "R",
    "susceptible-dose dependent": "SDD",
    "nonsusceptible": "NS",
}


def has_row_per_drug(headers: Sequence[str]) -> bool:
    """Tell whether a table has one row per antimicrobial, by its headers.

    >>> has_row_per_drug(["ORGANISM", "ANTIBIOTIC", "MIC"]), has_row_per_drug(["ORGANISM", "AMK_NM"])
    (True, False)
    """
    return holds_lines(headers) or (bool(find_parts(headers)) and not _has_tests(headers))


def widen(table: RawTable, file: str) -> RawTable:
    """Join the rows of each isolate in a table with one row per antimicrobial; any other table is returned unchanged.

    Raises:
        UnreadableFileError: the table has a column of antimicrobials but none of results, or holds counts of isolates.

    >>> frame = pl.DataFrame({"Muestra": ["5001"] * 2, "Antibiótico": ["AMK", "CIP"], "CMI": ["4", ">2"]})
    >>> widen(RawTable(frame), "2025.csv").frame.to_dicts()
    [{'Muestra': '5001', 'AMK MIC': '4', 'CIP MIC': '>2'}]
    """
    refuse_counts(table.frame.columns, file)
    table = stack_methods(table)
    parts = find_parts(table.frame.columns)
    if not parts or _has_tests(table.frame.columns):
        return table
    if "value" not in parts:
        raise UnreadableFileError(
            f"{file}: one row per antimicrobial, with categories and without MICs",
            hint="Export the MIC too; Sirena answers from MICs.",
        )
    frame = table.frame
    varying = {fold_header(name) for name in (*_VARYING, *_VARYING_MORE)}
    keys = [name for name in frame.columns if name not in parts.values() and fold_header(name) not in varying]
    numbers = _numbers(table)
    cells = frame.select(
        *(pl.col(key) for key in keys),
        _column_names(frame, parts).alias("__test"),
        _results(frame, parts).alias("__result"),
        (_labels(frame[parts["label"]]) if "label" in parts else pl.repeat(None, frame.height, eager=True)).alias(
            "__label"
        ),
        pl.Series("__row", numbers, dtype=pl.Int64),
    )
    return _join_isolates(table, cells, keys)


def _join_isolates(table: RawTable, cells: pl.DataFrame, keys: list[str]) -> RawTable:
    if not any(_identifies(key) for key in keys):
        cells = cells.with_columns(pl.col("__row").alias("__isolate"))
        keys = [*keys, "__isolate"]
    isolates = cells.group_by(keys, maintain_order=True).agg(pl.col("__row").first())
    tests = list(dict.fromkeys(cells["__test"].drop_nulls().to_list()))
    wide = isolates
    for name in tests:
        own = cells.filter(pl.col("__test") == name).group_by(keys, maintain_order=True)
        test_results = own.agg(
            pl.col("__result").drop_nulls().unique(maintain_order=True).str.join(_SEPARATOR).alias(name),
            pl.col("__label").drop_nulls().unique(maintain_order=True).str.join(_SEPARATOR).alias(_label_name(name)),
        )
        wide = wide.join(test_results, on=keys, how="left", nulls_equal=True, maintain_order="left")
    rows = wide["__row"].to_list()
    result_columns = [column for name in tests for column in (name, _label_name(name))]
    wide = wide.drop("__row", "__isolate", strict=False).with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)) for name in result_columns
    )
    wide = wide.drop([_label_name(name) for name in tests if wide[_label_name(name)].null_count() == wide.height])
    detail = ", ".join(part for part in (table.detail, "one row per antimicrobial, joined by isolate") if part)
    return replace(table, frame=wide, numbers=tuple(rows), detail=detail)


def _identifies(header: str) -> bool:
    """Tell whether a column helps to say which isolate a row belongs to, which organism and specimen type do not."""
    field = find_field(header)
    return field is None or field.privacy is Privacy.IDENTIFIES


def _label_name(test: str) -> str:
    return f"{test.removesuffix(_MIC)}{LABEL_SUFFIX}"


def _has_tests(headers: Sequence[str]) -> bool:
    roles = assign_roles(headers)
    return bool(roles.test_columns or roles.drug_headers)


def _numbers(table: RawTable) -> list[int]:
    if table.numbers:
        return list(table.numbers)
    skipped_numbers = set(table.skipped_rows)
    numbers: list[int] = []
    number = table.first_row
    while len(numbers) < table.frame.height:
        if number not in skipped_numbers:
            numbers.append(number)
        number += 1
    return numbers


def _column_names(frame: pl.DataFrame, parts: Mapping[str, str]) -> pl.Series:
    """Return the test column of each row: ``AMK_NM``, or the antimicrobial's own name if that is unknown."""
    names: dict[tuple[str | None, ...], str | None] = {}
    columns = [
        frame[parts[part]].to_list() if part in parts else None for part in ("drug", "method", "standard", "unit")
    ]
    column_names: list[str | None] = []
    for row in range(frame.height):
        key = tuple(None if column is None else column[row] for column in columns)
        if key not in names:
            names[key] = _column_name(*key)
        column_names.append(names[key])
    return pl.Series(column_names, dtype=pl.String)


def _column_name(drug: str | None, method: str | None, standard: str | None, unit: str | None) -> str | None:
    if drug is None:
        return None
    code = find_drug(drug) or find_drug(drug.replace("-", "/"))
    if code is None:
        return drug.strip()
    how = "D" if _ZONE.search(method or "") or (unit or "").strip().lower() == "mm" else "M"
    how = "E" if _GRADIENT.search(method or "") else how
    if standard is None:
        return code + _MIC if how == "M" else f"{code}_N{how}"
    return f"{code}_{'E' if 'eucast' in standard.casefold() else 'N'}{how}"


def _results(frame: pl.DataFrame, parts: Mapping[str, str]) -> pl.Series:
    values = frame[parts["value"]]
    if "sign" not in parts:
        return values
    signs = frame[parts["sign"]].fill_null("").str.strip_chars().replace(["==", "="], ["", ""])
    return signs + values


def _labels(column: pl.Series) -> pl.Series:
    folded_labels = column.str.strip_chars().str.to_lowercase()
    return folded_labels.replace_strict(list(_LABELS), list(_LABELS.values()), default=column, return_dtype=pl.String)
