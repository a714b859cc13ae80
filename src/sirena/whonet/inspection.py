"""The contents of a WHONET file, and what in it cannot be read: by column, class and row, never by content."""

import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, Final

import numpy as np
import polars as pl

from sirena.domain.category import read_label
from sirena.domain.mic import DILUTIONS, Interval, Mic, encode_mics
from sirena.domain.organisms import ORGANISMS, resolve_many
from sirena.domain.phenotypes import split_phenotypes
from sirena.domain.test_column import GUIDELINES
from sirena.whonet.file import WhonetFile
from sirena.whonet.privacy import columns_of_patients
from sirena.whonet.problems import FIRST_ROWS, Problem, ProblemClass
from sirena.whonet.specimen_reading import SpecimenSummary, summarise_specimens
from sirena.whonet.understanding import HeaderReading

_METHODS: Final = {"M": "MIC", "E": "gradient strip (MIC)", "D": "disk (mm, not an MIC)"}
_LIKE_A_NAME: Final = re.compile(r"[^\W\d_][^\W\d_ .,'()/-]*(?:[ .,'()/-]+[^\W\d_]+)*[ .,')-]*")
_LONGEST_NAME: Final = 40
_TELLING: Final = 5
"""Number of first letters that a text must share with a known organism's name to be shown as a misspelt name."""
_LIKE_A_CODE: Final = re.compile(r"[A-Za-z0-9]{1,3}[-+*]?")


@dataclass(frozen=True, slots=True)
class OrganismCount:
    """An organism of the file, and the number of its rows."""

    code: str
    """WHONET code."""
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class UnknownOrganism:
    """Cells of the organism column that name no organism of the organism table."""

    text: str | None
    """The text, if it looks like a code or a name; None for any other text, which may be a patient's."""
    count: int
    rows: tuple[int, ...]
    """Numbers of the first few rows."""


@dataclass(frozen=True, slots=True)
class TestColumnSummary:
    """The contents of one test column. The fields about MICs stay empty if the column holds zone diameters."""

    __test__ = False  # pytest would take the name for a test class

    header: str
    name: str
    """Canonical name of the column, ``AMK_NM``."""
    guideline: str
    method: str
    is_mic: bool
    results: int
    """Number of cells that are not empty."""
    organisms: int
    """Number of distinct known organisms with a result."""
    lowest: str = ""
    highest: str = ""
    """Highest of the readable MICs; like `lowest` a dilution with comparator."""
    censored: float = 0.0
    """Share of the readable MICs with a comparator, 0 … 1."""
    unreadable: int = 0
    problems: tuple[Problem, ...] = ()
    category_header: str | None = None
    """Header of the test's ``Eti_`` column."""
    labels: dict[str, int] | None = None
    """Number of labels S, SDD, I, R and NS in the ``Eti_`` column."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that ``sirena inspect`` shows about a file."""

    path: str
    format: str
    detail: str
    encoding: str | None
    rows: int
    columns: int
    organism_column: str | None
    specimen_column: str | None
    date_column: str | None
    patient_columns: tuple[str, ...]
    """Columns that identify patients; training drops them."""
    organisms: tuple[OrganismCount, ...]
    """Known organisms, the commonest first."""
    unknown_organisms: tuple[UnknownOrganism, ...]
    missing_organisms: int
    specimens: SpecimenSummary
    tests: tuple[TestColumnSummary, ...]
    problems: tuple[Problem, ...]
    """Problems of the file's structure; those of cells are with their test column."""
    headers: tuple[HeaderReading, ...] = ()
    """How each header that is not WHONET's was understood."""
    phenotypes: dict[str, int] = field(default_factory=dict)
    """Mechanisms written after organisms' names (``ESBL +``), and how often. They are never used for answers."""

    @property
    def holds_no_mic(self) -> str:
        """A phrase that says what the file holds instead of MICs; empty if it holds MICs."""
        mics = [test for test in self.tests if test.is_mic]
        if any(test.results > test.unreadable for test in mics):
            return ""
        unread_counts = Counter(
            problem.problem_class for test in mics for problem in test.problems for _ in range(problem.count)
        )
        zones = sum(test.results for test in self.tests if not test.is_mic)
        kinds = [
            (unread_counts[ProblemClass.CATEGORY], "categories (S, I, R)"),
            (unread_counts[ProblemClass.SIGN], "positive or negative results"),
            (zones, "zone diameters"),
            (sum(unread_counts.values()), "cells that are no MICs"),
        ]
        count, kind = max(kinds[:3]) if max(kinds[:3])[0] else kinds[3]
        return kind if count else "no results"

    def to_json(self) -> dict[str, Any]:
        """Return all fields as plain values, for ``--json``."""
        return asdict(self)


