"""Files of cells: a hospital's counts for training, without any patient's row.

A line gives the number of results of one test column, organism, site, MIC and label in one of `cells.PARTS` parts of
the isolates. Parts are needed to hold out whole isolates; they do not show which isolate is in which part. What counts
can reveal, and what is done against it, is in docs/adr/0024-shared-cells.md.
"""

from pathlib import Path
from typing import Final

import polars as pl

from sirena.domain.errors import UsageError
from sirena.domain.organisms import ORGANISMS
from sirena.domain.site import Site
from sirena.domain.test_column import parse_test_column
from sirena.training.cells import LEVEL_OF_LABEL, MIC_OF_CODE, PARTS, mic_text
from sirena.training.counts import COUNT_TYPES, HospitalCounts
from sirena.whonet.errors import UnavailableFileError, UnreadableFileError
from sirena.whonet.writing import replacing

SUFFIX: Final = ".cells.parquet"
"""Suffix of the name of a file of cells."""
SMALL: Final = 5
"""A cell with fewer results than this, in all parts together, is marked, because it concerns few people."""
_FORM: Final = "sirena.cells"
_FORM_NUMBER: Final = "1"
_SEED: Final = "sirena.seed"
_COLUMNS: Final = "sirena.columns"
_FILE_TYPES: Final = pl.Schema(
    {
        "column": pl.String(),
        "organism": pl.String(),
        "site": pl.String(),
        "mic": pl.String(),
        "label": pl.String(),
        "part": pl.UInt8(),
        "results": pl.Int64(),
        "small": pl.Boolean(),
    }
)


def is_cells_file(path: Path) -> bool:
    """Tell by its name whether a file is a file of cells.

    >>> is_cells_file(Path("hospital.cells.parquet")), is_cells_file(Path("hospital.parquet"))
    (True, False)
    """
    return path.name.casefold().endswith(SUFFIX)


def write_cells(counts: HospitalCounts, path: Path) -> pl.DataFrame:
    """Write counts to a file of cells, completely or not at all; return the lines written.

    Args:
        counts: counts of one hospital.
        path: path of the file; its name ends in `SUFFIX`.

    Raises:
        UsageError: the name does not end in `SUFFIX`.
        UnavailableFileError: the folder is missing, not writable or full.

    >>> import tempfile
    >>> cell = {"column": "AMK_NM", "organism": "eco", "site": "blood", "mic_code": 16, "label": "S", "level": 0}
    >>> counts = HospitalCounts((), pl.DataFrame([cell | {"part": 3, "weight": 2.0}], schema=COUNT_TYPES), seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lines = write_cells(counts, Path(folder, "hospital.cells.parquet"))
    >>> lines.select("organism", "mic", "label", "results", "small").row(0)
    ('eco', '4', 'S', 2, True)
    """
    if not is_cells_file(path):
        raise UsageError(f"{path}: a file of cells ends in {SUFFIX}", hint=f"for example hospital{SUFFIX}")
    lines = _as_written(counts.tally)
    columns = " ".join(sorted({test.model_column for test in counts.tests}))
    facts = {_FORM: _FORM_NUMBER, _SEED: str(counts.seed), _COLUMNS: columns}
    with replacing(path) as draft:
        lines.write_parquet(draft, metadata=facts)
    return lines


def _as_written(tally: pl.DataFrame) -> pl.DataFrame:
    group_weight = pl.col("weight").sum().over("column", "organism", "site", "mic_code", "label")
    return tally.select(
        "column",
        "organism",
        "site",
        mic_text(),
        pl.col("label").cast(pl.String),
        "part",
        pl.col("weight").cast(pl.Int64).alias("results"),
        (group_weight < SMALL).alias("small"),
    )


def read_cells(path: Path) -> HospitalCounts:
    """Return the counts in a file of cells.

    Raises:
        UnreadableFileError: the file is no file of cells, is of another version, or holds an impossible cell.
        UnavailableFileError: the file is missing or not readable.

    >>> import tempfile
    >>> cell = {"column": "AMK_NM", "organism": "eco", "site": "blood", "mic_code": 16, "label": "S", "level": 0}
    >>> counts = HospitalCounts((), pl.DataFrame([cell | {"part": 3, "weight": 2.0}], schema=COUNT_TYPES), seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_cells(counts, Path(folder, "hospital.cells.parquet"))
    ...     read_cells(Path(folder, "hospital.cells.parquet")).tally.equals(counts.tally)
    True
    """
    try:
        facts = pl.read_parquet_metadata(path)
        lines = pl.read_parquet(path) if facts.get(_FORM) == _FORM_NUMBER else None
    except OSError as error:
        raise UnavailableFileError(f"{path}: cannot be read ({error.strerror})", hint="Check the path.") from error
    except pl.exceptions.PolarsError:
        raise _not_cells(path) from None
    seed = facts.get(_SEED, "")
    tests = [parse_test_column(name) for name in facts.get(_COLUMNS, "").split()]
    if lines is None or lines.schema != _FILE_TYPES or not seed.isdecimal() or None in tests:
        raise _not_cells(path)
    wrong_cell = _first_wrong_cell(lines)
    if wrong_cell is not None:
        raise UnreadableFileError(
            f"{path}, line {wrong_cell[0] + 1}: {wrong_cell[1]} is not one that Sirena knows",
            hint="Let the hospital write the cells again.",
        )
    code_of = {mic: code for code, mic in MIC_OF_CODE.items()}
    tally = lines.select(
        "column",
        "organism",
        "site",
        pl.col("mic").replace_strict(code_of, return_dtype=pl.Int16).alias("mic_code"),
        pl.col("label").cast(COUNT_TYPES["label"]),
        pl.col("label").replace_strict(LEVEL_OF_LABEL, return_dtype=pl.Int8).alias("level"),
        "part",
        pl.col("results").cast(pl.Float64).alias("weight"),
    )
    return HospitalCounts(tuple(test for test in tests if test is not None), tally, int(seed))


def _not_cells(path: Path) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path}: is no file of cells that this Sirena reads",
        hint=f"`sirena cells FILE -o hospital{SUFFIX}` writes one; a file of isolates must not end in {SUFFIX}.",
    )


def _first_wrong_cell(lines: pl.DataFrame) -> tuple[int, str] | None:
    """Return the first line, from 0, with an impossible value, and the name of its column; None if there is none."""
    allowed = {
        "column": [column for column in lines["column"].unique() if column is not None and _is_column(column)],
        "organism": list(ORGANISMS),
        "site": [site.value for site in Site],
        "mic": list(MIC_OF_CODE.values()),
        "label": list(LEVEL_OF_LABEL),
    }
    checks = {name: pl.col(name).is_in(values) for name, values in allowed.items()}
    checks |= {"part": pl.col("part") < PARTS, "results": pl.col("results") > 0}
    for name, check in checks.items():
        wrong_lines = lines.select((~check.fill_null(value=False)).arg_true()).to_series()
        if len(wrong_lines):
            return int(wrong_lines[0]), name
    return None


def _is_column(text: str) -> bool:
    test_column = parse_test_column(text)
    return test_column is not None and test_column.is_mic and test_column.model_column == text
