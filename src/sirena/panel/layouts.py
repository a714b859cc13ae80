"""Truth tables laid out for answering: each as plain bytes for single answers, and all joined in one array for many."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..domain.category import Category, Reason
from ..domain.ground import Ground
from ..domain.mic import CODES, IMPOSSIBLE, MISSING, UNREADABLE
from ..domain.site import Site
from ..domain.test_column import TestColumn
from ..domain.truth_table import NOT_ASKED, TruthTable, answer_code, split_key
from .lookup import NO_MODEL, NOT_AN_MIC, refusal_of

NO_GROUND: Final = -1
"""Stands for the number of a ground if there is none."""
_REFUSED_MICS: Final = {
    MISSING: NOT_ASKED,
    UNREADABLE: answer_code(Category.NI, Reason.UNREADABLE_MIC),
    IMPOSSIBLE: answer_code(Category.NI, Reason.IMPOSSIBLE_MIC),
}
"""Answers for the negative MIC codes: missing, unreadable, impossible."""
_WIDTH: Final = len(_REFUSED_MICS) + CODES
_REFUSED_ORGANISMS: Final = (-1, -2, -3, -4)
_MISSING_ORGANISM, _UNKNOWN_ORGANISM, _ABSENT, _ELSEWHERE = _REFUSED_ORGANISMS
_REFUSED_COLUMNS: Final = (NO_MODEL, NOT_AN_MIC)


def once_each(grounds: Sequence[Ground]) -> Sequence[Ground]:
    """Return each ground object once; the objects are compared by identity, because hashing their fields takes long.

    >>> from sirena.domain.ground import GroundKind
    >>> ground = Ground(GroundKind.NONE, "CLSI 2026")
    >>> len(once_each([ground, ground]))
    1
    """
    return list({id(ground): ground for ground in grounds}.values())


_NOWHERE: Final = -1
"""Offset of an organism that the table does not know."""
_ONLY_ELSEWHERE: Final = -2
"""Offset of an organism that the table knows at other sites only."""


class FlatTable:
    """A truth table as plain bytes: an answer costs one look-up of the organism and two array accesses.

    The bytes belong to arrays that processes may share.
    """

    __slots__ = ("_arrays", "_offsets", "_organisms", "absent", "cells", "elsewhere", "ground_of")

    def __init__(
        self,
        absent: Reason,
        organisms: Mapping[str, int],
        cells: NDArray[np.uint8],
        offsets: NDArray[np.int32],
        ground_of: NDArray[np.int32],
    ) -> None:
        """Keep the arrays that `of_table` made.

        Args:
            absent: reason for refusing an organism that the table does not know.
            organisms: number of each organism in the release.
            cells: cells of the table.
            offsets: beginning of the row that answers, by position of the site in `Site` and number of the organism.
            ground_of: number of each row's ground; empty if the table has no grounds.
        """
        self._arrays = absent, organisms, cells, offsets, ground_of
        self.absent = answer_code(Category.NI, absent)
        self.elsewhere = answer_code(Category.NI, Reason.OTHER_SITE)
        self._organisms = organisms
        self.cells = cells.reshape(-1).data
        """The table's cells as bytes: positions in `ANSWERS`."""
        self._offsets = {site: offsets[position].data for position, site in enumerate(Site)}
        self.ground_of = ground_of.data

    @classmethod
    def of_table(cls, table: TruthTable, number_of: Mapping[Ground, int], organisms: Mapping[str, int]) -> "FlatTable":
        """Create the object from a truth table.

        Args:
            table: the table.
            number_of: number of each ground in the release.
            organisms: number of each organism in the release.
        """
        offsets = np.full((len(Site), len(organisms)), _NOWHERE, dtype=np.int32)
        keys = [(organisms[organism], site) for organism, site in map(split_key, table.keys)]
        places = np.array([place for place, _ in keys], dtype=np.intp)
        begins = np.arange(len(keys), dtype=np.int32) * CODES
        everywhere = np.array([site is None for _, site in keys], dtype=bool)
        offsets[:, places] = _ONLY_ELSEWHERE
        offsets[:, places[everywhere]] = begins[everywhere]
        for position, site in enumerate(Site):
            site_rows = [row for row, (_, of_row) in enumerate(keys) if of_row is site]
            offsets[position, places[site_rows]] = begins[site_rows]
        number = {id(ground): number_of[ground] for ground in once_each(table.grounds)}
        ground_of = np.array([number[id(ground)] for ground in table.grounds], dtype=np.int32)
        return cls(table.absent, organisms, table.cells, offsets, ground_of)

    def __reduce__(self) -> tuple[type["FlatTable"], tuple[object, ...]]:
        """Return how unpickling makes the table from the same arrays."""
        return FlatTable, self._arrays

    def offset(self, organism: str, site: Site) -> int | None:
        """Return the offset of the row that answers for an organism at a body site; None if there is no such row."""
        place = self._organisms.get(organism)
        if place is None:
            return None
        offset = self._offsets[site][place]
        return offset if offset >= 0 else None

    def is_elsewhere(self, organism: str, site: Site) -> bool:
        """Tell whether an organism has rows, but none for this body site."""
        place = self._organisms.get(organism)
        return place is not None and self._offsets[site][place] == _ONLY_ELSEWHERE