def inspect_file(file: WhonetFile, *, examples: int = FIRST_ROWS) -> Inspection:
    r"""Return a description of a file.

    Args:
        file: the file, from `read_file`.
        examples: how many row numbers are given for each problem.

    >>> from io import BytesIO
    >>> from sirena.whonet.reading import read_stream
    >>> file = read_stream(BytesIO(b"ORGANISM,AMK_NM\neco,4\neco,S\n"), "2025.csv")
    >>> inspection = inspect_file(file)
    >>> inspection.organisms
    (OrganismCount(code='eco', name='Escherichia coli', count=2),)
    >>> print(inspection.tests[0].problems[0])
    column AMK_NM: 1 × a category (S, I, R …) where an MIC belongs (row 3)
    """
    problems = file.find_problems(examples)
    codes = _resolve(file)
    known_codes = codes.filter(codes != "").drop_nulls()
    counts = Counter(known_codes.to_list())
    return Inspection(
        path=str(file.path),
        format=file.format.value,
        detail=file.table.detail,
        encoding=file.encoding,
        rows=file.frame.height,
        columns=file.frame.width,
        organism_column=file.organism_column,
        specimen_column=file.specimen_column,
        date_column=file.date_column,
        specimens=summarise_specimens(file, examples),
        patient_columns=tuple(columns_of_patients(file)),
        organisms=tuple(OrganismCount(code, ORGANISMS[code].name, count) for code, count in counts.most_common()),
        unknown_organisms=_unknown(file, codes, examples),
        missing_organisms=codes.null_count(),
        tests=tuple(_summarise(file, header, codes, problems) for header in file.test_columns),
        problems=tuple(problem for problem in problems if problem.column not in file.test_columns),
        headers=file.header_readings,
        phenotypes=_count_phenotypes(file),
    )


def _count_phenotypes(file: WhonetFile) -> dict[str, int]:
    """Return the number of mechanisms written after organisms' names, by WHONET's field and sign: ``ESBL +``."""
    if file.organism_column is None:
        return {}
    counts: Counter[str] = Counter()
    for text, count in zip(*_value_counts(file.frame[file.organism_column]), strict=True):
        counts.update({f"{fact} {sign}": count for fact, sign in split_phenotypes(text)[1].items()})
    return dict(counts)


def _resolve(file: WhonetFile) -> pl.Series:
    """Return the organism code of each row: null if missing, empty if unknown."""
    if file.organism_column is None:
        return pl.Series([None] * file.frame.height, dtype=pl.String)
    texts = file.frame[file.organism_column]
    distinct = texts.drop_nulls().unique().to_list()
    other_readings = file.readings_of(file.organism_column, distinct)
    resolved_codes = pl.Series(resolve_many([other_readings.get(text, text) for text in distinct]), dtype=pl.String)
    return texts.replace_strict(distinct, resolved_codes, default=None, return_dtype=pl.String)


