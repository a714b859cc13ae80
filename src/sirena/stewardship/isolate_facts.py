"""The facts of each isolate in a file: organism, fields such as MRSA, and the answer to every test.

Rules, each with a test of like name:

- expected (intrinsic) resistance does not meet a condition ``R``, which needs acquired resistance;
- a field counts if it holds ``+`` or ``-`` (or positive, negative, also in Spanish); any other text is ignored;
- a mechanism after the organism's name counts like the field, which takes precedence;
- a drug counts as tested if its cell holds a readable MIC, or a zone diameter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.category import Category
from sirena.domain.ground import GroundKind
from sirena.domain.organisms import ORGANISMS, Rank
from sirena.domain.phenotypes import split_phenotypes
from sirena.domain.site import Site
from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import TruthTable
from sirena.panel.column_answers import CATEGORIES, CATEGORY_OF_ANSWER, TablesFor
from sirena.panel.frame import Isolates, interpret_frame
from sirena.panel.lookup import encode_texts, resolve_texts
from sirena.panel.placement import Existing, Placement, place_categories
from sirena.panel.sites import read_specimen
from sirena.stewardship.condition import FIELDS, FactCondition, FactState, Trigger
from sirena.stewardship.mechanisms import read_mechanism
from sirena.stewardship.one_sided import is_one_sided
from sirena.stewardship.results import IS_EXPECTED, IS_ONE_SIDED, Results

Mask = NDArray[np.bool_]
"""One Boolean per row."""

_EUCAST: Final = "E"
_RESISTANT: Final = (Category.R, Category.NS)
_BETWEEN: Final = (Category.I, Category.SDD)
_PLACES: Final = {text: place for place, text in enumerate(CATEGORIES.categories)}
_ZONE: Final = r"^\s*[<>=≤≥]*\s*\d{1,2}(?:[.,]\d+)?\s*$"


@dataclass(frozen=True)
class AnsweredTest:
    """One test column with its result in each row."""

    header: str
    column: TestColumn
    edition: str
    """Guideline edition that answered, ``CLSI 2026``; empty if the table does not name one."""
    category: pl.Series
    """Category of type `CATEGORIES`; null if there is none."""
    is_tested: Mask
    """True if the cell holds a readable result."""
    is_expected: Mask
    """True if the guideline expects resistance of this organism, whatever the MIC."""
    one_sided: Mask
    """True if the guideline gives R above a breakpoint and no category below: such an R must not be counted."""

    def shows(self, state: FactState) -> Mask:
        """Return the rows in which the test's category has a state; expected resistance is left out."""
        if state is FactState.SUSCEPTIBLE:
            return self._among((Category.S, *(_BETWEEN if self.column.guideline == _EUCAST else ())))
        if state is FactState.NON_SUSCEPTIBLE and self.column.guideline != _EUCAST:
            return self._among((*_RESISTANT, *_BETWEEN)) & ~self.is_expected
        return self._among(_RESISTANT) & ~self.is_expected

    def is_decided(self) -> Mask:
        """Return the rows with a category that is neither NI nor expected resistance."""
        return self._among((*_RESISTANT, *_BETWEEN, Category.S)) & ~self.is_expected

    @cached_property
    def _place(self) -> NDArray[np.uint8]:
        """Position of each row's category in `CATEGORIES`; one after the last for an empty cell."""
        return self.category.to_physical().fill_null(len(_PLACES)).to_numpy()

    def _among(self, categories: Iterable[Category]) -> Mask:
        is_included = np.zeros(len(_PLACES) + 1, dtype=bool)
        is_included[[_PLACES[category] for category in categories]] = True
        return is_included[self._place]


