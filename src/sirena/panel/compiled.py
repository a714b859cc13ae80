"""The panel: a release compiled for answering.

A certified model is its truth table, so a release is a handful of small arrays that answer without
TensorFlow or MLflow. This module needs nothing but NumPy and `domain`: it travels inside every logged
model, and MLflow's stock server answers with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..domain.category import Category
from ..domain.mic import CODES, MISSING
from ..domain.truth_table import ANSWERS, NOT_ASKED, Answer, TruthTable, answer_code
from .lookup import cross_answers, encode_text, encode_texts, read_column, refusal_of, resolve_text, resolve_texts

FORMAT: Final = "sirena-panel/1"
"""Name and version of the JSON form."""


class _FlatTable:
    """A truth table as bytes: one answer costs two dictionary look-ups and an index."""

    __slots__ = ("absent", "cells", "offset_of")

    def __init__(self, table: TruthTable) -> None:
        self.absent = answer_code(Category.NI, table.absent)
        self.cells = table.cells.tobytes()
        self.offset_of = {code: row * CODES for code, row in table.row_of.items()}


@dataclass(frozen=True)
class Panel:
    """The tables of a release, and where each comes from."""

    tables: Mapping[str, TruthTable]
    """Truth table by model column, ``AMK_NM``."""
    provenance: Mapping[str, Mapping[str, str]]
    """By model column: ``model``, ``version``, ``release``, ``edition`` and ``basis`` (what the labels were)."""
    release: str
    """Name of the release."""

    def __post_init__(self) -> None:
        for column, table in self.tables.items():
            if table.column != column:
                raise ValueError(f"panel {self.release}: the table of {column} answers {table.column}")

    def table_of(self, column: str) -> TruthTable | None:
        """Return the table that answers a test column (``AMK_NE`` asks ``AMK_NM``), or None."""
        parsed = read_column(column)
        return None if parsed is None else self.tables.get(parsed.model_column)

    def provenance_of(self, column: str) -> Mapping[str, str]:
        """Return the provenance of a test column's answers; empty when no model answers it."""
        parsed = read_column(column)
        if parsed is None or not parsed.is_mic:
            return {}
        return self.provenance.get(parsed.model_column, {})

    def answer_column(
        self, column: str, organisms: Sequence[str | None], mics: Sequence[str | None]
    ) -> NDArray[np.uint8]:
        """Answer a column's values, one organism and one MIC a row.

        Distinct texts are read once, so cost follows the variety and not the length.

        Args:
            column: test column, ``AMK_NM``; a name that is none is answered as `Reason.NO_MODEL`.
            organisms: raw texts, WHONET code or name; None or empty is missing.
            mics: raw texts, ``<=0.5``; None or empty is not asked.

        Returns:
            uint8 array of positions in `ANSWERS`, one per row.

        Raises:
            ValueError: organisms and mics differ in length.
        """
        distinct, rows = factorise(organisms)
        return self.answer_factorised(column, resolve_texts(distinct), rows, mics)

    def answer_factorised(
        self, column: str, organisms: Sequence[str | None], rows: NDArray[np.intp], mics: Sequence[str | None]
    ) -> NDArray[np.uint8]:
        """Answer a column as `answer_column` does, its organisms read once for all columns.

        Args:
            column: test column, ``AMK_NM``.
            organisms: distinct resolved codes; None is missing, "" unknown.
            rows: position of each row's organism among them.
            mics: raw texts, one per row.

        Returns:
            uint8 array of positions in `ANSWERS`, one per row.

        Raises:
            ValueError: rows and mics differ in length.
        """
        if len(rows) != len(mics):
            raise ValueError(f"{len(rows)} organisms for {len(mics)} MICs")
        distinct, mic_rows = factorise(mics)
        parsed = read_column(column)
        codes = encode_texts(distinct, parsed.drug if parsed else None)
        answers = cross_answers(parsed, self.table_of(column), organisms, codes)
        taken: NDArray[np.uint8] = answers[rows, mic_rows]
        return taken

    def answer_one(self, column: str, organism: str | None, mic: str | None) -> Answer | None:
        """Answer one value as `answer_column` does; None is "not asked" (empty MIC)."""
        return ANSWERS[self.answer_resolved(column, resolve_text(organism), mic)]

    def answer_resolved(self, column: str, organism: str | None, mic: str | None) -> int:
        """Answer one value for an organism already resolved: the quick way of the service.

        Args:
            column: test column, ``AMK_NM``.
            organism: WHONET code; None is missing, "" unknown.
            mic: raw text.

        Returns:
            Position in `ANSWERS`.
        """
        parsed = read_column(column)
        code = encode_text(mic, parsed.drug if parsed else None)
        if code == MISSING:
            return NOT_ASKED
        if parsed is None or not parsed.is_mic or parsed.model_column not in self.tables:
            return refusal_of(parsed)
        flat = self._flat[parsed.model_column]
        if code >= 0 and organism:
            offset = flat.offset_of.get(organism)
            return flat.absent if offset is None else flat.cells[offset + code]
        table = self.tables[parsed.model_column]
        return int(table.look_up([organism], np.array([code], dtype=np.int16))[0, 0])

    @cached_property
    def _flat(self) -> dict[str, _FlatTable]:
        return {column: _FlatTable(table) for column, table in self.tables.items()}

    def to_json(self) -> dict[str, Any]:
        """Return a plain form that `from_json` reads."""
        return {
            "format": FORMAT,
            "release": self.release,
            "provenance": {column: dict(facts) for column, facts in self.provenance.items()},
            "tables": {column: table.to_json() for column, table in self.tables.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Panel":
        """Read what `to_json` wrote.

        Raises:
            ValueError: the document is not a panel of this format.
        """
        if document.get("format") != FORMAT:
            raise ValueError(f"not a panel of format {FORMAT}")
        try:
            return cls(
                tables={column: TruthTable.from_json(table) for column, table in document["tables"].items()},
                provenance={column: dict(facts) for column, facts in document["provenance"].items()},
                release=str(document["release"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a damaged panel of format {FORMAT}") from error


def factorise(texts: Iterable[str | None]) -> tuple[list[str | None], NDArray[np.intp]]:
    """Return the distinct texts in order of appearance and the position of each row's text among them."""
    position_of: dict[str | None, int] = {}
    rows = np.fromiter((position_of.setdefault(text, len(position_of)) for text in texts), dtype=np.intp)
    return list(position_of), rows