def _unknown(file: WhonetFile, codes: pl.Series, examples: int) -> tuple[UnknownOrganism, ...]:
    if file.organism_column is None:
        return ()
    positions = (codes == "").fill_null(value=False).arg_true().to_numpy()
    texts = file.frame[file.organism_column].gather(positions).to_list()
    groups: dict[str | None, list[int]] = {}
    for position, text in zip(positions.tolist(), texts, strict=True):
        groups.setdefault(text.strip() if looks_like_an_organism(text) else None, []).append(position)
    ordered_groups = sorted(groups.items(), key=lambda group: -len(group[1]))
    return tuple(
        UnknownOrganism(text, len(rows), tuple(file.row_numbers(np.array(rows[:examples])).tolist()))
        for text, rows in ordered_groups
    )


def looks_like_an_organism(text: str) -> bool:
    """Tell whether a text may be shown: it is a short code, or its first word begins like an organism's name.

    Not every text of words may be shown, since a patient's name in the wrong column is words too. Of a hidden text only
    the row numbers are given.

    >>> looks_like_an_organism("Escherichia hispanica"), looks_like_an_organism("Ana Pérez")
    (True, False)
    """
    name = text.strip()
    if len(name) > _LONGEST_NAME:
        return False
    if _LIKE_A_CODE.fullmatch(name):
        return True
    return _LIKE_A_NAME.fullmatch(name) is not None and name[:_TELLING].casefold() in _beginnings()


@cache
def _beginnings() -> frozenset[str]:
    return frozenset(organism.name[:_TELLING].casefold() for organism in ORGANISMS.values())


def _summarise(file: WhonetFile, header: str, codes: pl.Series, problems: tuple[Problem, ...]) -> TestColumnSummary:
    test = file.test_columns[header]
    cells = file.frame[header]
    codes_with_results = codes.filter(cells.is_not_null())
    category_header = file.category_columns.get(header) or file.label_columns.get(header)
    own = tuple(problem for problem in problems if problem.column == header)
    lowest, highest, censored_share = _range(file, header) if test.is_mic else ("", "", 0.0)
    return TestColumnSummary(
        header=header,
        name=test.name,
        guideline=GUIDELINES[test.guideline],
        method=_METHODS[test.method],
        is_mic=test.is_mic,
        results=len(codes_with_results),
        organisms=codes_with_results.filter(codes_with_results != "").n_unique(),
        lowest=lowest,
        highest=highest,
        censored=censored_share,
        unreadable=sum(problem.count for problem in own if not problem.problem_class.is_readable),
        problems=own,
        category_header=category_header,
        labels=_count_labels(file.frame[category_header]) if category_header else None,
    )


def _range(file: WhonetFile, header: str) -> tuple[str, str, float]:
    """Return the lowest and the highest MIC, spelled as dilutions, and the share of MICs with a comparator."""
    texts, counts = _value_counts(file.frame[header])
    other_readings = file.readings_of(header, texts)
    codes = encode_mics([other_readings.get(text, text) for text in texts], file.test_columns[header].drug)
    readable = codes >= 0
    if not readable.any():
        return "", "", 0.0
    numbers = np.array(counts)[readable]
    codes = codes[readable]
    exponents, intervals = codes % DILUTIONS, codes // DILUTIONS
    # At one dilution "at most" reaches lower than exact, and "at least" higher.
    reach = np.array([0, -1, 1])[intervals]
    lowest = codes[np.lexsort((reach, exponents))[0]]
    highest = codes[np.lexsort((reach, exponents))[-1]]
    censored_share = float(numbers[intervals != Interval.EXACT].sum() / numbers.sum())
    return str(Mic.from_code(int(lowest))), str(Mic.from_code(int(highest))), censored_share


def _value_counts(cells: pl.Series) -> tuple[list[str], list[int]]:
    counts = cells.drop_nulls().value_counts(sort=True)
    return counts.to_series(0).to_list(), counts.to_series(1).to_list()


def _count_labels(cells: pl.Series) -> dict[str, int]:
    labels: Counter[str] = Counter()
    for text, count in zip(*_value_counts(cells), strict=True):
        label = read_label(text)
        if label is not None:
            labels[label.value] += count
    return dict(labels)
