"""The one way of answering: rows in, answers with their provenance out. Knows neither HTTP nor JSON.

Rules, each with a test of like name:

- one answer per row and test column, in the order of the rows; rows never meet one another;
- every column of the request that names a test is answered, the others are ignored;
- what cannot be answered is refused value by value with its reason, and never fails the request;
- asked by one model's name, only the columns that this model answers count;
- each row's specimen decides its site, unless the request names one site for all its rows; a specimen that cannot be
  read is counted and answered as an unknown site;
- every answer refers to its ground by number, and a category that does not hold at every site is marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.category import Reason
from sirena.domain.ground import Ground
from sirena.domain.mic import MISSING
from sirena.domain.site import Site
from sirena.domain.specimens import SPECIMEN_COLUMN
from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import NOT_ASKED
from sirena.panel.basis import IS_CATEGORY
from sirena.panel.compiled import NO_GROUND, Panel
from sirena.panel.lookup import factorise, read_column, refusal_of, resolve_text
from sirena.panel.sites import RowSites, read_specimen
from sirena.serving.errors import MalformedBodyError, NothingToAnswerError, UnknownModelError
from sirena.serving.mic_cells import mic_reader, text_of

ORGANISM_COLUMNS: Final = ("ORGANISM", "LOCAL_ORG")
"""Columns that hold the organism, the first present counts; any case."""
LONGEST_NAME: Final = 100
"""Letters of a column's name; a longer one names nothing."""
LONGEST_TEST_NAME: Final = 20
"""Letters of a name that may be a test column's."""
PANEL_MODEL: Final = "panel_SIR"
"""Name of the whole release as one model."""
_FEW_ROWS: Final = 16
_IS_CATEGORY: Final = np.array(IS_CATEGORY)


@dataclass(frozen=True)
class Rows:
    """The rows of a request, column by column."""

    columns: Mapping[str, Sequence[Any]]
    """Cells by column name: text, number, or None for empty; whatever else came is junk and refused as such."""
    length: int
    """Number of rows."""
    site: Site | None = None
    """The site of every row; None lets each row's specimen decide."""


@dataclass(frozen=True)
class AnsweredColumn:
    """The answers to one test column."""

    column: TestColumn
    answers: bytes
    """Positions in `ANSWERS`, one per row."""
    marks: bytes | None
    """Positions in `MARKS`, one per row; None when no row has a mark."""
    numbers: NDArray[np.int32]
    """Number of each row's ground in the release; `NO_GROUND` where no row of a guideline or of labels answers."""

    @cached_property
    def grounds(self) -> list[int | None]:
        """The same as a list, None where there is no ground."""
        return [None if number == NO_GROUND else number for number in self.numbers.tolist()]

    @property
    def distinct_grounds(self) -> list[int]:
        """The grounds that are referred to, in the order of their numbers."""
        occurrences = np.bincount(self.numbers - NO_GROUND)
        occurrences[:1] = 0  # those of `NO_GROUND`
        distinct: list[int] = (np.flatnonzero(occurrences) + NO_GROUND).tolist()
        return distinct

    @cached_property
    def distinct_answers(self) -> frozenset[int]:
        """Positions in `ANSWERS` that occur."""
        return frozenset(self.answers)


@dataclass(frozen=True)
class Interpretation:
    """The answers to a request."""

    release: str
    organisms: Sequence[str | None]
    """WHONET code that each row's organism was read as; None when missing or unknown."""
    sites: Sequence[Site | None]
    """Site of each row; None where the specimen could not be read and the site counted as unknown."""
    columns: Sequence[AnsweredColumn]
    grounds: Mapping[int, Ground]
    """The grounds that the answers refer to, by number."""

    @property
    def unknown_specimens(self) -> int:
        """Number of rows whose specimen could not be read."""
        return sum(site is None for site in self.sites)

    @property
    def unknown_organisms(self) -> int:
        """Number of rows whose organism is missing or unknown."""
        return self.organisms.count(None)


def interpret(panel: Panel, rows: Rows, *, model: str = PANEL_MODEL) -> Interpretation:
    """Answer every test column of every row.

    Args:
        panel: the loaded release.
        rows: the request.
        model: registered name; `PANEL_MODEL` asks the whole release.

    Raises:
        UnknownModelError: the release has no model of this name.
        NothingToAnswerError: no organism column, or no test column the model could be asked about.
        MalformedBodyError: two columns name one test.
    """
    asked = _asked_columns(panel, rows, model)
    organisms = [resolve_text(text_of(cell)) for cell in rows.columns[_organism_column(rows)]]
    if rows.length <= _FEW_ROWS:
        sites = _sites(rows)
        answered = [_answer_few(panel, column, cells, organisms, sites) for column, cells in asked]
    else:
        row_sites = _row_sites(rows)
        sites = row_sites.of_each_row()
        subjects = _Subjects.of(organisms, row_sites)
        answered = [_answer_many(panel, column, cells, subjects) for column, cells in asked]
    numbers: dict[int, None] = {}
    for answers in answered:
        numbers |= dict.fromkeys(answers.distinct_grounds)
    grounds = {number: panel.grounds[number] for number in numbers}
    return Interpretation(panel.release, [code or None for code in organisms], sites, answered, grounds)


def _answer_few(
    panel: Panel,
    column: TestColumn,
    cells: Sequence[Any],
    organisms: Sequence[str | None],
    sites: Sequence[Site | None],
) -> AnsweredColumn:
    name = column.name
    codes, grounds, marks = [], [], []
    for organism, cell, read in zip(organisms, cells, sites, strict=True):
        site = read or Site.UNKNOWN
        code = panel.answer_resolved(name, organism, text_of(cell), site)
        number = panel.ground_number(name, organism, site) if code else NO_GROUND
        codes.append(code)
        grounds.append(number)
        marks.append(panel.mark_of(number, site) if IS_CATEGORY[code] else 0)
    return AnsweredColumn(column, bytes(codes), bytes(marks) if any(marks) else None, np.array(grounds, dtype=np.int32))


