"""The panel of models: a release compiled for answering.

A certified model is its truth table, so a release is a set of small arrays, and answers need neither TensorFlow nor
MLflow. This module needs nothing but NumPy and `domain`: it travels inside every logged
model, and MLflow's stock server answers with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..domain.ground import Ground
from ..domain.mic import CODES, MISSING
from ..domain.site import Site
from ..domain.truth_table import ANSWERS, NOT_ASKED, Answer, TruthTable, split_key
from .basis import mark_position
from .layouts import NO_GROUND, FlatTable, WideTables, once_each
from .lookup import (
    cross_answers,
    encode_text,
    factorise,
    read_column,
    refusal_of,
    resolve_text,
    resolve_texts,
)
from .sites import SITES, RowSites

FORMAT: Final = "sirena-panel/2"
"""Name and version of the JSON form."""
ACTIVE: Final = "active"
"""Word by which people name the release that answers now."""


@dataclass(frozen=True)
class Panel:
    """The truth tables of a release, and the provenance of each."""

    tables: Mapping[str, TruthTable]
    """Truth table of each model column, ``AMK_NM``."""
    provenance: Mapping[str, Mapping[str, str]]
    """For each model column: ``model``, ``version``, ``release``, ``edition`` and ``basis`` (source of the labels)."""
    release: str
    """Name of the release."""

    def __post_init__(self) -> None:
        for column, table in self.tables.items():
            if table.column != column:
                raise ValueError(f"panel {self.release}: the table of {column} answers {table.column}")

    def table_of(self, column: str) -> TruthTable | None:
        """Return the truth table that answers a test column (``AMK_NM`` answers ``AMK_NE``); None if there is none."""
        test_column = read_column(column)
        return None if test_column is None else self.tables.get(test_column.model_column)

    def provenance_of(self, column: str) -> Mapping[str, str]:
        """Return the provenance of a test column's answers; empty if no model answers the column."""
        test_column = read_column(column)
        if test_column is None or not test_column.is_mic:
            return {}
        return self.provenance.get(test_column.model_column, {})

    def answer_column(
        self,
        column: str,
        organisms: Sequence[str | None],
        mics: Sequence[str | None],
        sites: RowSites | None = None,
    ) -> NDArray[np.uint8]:
        """Return the answers of a test column, for one organism and one MIC per row.

        Each distinct text is read once, so the cost depends on the variety of texts and not on the number of rows.

        Args:
            column: test column, ``AMK_NM``; any other name gives `Reason.NO_MODEL`.
            organisms: WHONET code or name of each row, as written; None or empty is missing.
            mics: MIC of each row, as written: ``<=0.5``; None or an empty text gets no answer.
            sites: the body site of each row; unknown for all of them by default.

        Returns:
            uint8 array of positions in `ANSWERS`, one per row.

        Raises:
            ValueError: organisms, mics and sites differ in length.
        """
        distinct, rows = factorise(organisms)
        everywhere = sites or RowSites.of_one_site(Site.UNKNOWN, len(rows))
        return self.answer_factorised(column, resolve_texts(distinct), rows, mics, everywhere)

    def answer_factorised(
        self,
        column: str,
        organisms: Sequence[str | None],
        rows: NDArray[np.intp],
        mics: Sequence[str | None],
        sites: RowSites,
    ) -> NDArray[np.uint8]:
        """Return the same as `answer_column`, for organisms that were read once for all columns.

        Args:
            column: test column, ``AMK_NM``.
            organisms: distinct WHONET codes; None is missing, "" unknown.
            rows: position of each row's organism in `organisms`.
            mics: MIC of each row, as written.
            sites: the body site of each row.

        Returns:
            uint8 array of positions in `ANSWERS`, one per row.

        Raises:
            ValueError: rows, mics and sites differ in length.
        """
        if not len(rows) == len(mics) == len(sites.rows):
            raise ValueError(f"{len(rows)} organisms for {len(mics)} MICs at {len(sites.rows)} sites")
        distinct, mic_rows = factorise(mics)
        test_column = read_column(column)
        drug = test_column.drug if test_column else None
        codes = np.array([encode_text(text, drug) for text in distinct], dtype=np.int16)
        answers = cross_answers(test_column, self.table_of(column), organisms, codes, sites.sites)
        row_answers: NDArray[np.uint8] = answers[sites.rows, rows, mic_rows]
        return row_answers

    def answer_one(
        self, column: str, organism: str | None, mic: str | None, site: Site = Site.UNKNOWN
    ) -> Answer | None:
        """Return the answer for one organism and MIC; None means "not asked", for an empty MIC."""
        return ANSWERS[self.answer_resolved(column, resolve_text(organism), mic, site)]

    def answer_resolved(self, column: str, organism: str | None, mic: str | None, site: Site = Site.UNKNOWN) -> int:
        """Return the answer for one organism whose code is known; the service's fast way to a single answer.

        Args:
            column: test column, ``AMK_NM``.
            organism: WHONET code; None is missing, "" unknown.
            mic: the MIC, as written.
            site: the body site of the infection.

        Returns:
            Position in `ANSWERS`.
        """
        test_column = read_column(column)
        code = encode_text(mic, test_column.drug if test_column else None)
        if code == MISSING:
            return NOT_ASKED
        if test_column is None or not test_column.is_mic or test_column.model_column not in self.tables:
            return refusal_of(test_column)
        flat = self.flat[test_column.model_column]
        if code >= 0 and organism:
            offset = flat.offset(organism, site)
            if offset is not None:
                return flat.cells[offset + code]
            return flat.elsewhere if flat.is_elsewhere(organism, site) else flat.absent
        table = self.tables[test_column.model_column]
        return int(table.look_up([organism], np.array([code], dtype=np.int16), site)[0, 0])

    @cached_property
    def grounds(self) -> tuple[Ground, ...]:
        """Every distinct ground of the release; a ground's position here is its number."""
        tables = self.tables.values()
        return tuple(dict.fromkeys(ground for table in tables for ground in once_each(table.grounds)))

    def ground_number(self, column: str, organism: str | None, site: Site) -> int:
        """Return the number of the ground for an organism code at a body site; `NO_GROUND` if there is none."""
        return self.ground_numbers(column, (organism,), site)[0]

    def ground_numbers(self, column: str, organisms: Sequence[str | None], site: Site) -> list[int]:
        """Return the number of the ground for each of several organisms, as `ground_number` does for one."""
        test_column = read_column(column)
        flat = self.flat.get(test_column.model_column) if test_column is not None and test_column.is_mic else None
        if flat is None or not flat.ground_of:
            return [NO_GROUND] * len(organisms)
        offsets = (flat.offset(organism, site) if organism else None for organism in organisms)
        return [NO_GROUND if offset is None else flat.ground_of[offset // CODES] for offset in offsets]

    def mark_of(self, number: int, site: Site) -> int:
        """Return the position in `MARKS` of the mark of ground `number` (the reason of an answer) at a body site."""
        return int(self.marks[SITES.index(site), number])

    @cached_property
    def marks(self) -> NDArray[np.uint8]:
        """Positions in `MARKS`: a row for each of `SITES`, a column per ground number, the last for `NO_GROUND`."""
        marks = [[*(mark_position(ground, site) for ground in self.grounds), 0] for site in SITES]
        return np.array(marks, dtype=np.uint8)

    @cached_property
    def flat(self) -> dict[str, FlatTable]:
        """The truth tables laid out for single answers, by model column."""
        number_of = {ground: number for number, ground in enumerate(self.grounds)}
        names = dict.fromkeys(split_key(key)[0] for table in self.tables.values() for key in table.keys)
        organisms = {name: place for place, name in enumerate(names)}
        return {column: FlatTable.of_table(table, number_of, organisms) for column, table in self.tables.items()}

    @cached_property
    def wide(self) -> WideTables:
        """The truth tables laid out for answering many rows at once."""
        return WideTables(self.tables, self.flat)

    def to_json(self) -> dict[str, Any]:
        """Return the panel as plain JSON values; `from_json` reads them."""
        return {
            "format": FORMAT,
            "release": self.release,
            "provenance": {column: dict(facts) for column, facts in self.provenance.items()},
            "tables": {column: table.to_json() for column, table in self.tables.items()},
        }

    @classmethod
    def of_release(cls, document: Mapping[str, Any], name: str) -> "Panel":
        """Create the panel from a release's file, with the release's name in the provenance of each answer.

        Args:
            document: content of the file, from `to_json`.
            name: name of the release, ``panel_SIR/3``.
        """
        panel = cls.from_json(document)
        provenance = {column: {**facts, "release": name} for column, facts in panel.provenance.items()}
        return cls(panel.tables, provenance, release=name)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Panel":
        """Create the panel from what `to_json` returned.

        Raises:
            ValueError: the document is not a panel of this format.
        """
        form = document.get("format")
        if form != FORMAT:
            raise ValueError(f"not a panel of format {FORMAT}")
        try:
            return cls(
                tables={column: TruthTable.from_json(table) for column, table in document["tables"].items()},
                provenance={column: dict(facts) for column, facts in document["provenance"].items()},
                release=str(document["release"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a damaged panel of format {form}") from error
