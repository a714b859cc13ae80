"""Answering rows: the one code for every transport, independent of HTTP and JSON.

Rules, each with a test of like name:

- there is one answer per row and test column, in the order of the rows, and no row depends on another;
- every column whose name is a test's is answered, the others are ignored;
- a value that cannot be answered is refused with its reason, and the request still succeeds;
- if the request names one model, only the columns that this model answers are used;
- each row's specimen decides its body site, unless the request names one for all its rows; a specimen that cannot be
read is counted, and its row is answered as of unknown site; - every answer refers to its ground by number, and a
category that does not hold at every body site is marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.category import Reason
from sirena.domain.ground import Ground
from sirena.domain.site import Site
from sirena.domain.specimens import SPECIMEN_COLUMN
from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import NOT_ASKED
from sirena.panel.basis import IS_CATEGORY
from sirena.panel.compiled import Panel
from sirena.panel.layouts import NO_GROUND
from sirena.panel.lookup import factorise, read_column, resolve_text
from sirena.panel.sites import SITES, RowSites, read_specimen
from sirena.serving.errors import MalformedBodyError, NothingToAnswerError, UnknownModelError
from sirena.serving.mic_cells import RepeatedCells, mic_reader, text_of

ORGANISM_COLUMNS: Final = ("ORGANISM", "LOCAL_ORG")
"""Columns that hold the organism, in any letter case; the first one present is used."""
LONGEST_NAME: Final = 100
"""Longest column name, in characters, that can have a meaning."""
LONGEST_TEST_NAME: Final = 20
"""Longest name, in characters, of a test column."""
PANEL_MODEL: Final = "panel_SIR"
"""Name by which a request addresses the whole release as one model."""
_FEW_CELLS: Final = 32
"""Most cells for which answering one by one is faster than all at once."""
_IS_CATEGORY: Final = np.array(IS_CATEGORY)


@dataclass(frozen=True)
class Rows:
    """The rows of a request, column by column."""

    columns: Mapping[str, Sequence[Any]]
    """Cells by column name: text, number, or None for empty; any other type is refused as unreadable."""
    length: int
    """Number of rows."""
    site: Site | None = None
    """The body site of every row; None to take it from each row's specimen."""


@dataclass(frozen=True)
class AnsweredColumn:
    """The answers to one test column."""

    column: TestColumn
    answers: bytes
    """Positions in `ANSWERS`, one byte per row."""
    marks: bytes | None
    """Positions in `MARKS`, one byte per row; None if no row has a mark."""
    numbers: NDArray[np.int32]
    """Number of each row's ground in the release; `NO_GROUND` if there is none."""

    @property
    def grounds(self) -> list[int | None]:
        """The number of each row's ground, as a list; None for a row without a ground."""
        return [None if number == NO_GROUND else number for number in self.numbers.tolist()]


@dataclass(frozen=True)
class Interpretation:
    """The answers to a request."""

    panel: Panel
    """The panel that answered."""
    organisms: RepeatedCells
    """WHONET code of each row's organism; None if missing or unknown."""
    sites: RepeatedCells
    """Site of each row; None if the specimen could not be read, so that the site counted as unknown."""
    unknown_specimens: int
    """Number of rows whose specimen could not be read."""
    test_columns: Sequence[TestColumn]
    answers: NDArray[np.uint8]
    """Positions in `ANSWERS`, shape (columns, rows)."""
    numbers: NDArray[np.int32]
    """Number of the ground of each answer, same shape; `NO_GROUND` if there is none."""
    marks: NDArray[np.uint8] | None
    """Position in `MARKS` of each answer, same shape; None if no answer has a mark."""

    @property
    def release(self) -> str:
        """Name of the release that answered."""
        return self.panel.release

    @property
    def unknown_organisms(self) -> int:
        """Number of rows whose organism is missing or unknown."""
        is_unknown = np.array([organism is None for organism in self.organisms.distinct], dtype=bool)
        return int(is_unknown[self.organisms.positions].sum())

    @cached_property
    def columns(self) -> Sequence[AnsweredColumn]:
        """The answers of each test column."""
        marks = [None] * len(self.test_columns) if self.marks is None else [row.tobytes() for row in self.marks]
        return [
            AnsweredColumn(column, answers.tobytes(), own if own and any(own) else None, numbers)
            for column, answers, own, numbers in zip(self.test_columns, self.answers, marks, self.numbers, strict=True)
        ]

    @cached_property
    def tallies(self) -> Sequence[Mapping[int, int]]:
        """For each test column, the number of answers by position in `ANSWERS`, in ascending order."""
        return _tallies(self.answers)

    @cached_property
    def grounds(self) -> Mapping[int, Ground]:
        """The grounds that the answers refer to, by their number."""
        numbers = dict.fromkeys(number for tally in _tallies(self.numbers) for number in tally if number != NO_GROUND)
        return {number: self.panel.grounds[number] for number in numbers}