@dataclass(frozen=True)
class _Subjects:
    """Whom many rows ask about: distinct organisms, the site of each row, and both as one number."""

    organisms: Sequence[str | None]
    positions: NDArray[np.intp]
    """Position of each row's organism."""
    sites: RowSites
    pairs: NDArray[np.intp]
    """Number of each row's pair of site and organism, the sites outermost."""

    @classmethod
    def of(cls, organisms: Sequence[str | None], sites: RowSites) -> "_Subjects":
        distinct, positions = factorise(organisms)
        return cls(distinct, positions, sites, sites.rows * len(distinct) + positions)


def _answer_many(panel: Panel, column: TestColumn, cells: Sequence[Any], subjects: _Subjects) -> AnsweredColumn:
    codes = mic_reader(column.drug).codes(cells)
    wide = panel.wide.get(column.model_column) if column.is_mic else None
    if wide is None:
        answers = np.where(codes == MISSING, NOT_ASKED, refusal_of(column)).astype(np.uint8)
        return AnsweredColumn(column, answers.tobytes(), None, np.full(len(codes), NO_GROUND, dtype=np.int32))
    at_sites = [wide.rows(subjects.organisms, site) for site in subjects.sites.sites]
    rows_of_pairs = np.array(at_sites, dtype=np.intp).ravel()
    rows = rows_of_pairs[subjects.pairs]
    answers = wide.cells[rows, codes]
    numbers = wide.grounds[rows]
    numbers[answers == NOT_ASKED] = NO_GROUND
    sites = [site for site in subjects.sites.sites for _ in subjects.organisms]
    pairs = zip(wide.grounds[rows_of_pairs].tolist(), sites, strict=True)
    marks = [panel.mark_of(number, site) for number, site in pairs]
    # a mark costs more than the answer, and most columns have none
    row_marks = _row_marks(marks, subjects, answers) if any(marks) else None
    return AnsweredColumn(column, answers.tobytes(), row_marks, numbers)


def _row_marks(marks: Sequence[int], subjects: _Subjects, answers: NDArray[np.uint8]) -> bytes | None:
    row_marks = np.where(_IS_CATEGORY[answers], np.array(marks, dtype=np.uint8)[subjects.pairs], 0).astype(np.uint8)
    return row_marks.tobytes() if row_marks.any() else None


def _sites(rows: Rows) -> list[Site | None]:
    """Return the site of each row."""
    header = _specimen_column(rows)
    if rows.site is not None or header is None:
        return [rows.site or Site.UNKNOWN] * rows.length
    return [read_specimen(text_of(cell)) for cell in rows.columns[header]]


def _row_sites(rows: Rows) -> RowSites:
    header = _specimen_column(rows)
    if rows.site is not None or header is None:
        return RowSites.alike(rows.site or Site.UNKNOWN, rows.length)
    return RowSites.of_specimens(*factorise(map(text_of, rows.columns[header])))


def model_version(panel: Panel, model: str) -> str:
    """Return the version of a model of the release; the release's own name for the panel.

    Raises:
        UnknownModelError: the release has no model of this name.
    """
    if model == PANEL_MODEL:
        return panel.release
    return str(panel.provenance.get(model_column(panel, model), {}).get("version", ""))


def _asked_columns(panel: Panel, rows: Rows, model: str) -> list[tuple[TestColumn, Sequence[Any]]]:
    wanted = None if model == PANEL_MODEL else model_column(panel, model)
    asked: dict[str, tuple[TestColumn, Sequence[Any]]] = {}
    for name, cells in rows.columns.items():
        column = read_column(name) if len(name) <= LONGEST_TEST_NAME else None
        if column is None or (wanted is not None and (column.model_column != wanted or not column.is_mic)):
            continue
        if column.name in asked:
            raise MalformedBodyError("two columns name the same test", hint="send each test column once")
        asked[column.name] = (column, cells)
    if not asked:
        example = wanted or next(iter(panel.tables), "AMK_NM")
        raise NothingToAnswerError(
            "no column of the request names a test" + (" this model answers" if wanted else ""),
            hint=f"send a column such as {example} beside ORGANISM",
        )
    return list(asked.values())


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
    names = {name.strip().upper(): name for name in rows.columns}
    for candidate in ORGANISM_COLUMNS:
        if candidate in names:
            return names[candidate]
    raise NothingToAnswerError(
        "no column of the request names the organism",
        hint="send a column ORGANISM with WHONET codes (eco) or species names",
    )


def _specimen_column(rows: Rows) -> str | None:
    return next((name for name in rows.columns if name.strip().upper() == SPECIMEN_COLUMN), None)


def column_provenance(panel: Panel, column: TestColumn) -> dict[str, Any]:
    """Return where the answers to a test column come from: model, version, release, edition and basis.

    Where no model answers they are null, and the reason stands beside them.
    """
    if not column.is_mic or column.model_column not in panel.tables:
        reason = Reason.NO_MODEL if column.is_mic else Reason.NOT_AN_MIC
        nothing = dict.fromkeys(("model", "version", "edition", "basis"))
        return {**nothing, "release": panel.release, "reason": reason.value, "explanation": reason.sentence}
    return {"model": column.model_name, "release": panel.release, **panel.provenance_of(column.name)}