@dataclass(frozen=True)
class IsolateFacts:
    """The facts of a file's isolates."""

    isolates: Isolates
    tests: tuple[AnsweredTest, ...]
    codes: tuple[str | None, ...]
    """Organism codes of the distinct pairs of organism and specimen; None or empty if unknown."""
    pair: NDArray[np.int64]
    """Position of each row's pair in `codes`."""

    @classmethod
    def of(cls, isolates: Isolates, tables_for: TablesFor) -> "IsolateFacts":
        """Create the facts from isolates, after answering every test."""
        placements, _ = place_categories(
            isolates.frame.columns,
            isolates.test_columns,
            isolates.category_columns,
            existing=Existing.REPLACE,
            basis=False,
        )
        answered_frame = interpret_frame(isolates, tables_for, existing=Existing.REPLACE)
        return cls.of_answered(isolates, answered_frame, placements, tables_for)

    @classmethod
    def of_answered(
        cls, isolates: Isolates, answered_frame: pl.DataFrame, placements: Sequence[Placement], tables_for: TablesFor
    ) -> "IsolateFacts":
        """Create the facts from isolates that were answered already.

        Args:
            isolates: the isolates.
            answered_frame: answers to the isolates' results, from `interpret_frame`.
            placements: the columns of the answers.
            tables_for: returns the truth table that answered a test column.
        """
        texts, sites, pair = _pairs(isolates)
        codes = resolve_texts(isolates.read_texts(isolates.organism_column, texts))
        tests = tuple(
            AnsweredTest(
                placement.header,
                placement.column,
                _edition(table),
                answered_frame[placement.category],
                _tested(isolates, placement),
                _expected(table, codes, sites)[pair],
                _one_sided(table, codes, sites)[pair],
            )
            for placement in placements
            for table in [tables_for(placement.column)]
        )
        return cls(isolates, tests, tuple(codes), pair)

    @classmethod
    def of_results(cls, isolates: Isolates, results: Results, tables_for: TablesFor) -> "IsolateFacts":
        """Create the facts from isolates and their results for counting, with one test per model column.

        Args:
            isolates: the isolates.
            results: results of the same rows, from `interpret_results`.
            tables_for: returns the truth table that answered a test column.
        """
        texts, _, pair = _pairs(isolates)
        codes = resolve_texts(isolates.read_texts(isolates.organism_column, texts))
        tests = tuple(
            AnsweredTest(
                drug.headers[0],
                drug.column,
                _edition(tables_for(drug.column)),
                CATEGORY_OF_ANSWER.gather(pl.Series(drug.answers)),
                drug.mics >= 0,
                (drug.standings & IS_EXPECTED) > 0,
                (drug.standings & IS_ONE_SIDED) > 0,
            )
            for drug in results.values()
        )
        return cls(isolates, tests, tuple(codes), pair)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.isolates.frame.height

    def members(self, rank: Rank, group: str, exceptions: Iterable[tuple[Rank, str]] = ()) -> Mask:
        """Return the rows whose organism belongs to a group, and to none of the exceptions."""
        without = tuple(exceptions)
        belongs = [
            bool(code)
            and ORGANISMS[code].belongs_to(rank, group)
            and not any(ORGANISMS[code].belongs_to(*exception) for exception in without)
            for code in (code or "" for code in self.codes)
        ]
        return np.array(belongs, dtype=bool)[self.pair]

    @cached_property
    def _field_masks(self) -> Mapping[tuple[str, FactState], Mask]:
        """The rows that have a state, by field and state."""
        names = self.isolates.frame[self.isolates.organism_column]
        of_names = {text: mechanisms for text in _distinct(names) if (mechanisms := split_phenotypes(text)[1])}
        masks: dict[tuple[str, FactState], Mask] = {}
        for field in FIELDS:
            states = pl.repeat(None, self.rows, dtype=pl.Boolean, eager=True)
            sign_of_name = {text: mechanisms[field] for text, mechanisms in of_names.items() if field in mechanisms}
            of_name = (
                names.replace_strict(
                    list(sign_of_name), list(sign_of_name.values()), default=None, return_dtype=pl.String
                )
                if sign_of_name
                else None
            )
            columns = [self.isolates.frame[header] for header in self.isolates.headers_of(field)]
            for cells in (*columns, *([of_name] if of_name is not None else [])):
                states = states.zip_with(states.is_not_null(), read_mechanism(cells))
            masks[field, FactState.POSITIVE] = states.fill_null(value=False).to_numpy()
            masks[field, FactState.NEGATIVE] = (~states).fill_null(value=False).to_numpy()
        return masks

    def field_shows(self, field: str, state: FactState) -> Mask:
        """Return the rows in which a WHONET field, or a mechanism in the organism's name, has a state."""
        return self._field_masks[field, state]

    def holds(self, trigger: Trigger, guideline: str = "") -> Mask:
        """Return the rows in which a trigger holds.

        Args:
            trigger: trigger from `parse_trigger`.
            guideline: guideline letter of the test columns to use; empty for all.
        """
        mask: Mask = np.zeros(self.rows, dtype=bool)
        for alternative in trigger:
            every: Mask = np.ones(self.rows, dtype=bool)
            for condition in alternative:
                every &= self._shows(condition, guideline)
            mask |= every
        return mask

    def could_tell(self, trigger: Trigger) -> Mask:
        """Return the rows with data for at least one of a trigger's conditions: the denominator of its alert."""
        mask: Mask = np.zeros(self.rows, dtype=bool)
        for condition in (condition for alternative in trigger for condition in alternative):
            if condition.state.is_of_a_field:
                for state in (FactState.POSITIVE, FactState.NEGATIVE):
                    mask |= self.field_shows(condition.subjects[0], state)
            else:
                for test in self.tests_of(condition.subjects):
                    mask |= test.is_decided()
        return mask

    def tests_of(self, drugs: Iterable[str], guideline: str = "") -> list[AnsweredTest]:
        """Return the test columns of some antimicrobials, of all guidelines or of one."""
        drug_codes = set(drugs)
        return [
            test
            for test in self.tests
            if test.column.drug in drug_codes and (not guideline or test.column.guideline == guideline)
        ]

    def _shows(self, condition: FactCondition, guideline: str) -> Mask:
        mask: Mask = np.zeros(self.rows, dtype=bool)
        if condition.state.is_of_a_field:
            for field in condition.subjects:
                mask |= self.field_shows(field, condition.state)
            return mask
        for test in self.tests_of(condition.subjects, guideline):
            mask |= test.shows(condition.state)
        return mask