def _tallies(lines: NDArray[np.integer]) -> list[dict[int, int]]:
    """Return for each line how often each number occurs, in order of the numbers; no number is below `NO_GROUND`."""
    if lines.size <= _FEW_CELLS:
        return [{number: line.count(number) for number in sorted(set(line))} for line in lines.tolist()]
    width = int(lines.max()) - NO_GROUND + 1
    starts = width * np.arange(len(lines))[:, None] - NO_GROUND
    counts = np.bincount((lines + starts).ravel(), minlength=width * len(lines)).reshape(-1, width)
    tallies: list[dict[int, int]] = [{} for _ in lines]
    places = counts.nonzero()
    for line, place, count in zip(*(part.tolist() for part in (*places, counts[places])), strict=True):
        tallies[line][place + NO_GROUND] = count
    return tallies


def interpret(panel: Panel, rows: Rows, *, model: str = PANEL_MODEL) -> Interpretation:
    """Return the categories of a request's test columns, with their grounds.

    Args:
        panel: the loaded release.
        rows: the request.
        model: registered name of the model; `PANEL_MODEL` for the whole release.

    Raises:
        UnknownModelError: the release has no model of this name.
        NothingToAnswerError: there is no organism column, or no test column that the model answers.
        MalformedBodyError: a test, the organism or the specimen has two columns.
    """
    tests = _tests_of_model(panel, rows, model)
    few = rows.length * len(tests) <= _FEW_CELLS
    return _answer_few(panel, rows, tests) if few else _answer_many(panel, rows, tests)


def _answer_few(panel: Panel, rows: Rows, tests: Sequence[tuple[TestColumn, Sequence[Any]]]) -> Interpretation:
    organisms = [resolve_text(text_of(cell)) for cell in rows.columns[_organism_column(rows)]]
    header = _specimen_column(rows)
    if rows.site is not None or header is None:
        sites: list[Site | None] = [rows.site or Site.UNKNOWN] * rows.length
    else:
        sites = [read_specimen(text_of(cell)) for cell in rows.columns[header]]
    answers, numbers, marks = [], [], []
    for column, cells in tests:
        for organism, cell, row_site in zip(organisms, cells, sites, strict=True):
            site = row_site or Site.UNKNOWN
            answer = panel.answer_resolved(column.name, organism, text_of(cell), site)
            number = panel.ground_number(column.name, organism, site) if answer else NO_GROUND
            answers.append(answer)
            numbers.append(number)
            marks.append(panel.mark_of(number, site) if IS_CATEGORY[answer] else 0)
    shape = len(tests), rows.length
    positions = np.arange(rows.length)
    return Interpretation(
        panel,
        RepeatedCells([organism or None for organism in organisms], positions),
        RepeatedCells(sites, positions),
        sites.count(None),
        [column for column, _ in tests],
        np.array(answers, dtype=np.uint8).reshape(shape),
        np.array(numbers, dtype=np.int32).reshape(shape),
        np.array(marks, dtype=np.uint8).reshape(shape) if any(marks) else None,
    )


def _answer_many(panel: Panel, rows: Rows, tests: Sequence[tuple[TestColumn, Sequence[Any]]]) -> Interpretation:
    columns = [column for column, _ in tests]
    codes = np.array([mic_reader(column.drug).codes(cells) for column, cells in tests])
    subjects = _Subjects.of(rows)
    wide = panel.wide
    lines = np.array([wide.rows(*subject) for subject in subjects.distinct], dtype=np.intp)
    # of shape (columns, subjects), also where there are no rows
    lines = lines.reshape(len(subjects.distinct), wide.width)[:, [wide.place(column) for column in columns]].T
    answers = wide.answers(lines.take(subjects.rows, axis=1), codes)
    grounds = wide.grounds[lines]
    numbers = grounds.take(subjects.rows, axis=1)
    numbers[answers == NOT_ASKED] = NO_GROUND
    marks = panel.marks[[SITES.index(site) for _, site in subjects.distinct], grounds]
    # a mark costs as much as the answer, and most requests have none
    row_marks = np.where(_IS_CATEGORY[answers], marks.take(subjects.rows, axis=1), np.uint8(0)) if marks.any() else None
    return Interpretation(
        panel, subjects.organisms, subjects.sites, subjects.unknown_specimens, columns, answers, numbers, row_marks
    )


