"""A WHONET file that a person opened on the pages: its isolates without patients, and all answers.

Rules, each with a test of like name:

- columns that identify a patient are dropped before anything is kept;
- specimen number, date and ward stay, since by them the laboratory finds an isolate again;
- every answer is the one that `sirena interpret` or `sirena reference` writes;
- a file without a column for the organism is kept, so that a person can name the column.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from sirena.domain.category import Category, Reason
from sirena.domain.organisms import ORGANISMS, resolve_many
from sirena.domain.site import Site
from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import ANSWERS
from sirena.guidelines.written_rules import RulesSource
from sirena.panel.column_answers import ColumnTally
from sirena.panel.frame import Isolates, interpret_frame
from sirena.panel.placement import Existing, Placement, place_categories
from sirena.stewardship.expert_rules import load_expert_rules
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.stewardship.isolates import CountableIsolates, read_isolates
from sirena.web.answers import NamedPanel
from sirena.web.expert_layer import ExpertLayer
from sirena.web.kept_looks import MOST_BYTES_OF_LOOKS, KeptLooks
from sirena.whonet.file import WhonetFile
from sirena.whonet.privacy import columns_of_patients

_SHOWN_FIELDS: Final = ("SPEC_NUM", "SPEC_DATE", "WARD")
"""WHONET fields shown in the table before the organism, if the file has them."""
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_FIGURES: Final = 6
"""More digits than the number of columns of any file has."""
ROW: Final = "\0row"
CODE: Final = "\0organism"
"""Names of two columns of `OpenedFile.rows`, which no header of a file can have."""


@dataclass(frozen=True)
class OpenedFile:
    """A file that was opened and answered; nothing of it is written to disk."""

    name: str
    """Name of the file, as the person knows it."""
    file: WhonetFile
    """The file without the columns of patients."""
    answers: NamedPanel
    answered_frame: pl.DataFrame
    """The file's columns, with the category after each test column."""
    placements: tuple[Placement, ...]
    """Place of the category of each test column."""
    tallies: tuple[ColumnTally, ...]
    countable: CountableIsolates
    """Facts of each row for counting; a patient is a digest whose key is not kept."""
    has_organisms: bool = True
    """False while no column names the organism; the answers then mean nothing."""

    @cached_property
    def category_of(self) -> Mapping[str, str]:
        """Header of each category column, by the header of its test column."""
        return {placement.header: placement.category for placement in self.placements}

    @cached_property
    def looks(self) -> KeptLooks:
        """Counts of the file that pages showed, kept for the next page."""
        return KeptLooks()

    @cached_property
    def _layers(self) -> dict[str, ExpertLayer]:
        return {}

    def expert_layer(self, own: RulesSource | None) -> ExpertLayer:
        """Return what expert rules report, and the alerts; computed once for each version of the rules.

        Args:
            own: the hospital's own expert rules in force.
        """
        name = own.name if own else ""
        if name not in self._layers:
            isolates = Isolates.of_file(self.file)
            facts = IsolateFacts.of_answered(isolates, self.answered_frame, self.placements, self.answers.table_of)
            self._layers.clear()
            self._layers[name] = ExpertLayer.of(facts, load_expert_rules(own))
        return self._layers[name]

    @cached_property
    def tests(self) -> dict[str, TestColumn]:
        """Test columns with any MIC, by header, in the order of the file."""
        filled_columns = {tally.column for tally in self.tallies if tally.counts[1:].sum()}
        return {header: column for header, column in self.file.mic_columns.items() if header in filled_columns}

    @cached_property
    def shown_fields(self) -> dict[str, str]:
        """Headers of the columns shown before the organism, by WHONET field."""
        return {name: headers[0] for name in _SHOWN_FIELDS if (headers := self.file.headers_of(name))}

    @cached_property
    def rows(self) -> pl.DataFrame:
        """The frame `answered_frame`, with each row's number as the laboratory counts and the code of its organism."""
        numbers = self.file.row_numbers(np.arange(self.answered_frame.height))
        texts = self.answered_frame[self.file.require_organism()]
        distinct = texts.unique().drop_nulls().to_list()
        readings = self.file.readings_of(texts.name, distinct)
        codes = resolve_many(readings.get(text, text) for text in distinct)
        code = texts.replace_strict(distinct, codes, default=None, return_dtype=pl.String)
        return self.answered_frame.with_columns(pl.Series(ROW, numbers), code.alias(CODE))

    @cached_property
    def organisms(self) -> list[tuple[str, str, int]]:
        """Code, name and number of isolates of each known organism, the most common first."""
        organism_counts = self.rows.filter(pl.col(CODE).is_not_null() & (pl.col(CODE) != "")).group_by(CODE).len()
        ordered = organism_counts.sort(["len", CODE], descending=[True, False])
        return [(code, ORGANISMS[code].name, count) for code, count in ordered.iter_rows()]

    @cached_property
    def categories(self) -> dict[Category, int]:
        """Number of results by category, in the order of `Category`."""
        counts: dict[Category, int] = {}
        for answer, count in self._answer_counts():
            counts[answer] = counts.get(answer, 0) + count
        return {category: counts[category] for category in Category if category in counts}

    @cached_property
    def reasons(self) -> list[tuple[Reason, int]]:
        """Reasons for NI with the number of results, the most common first."""
        totals = self._totals
        reason_counts = [
            (answer.reason, int(totals[code]))
            for code, answer in enumerate(ANSWERS)
            if answer is not None and answer.reason is not None and totals[code]
        ]
        return sorted(reason_counts, key=lambda pair: -pair[1])

    @cached_property
    def size(self) -> int:
        """Approximate size in memory, in bytes: columns as read, answered and sorted for the table, and `looks`."""
        return MOST_BYTES_OF_LOOKS + int(
            sum(
                frame.estimated_size()
                for frame in (self.file.frame, self.answered_frame, self.answered_frame, self.countable.frame)
            )
        )

    def place_of(self, header: str) -> str:
        """Return the name of a test column in URLs: its header, or its number if the header would need escapes."""
        return header if _PLAIN.fullmatch(header) else str(list(self.tests).index(header))

    def test_at(self, place: str) -> str | None:
        """Return the header of the test column that a page address names; None if there is no such column."""
        if place.isdecimal() and len(place) < _FIGURES and int(place) < len(self.tests):
            return list(self.tests)[int(place)]
        return place if place in self.tests else None

    @property
    def results(self) -> int:
        """Number of MICs answered."""
        return sum(self.categories.values())

    def site_of(self, position: int) -> Site:
        """Return the body site of a row of `answered_frame`, by the row's position (0-based)."""
        return self._sites[position]

    @cached_property
    def _sites(self) -> list[Site]:
        return [site or Site.UNKNOWN for site in Isolates.of_file(self.file).row_sites().of_each_row()]

    @cached_property
    def _totals(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        totals = np.zeros(len(ANSWERS), dtype=np.int64)
        for tally in self.tallies:
            totals += tally.counts
        return totals

    def _answer_counts(self) -> list[tuple[Category, int]]:
        return [
            (answer.category, int(self._totals[code]))
            for code, answer in enumerate(ANSWERS)
            if answer is not None and self._totals[code]
        ]


def open_whonet_file(name: str, file: WhonetFile, answers: NamedPanel) -> OpenedFile:
    """Answer a file, drop the columns of patients, and return it as an open file.

    Args:
        name: name of the file, as the person knows it.
        file: the file that was read, with columns of patients.
        answers: the panel that answers.

    Raises:
        NoOrganismColumnError: no column names the organism, and the file has no column that could.
    """
    if file.organism_column is None:
        patients = columns_of_patients(file)
        candidate = next((header for header in file.frame.columns if header not in patients), None)
        stand_in = replace(file, organism_column=candidate or file.require_organism())
        return replace(open_whonet_file(name, stand_in, answers), has_organisms=False)
    kept_headers = {header for field in _SHOWN_FIELDS for header in file.headers_of(field)} - set(file.patient_headers)
    patients = [header for header in columns_of_patients(file) if header not in kept_headers]
    anonymous = replace(file, table=replace(file.table, frame=file.frame.drop(patients)))
    isolates = Isolates.of_file(anonymous)
    placements, _ = place_categories(
        anonymous.frame.columns,
        isolates.test_columns,
        isolates.category_columns,
        existing=Existing.REPLACE,
        basis=False,
        with_stamp=False,
    )
    tallies: list[ColumnTally] = []
    answered_frame = interpret_frame(
        isolates,
        answers.table_of,
        existing=Existing.REPLACE,
        stamp=answers.name,
        progress=tallies.append,
    )
    countable = read_isolates(file, date.today())
    return OpenedFile(name, anonymous, answers, answered_frame, tuple(placements), tuple(tallies), countable)