class WideTables:
    """The truth tables of a release joined one below the other, with rows and columns added for refusals.

    So one look-up answers many rows of many columns, including those that are refused: because no table answers the
    column; else because the MIC is empty, unreadable or impossible; else because the organism is missing or unknown, as
    in `TruthTable.look_up`.
    """

    def __init__(self, tables: Mapping[str, TruthTable], flat: Mapping[str, FlatTable]) -> None:
        """Add the refusals to the tables and join them.

        Args:
            tables: truth table of each model column.
            flat: the same tables as bytes, in the same order.
        """
        parts = [_refused_columns(), *(_widened(table, flat[column]) for column, table in tables.items())]
        self._cells = np.concatenate([cells for cells, _ in parts])
        """Positions in `ANSWERS` by row and MIC code; the columns of refused MICs come first."""
        self.grounds = np.concatenate([grounds for _, grounds in parts])
        """Number of the ground of each row."""
        ends = np.cumsum([len(cells) for cells, _ in parts]).tolist()
        self._flat = [(start, end, flat[column]) for start, end, column in zip(ends, ends[1:], tables, strict=False)]
        self._places = {column: place for place, column in enumerate(tables, start=len(_REFUSED_COLUMNS))}
        self._rows: dict[tuple[str | None, Site], NDArray[np.intp]] = {}

    @property
    def width(self) -> int:
        """Number of rows that `rows` returns."""
        return len(_REFUSED_COLUMNS) + len(self._flat)

    def answers(self, rows: NDArray[np.intp], codes: NDArray[np.int16]) -> NDArray[np.uint8]:
        """Return positions in `ANSWERS` for rows and MIC codes, two arrays of the same shape."""
        # one index into one line is found sooner than a pair
        answers: NDArray[np.uint8] = self._cells.take(rows * _WIDTH + (codes + len(_REFUSED_MICS)))
        return answers

    def place(self, column: TestColumn) -> int:
        """Return the index, in the result of `rows`, of the row that answers or refuses a test column."""
        place = self._places.get(column.model_column) if column.is_mic else None
        return _REFUSED_COLUMNS.index(refusal_of(column)) if place is None else place

    def rows(self, organism: str | None, site: Site) -> NDArray[np.intp]:
        """Return, for each table, the row that answers or refuses an organism at a body site; `place` gives its index.

        Args:
            organism: WHONET code; None is missing, "" unknown.
            site: the body site of the infection.
        """
        rows = self._rows.get((organism, site))
        if rows is None:
            answering_rows = [self._row(start, end, flat, organism, site) for start, end, flat in self._flat]
            rows = np.array([*range(len(_REFUSED_COLUMNS)), *answering_rows], dtype=np.intp)
            self._rows[organism, site] = rows  # as many as there are codes and sites
        return rows

    @staticmethod
    def _row(start: int, end: int, flat: FlatTable, organism: str | None, site: Site) -> int:
        if organism is None:
            return end + _MISSING_ORGANISM
        if not organism:
            return end + _UNKNOWN_ORGANISM
        offset = flat.offset(organism, site)
        if offset is not None:
            return start + offset // CODES
        return end + (_ELSEWHERE if flat.is_elsewhere(organism, site) else _ABSENT)


def _refused_columns() -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    cells = np.repeat(np.array(_REFUSED_COLUMNS, dtype=np.uint8)[:, None], _WIDTH, axis=1)
    cells[:, len(_REFUSED_MICS) + MISSING] = NOT_ASKED
    return cells, np.full(len(cells), NO_GROUND, dtype=np.int32)


def _widened(table: TruthTable, flat: FlatTable) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return a table's cells and grounds, with rows added for refused organisms and columns for refused MICs."""
    length = len(table.keys)
    cells = np.empty((length + len(_REFUSED_ORGANISMS), _WIDTH), dtype=np.uint8)
    cells[:length, len(_REFUSED_MICS) :] = table.cells
    cells[_MISSING_ORGANISM] = answer_code(Category.NI, Reason.MISSING_ORGANISM)
    cells[_UNKNOWN_ORGANISM] = answer_code(Category.NI, Reason.UNKNOWN_ORGANISM)
    cells[_ABSENT] = flat.absent
    cells[_ELSEWHERE] = flat.elsewhere
    for code, answer in _REFUSED_MICS.items():
        cells[:, len(_REFUSED_MICS) + code] = answer
    grounds = np.full(len(cells), NO_GROUND, dtype=np.int32)
    grounds[: len(flat.ground_of)] = flat.ground_of
    return cells, grounds