@dataclass(frozen=True)
class _Subjects:
    """The pairs of organism and site that rows ask about."""

    organisms: RepeatedCells
    sites: RepeatedCells
    unknown_specimens: int
    distinct: Sequence[tuple[str | None, Site]]
    """The distinct pairs."""
    rows: NDArray[np.intp]
    """Position of each row's pair in `distinct`."""

    @classmethod
    def of(cls, rows: Rows) -> "_Subjects":
        texts, positions = _distinct_texts(rows.columns[_organism_column(rows)])
        organisms = [resolve_text(text) for text in texts]
        header = _specimen_column(rows)
        if rows.site is not None or header is None:
            sites = RowSites.of_one_site(rows.site or Site.UNKNOWN, rows.length)
        else:
            sites = RowSites.of_specimens(*_distinct_texts(rows.columns[header]))
        pairs, row_pairs = np.unique(sites.rows * len(organisms) + positions, return_inverse=True)
        site_positions = sites.rows.copy()
        site_positions[sites.unread_rows] = len(sites.sites)
        return cls(
            RepeatedCells([organism or None for organism in organisms], positions),
            RepeatedCells([*sites.sites, None], site_positions),
            len(sites.unread_rows),
            [(organisms[pair % len(organisms)], sites.sites[pair // len(organisms)]) for pair in pairs.tolist()],
            row_pairs,
        )


def _distinct_texts(cells: Sequence[Any]) -> tuple[Sequence[str | None], NDArray[np.integer]]:
    """Return distinct texts of cells, and the position of each row's text among them."""
    # what came as a dictionary may hold more texts than there are rows
    if isinstance(cells, RepeatedCells) and len(cells.distinct) <= len(cells):
        return [text_of(cell) for cell in cells.distinct], cells.positions
    return factorise(map(text_of, cells))


def model_version(panel: Panel, model: str) -> str:
    """Return the version of a model in the release; for `PANEL_MODEL` the release's name.

    Raises:
        UnknownModelError: the release has no model of this name.
    """
    if model == PANEL_MODEL:
        return panel.release
    return str(panel.provenance.get(model_column(panel, model), {}).get("version", ""))


def _tests_of_model(panel: Panel, rows: Rows, model: str) -> list[tuple[TestColumn, Sequence[Any]]]:
    label = None if model == PANEL_MODEL else model_column(panel, model)
    tests: dict[str, tuple[TestColumn, Sequence[Any]]] = {}
    for name, cells in rows.columns.items():
        column = read_column(name) if len(name) <= LONGEST_TEST_NAME else None
        if column is None or (label is not None and (column.model_column != label or not column.is_mic)):
            continue
        if column.name in tests:
            raise MalformedBodyError("two columns name the same test", hint="send each test column once")
        tests[column.name] = (column, cells)
    if not tests:
        example = label or next(iter(panel.tables), "AMK_NM")
        raise NothingToAnswerError(
            "no column of the request names a test" + (" this model answers" if label else ""),
            hint=f"send a column such as {example} beside ORGANISM",
        )
    return list(tests.values())


def model_column(panel: Panel, model: str) -> str:
    """Return the test column that a registered model answers.

    Raises:
        UnknownModelError: the release has no model of this name.
    """
    column = model.removeprefix("modelo_")
    if column == model or column not in panel.tables:
        raise UnknownModelError(
            "the loaded release has no model of this name", hint=f"GET /version lists them; {PANEL_MODEL} is the whole"
        )
    return column


def _organism_column(rows: Rows) -> str:
    for candidate in ORGANISM_COLUMNS:
        name = _only(rows, candidate)
        if name is not None:
            return name
    raise NothingToAnswerError(
        "no column of the request names the organism",
        hint="send a column ORGANISM with WHONET codes (eco) or species names",
    )


def _specimen_column(rows: Rows) -> str | None:
    return _only(rows, SPECIMEN_COLUMN)


def _only(rows: Rows, meaning: str) -> str | None:
    names = [name for name in rows.columns if name.strip().upper() == meaning]
    if len(names) > 1:
        raise MalformedBodyError(f"several columns are called {meaning}", hint="send each column once")
    return names[0] if names else None


def column_provenance(panel: Panel, column: TestColumn) -> dict[str, Any]:
    """Return the provenance of a test column's answers: model, version, release, guideline edition and basis.

    If no model answers the column, all values except the release are None, and the reason is added.
    """
    if not column.is_mic or column.model_column not in panel.tables:
        reason = Reason.NO_MODEL if column.is_mic else Reason.NOT_AN_MIC
        empty_provenance = dict.fromkeys(("model", "version", "edition", "basis"))
        return {**empty_provenance, "release": panel.release, "reason": reason.value, "explanation": reason.sentence}
    return {"model": column.model_name, "release": panel.release, **panel.provenance_of(column.name)}