def _distinct(column: pl.Series) -> list[str]:
    texts: list[str] = column.unique().drop_nulls().to_list()
    return texts


def _pairs(isolates: Isolates) -> tuple[list[str | None], list[Site], NDArray[np.int64]]:
    """Return the distinct pairs of organism and specimen, the site of each, and the position of each row's pair."""
    frame = isolates.frame.select(pl.col(isolates.organism_column).alias("organism"))
    specimens = [pl.lit(None, dtype=pl.String)] if isinstance(isolates.site, Site) else [isolates.frame[isolates.site]]
    frame = frame.with_columns(specimens[0].alias("specimen"))
    pairs = frame.unique(maintain_order=True).with_row_index("pair")
    rows = frame.join(pairs, on=["organism", "specimen"], how="left", nulls_equal=True, maintain_order="left")["pair"]
    everywhere = isolates.site if isinstance(isolates.site, Site) else None
    sites = [everywhere or read_specimen(text) or Site.UNKNOWN for text in pairs["specimen"]]
    return pairs["organism"].to_list(), sites, rows.cast(pl.Int64).to_numpy()


def _edition(table: TruthTable | None) -> str:
    grounds = table.grounds if table is not None else ()
    return next((ground.edition for ground in grounds if ground.edition), "")


def _tested(isolates: Isolates, placement: Placement) -> Mask:
    cells = isolates.frame[placement.header]
    if not placement.column.is_mic:
        return cells.str.contains(_ZONE).fill_null(value=False).to_numpy()
    texts = _distinct(cells)
    codes = encode_texts(isolates.read_texts(placement.header, texts), placement.column.drug)
    readable = [text for text, code in zip(texts, codes.tolist(), strict=True) if code >= 0]
    return cells.is_in(readable).fill_null(value=False).to_numpy()


def _expected(table: TruthTable | None, codes: Sequence[str | None], sites: Sequence[Site]) -> Mask:
    if table is None:
        return np.zeros(len(codes), dtype=bool)
    grounds = (table.ground(code, site) for code, site in zip(codes, sites, strict=True))
    return np.array(
        [ground is not None and ground.kind is GroundKind.EXPECTED_RESISTANCE for ground in grounds], dtype=bool
    )


def _one_sided(table: TruthTable | None, codes: Sequence[str | None], sites: Sequence[Site]) -> Mask:
    if table is None:
        return np.zeros(len(codes), dtype=bool)
    rows = (table.row(code, site) if code else None for code, site in zip(codes, sites, strict=True))
    is_one_sided_row: dict[int | None, bool] = {}
    answers = []
    for row in rows:
        if row not in is_one_sided_row:
            is_one_sided_row[row] = is_one_sided(table, row)
        answers.append(is_one_sided_row[row])
    return np.array(answers, dtype=bool)
