"""The results of a file for counting: the answer, the MIC and the standing of each row, by antimicrobial.

Categories come from truth tables, of a release or of guideline editions, so both are counted in the same way. Columns
of gradient strips and of dilutions are the same antimicrobial; if a row has both, the dilution counts.

Rules, each with a test of like name:

- expected resistance is recognised by the ground of the organism's row, tested or not;
- if the guideline's row is for urine only, isolates from urine count; any other isolate is "elsewhere";
- if a row gives R above a breakpoint and no category below (EUCAST's brackets), nothing is counted, not even R;
- if no dilution above 0.001 mg/L is S, there is no S category: isolates that the guideline calls wild type are I.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.category import Category, Reason
from sirena.domain.ground import Ground, GroundKind, Mark
from sirena.domain.mic import DILUTIONS, MINIMUM_EXPONENT, MISSING
from sirena.domain.site import Site
from sirena.domain.test_column import TestColumn, parse_test_column
from sirena.domain.truth_table import ANSWERS, NOT_ASKED, TruthTable, answer_code
from sirena.panel.column_answers import TablesFor
from sirena.panel.frame import Isolates, factorise_column
from sirena.panel.lookup import cross_answers, encode_texts, resolve_texts
from sirena.stewardship.one_sided import is_one_sided
from sirena.stewardship.parallel import in_parallel

UNTESTED, S, SDD, I, R, NS, NI, ELSEWHERE, EXPECTED = range(9)  # noqa: E741 - the field's own name
"""Kinds of a result in counts. NI, results elsewhere and expected resistance are in no denominator."""
KINDS: Final = ("untested", "S", "SDD", "I", "R", "NS", "NI", "elsewhere", "expected")
COUNTED: Final = (S, SDD, I, R, NS)
"""The kinds that make the denominator."""

IS_EXPECTED, IS_URINE_ROW, IS_ELSEWHERE, HAS_NO_S, IS_ONE_SIDED = 1, 2, 4, 8, 16
"""Bits of a standing: what the guideline states for an organism at a site, whatever the MIC."""
STANDINGS: Final = 32
"""Number of possible standings."""

_KIND_OF_CATEGORY: Final = {Category.S: S, Category.SDD: SDD, Category.I: I, Category.R: R, Category.NS: NS}
KIND_OF_ANSWER: Final = np.array(
    [
        UNTESTED
        if answer is None
        else ELSEWHERE
        if answer.reason is Reason.OTHER_SITE
        else _KIND_OF_CATEGORY.get(answer.category, NI)
        for answer in ANSWERS
    ],
    dtype=np.uint8,
)
_OFF_SCALE: Final = -10
"""Exponent of 0.001 mg/L, since EUCAST's "S <= 0.001" means that no MIC is S."""
_S_CODE: Final = answer_code(Category.S)
_SILENT: Final = np.array([answer is None or answer.category is Category.NI for answer in ANSWERS])


@dataclass(frozen=True)
class DrugResults:
    """All results of one antimicrobial by one guideline, in the order of the file's rows."""

    column: TestColumn
    """The model column of the results, ``AMK_NM``."""
    headers: tuple[str, ...]
    """Headers of the file's columns that the results come from."""
    answers: NDArray[np.uint8]
    """Positions in `ANSWERS`. If an expert rule changes a category, the answer here is changed."""
    mics: NDArray[np.int8]
    """MIC codes (`Mic.code`); below zero if there is none."""
    standings: NDArray[np.uint8]
    """Standing of each row as bits, see `IS_EXPECTED`."""

    @property
    def is_tested(self) -> NDArray[np.bool_]:
        """Mask of the rows, True for those with a result of any kind."""
        return np.not_equal(self.answers, NOT_ASKED)

    @cached_property
    def kinds(self) -> NDArray[np.uint8]:
        """Kind of each row's result, as a position in `KINDS`."""
        kinds: NDArray[np.uint8] = kind_table()[self.standings_and_answers]
        return kinds

    @property
    def standings_and_answers(self) -> NDArray[np.uint16]:
        """For each row, 256 times its standing plus its answer: an index into look-up tables."""
        combined = self.standings.astype(np.uint16)
        combined <<= 8
        combined |= self.answers
        return combined


@cache
def kind_table() -> NDArray[np.uint8]:
    """Return the kind for each standing and answer, indexed by `DrugResults.standings_and_answers`."""
    standings, answers = (part.ravel() for part in np.indices((STANDINGS, 1 << 8)))
    kinds = KIND_OF_ANSWER[np.minimum(answers, len(KIND_OF_ANSWER) - 1)]
    kinds[((standings & IS_ONE_SIDED) > 0) & (kinds != UNTESTED)] = NI
    kinds[((standings & IS_ELSEWHERE) > 0) & (kinds != UNTESTED)] = ELSEWHERE
    kinds[(standings & IS_EXPECTED) > 0] = EXPECTED
    return kinds


def interpret_results(isolates: Isolates, tables_for: TablesFor) -> dict[str, DrugResults]:
    """Interpret every MIC column of a file, and return the results.

    Args:
        isolates: rows and the roles of their columns, without zone columns.
        tables_for: returns the truth table of a test column.

    Returns:
        Results by model column, in the file's order.
    """
    organisms = factorise_column(isolates.frame[isolates.organism_column])
    codes = resolve_texts(isolates.read_texts(isolates.organism_column, organisms.texts))
    sites = isolates.row_sites()
    pair = sites.rows * len(codes) + organisms.rows

    def interpret(header: str, column: TestColumn) -> DrugResults:
        table = tables_for(column)
        mics = factorise_column(isolates.frame[header])
        mic_codes = encode_texts(isolates.read_texts(header, mics.texts), column.drug)
        cross = cross_answers(column, table, codes, mic_codes, sites.sites)
        answers = cross.ravel()[pair * len(mics.texts) + mics.rows]
        standings = _standings(table, sites.sites, codes)[pair]
        return DrugResults(_model_column(column), (header,), answers, mic_codes.astype(np.int8)[mics.rows], standings)

    ordered = sorted(isolates.test_columns.items(), key=lambda item: item[1].method != "M")
    results: dict[str, DrugResults] = {}
    for (_, column), drug_results in zip(ordered, in_parallel(lambda item: interpret(*item), ordered), strict=True):
        name = column.model_column
        results[name] = _joined(results[name], drug_results) if name in results else drug_results
    order = {
        column.model_column: number for number, column in reversed(list(enumerate(isolates.test_columns.values())))
    }
    return {name: results[name] for name in sorted(results, key=order.__getitem__)}


def from_categories(column: str, categories: Sequence[str | None]) -> DrugResults:
    """Return results made of categories only: without MICs and standings.

    >>> from_categories("CIP_NM", ["S", "R", None]).kinds.tolist()
    [1, 4, 0]
    """
    test_column = parse_test_column(column)
    if test_column is None:
        raise ValueError(f"{column} is no test column")
    codes = {text: NOT_ASKED if text is None else answer_code(Category(text)) for text in set(categories)}
    answers = np.array([codes[text] for text in categories], dtype=np.uint8)
    missing = np.full(len(answers), MISSING, dtype=np.int8)
    return DrugResults(test_column, (column,), answers, missing, np.zeros(len(answers), dtype=np.uint8))


def _model_column(column: TestColumn) -> TestColumn:
    return TestColumn(column.drug, column.guideline, "M")


def _joined(first: DrugResults, second: DrugResults) -> DrugResults:
    """Return two columns' results joined: the second's if the first has none, or NI where the second has a category."""
    kinds = KIND_OF_ANSWER[first.answers], KIND_OF_ANSWER[second.answers]
    take = (kinds[0] == UNTESTED) | ((kinds[0] == NI) & np.isin(kinds[1], COUNTED))
    return DrugResults(
        first.column,
        (*first.headers, *second.headers),
        np.where(take, second.answers, first.answers),
        np.where(take, second.mics, first.mics),
        first.standings | second.standings,
    )


def _standings(table: TruthTable | None, sites: Sequence[Site], organisms: Sequence[str | None]) -> NDArray[np.uint8]:
    """Return the standing of each pair of site and organism, ordered by site first."""
    standings = np.zeros(len(sites) * len(organisms), dtype=np.uint8)
    if table is None:
        return standings
    standing_of_row: dict[tuple[int | None, bool], int] = {}
    for number, (site, organism) in enumerate((site, organism) for site in sites for organism in organisms):
        row = table.row(organism, site) if organism else None
        key = (row, site is Site.URINE)
        if key not in standing_of_row:
            standing_of_row[key] = _standing(table, row, site)
        standings[number] = standing_of_row[key]
    return standings


def _standing(table: TruthTable, row: int | None, site: Site) -> int:
    if row is None:
        return 0
    bits = 0
    ground: Ground | None = table.grounds[row] if table.grounds else None
    if ground is not None and ground.kind is GroundKind.EXPECTED_RESISTANCE:
        bits |= IS_EXPECTED
    if ground is not None and Mark.URINE_ONLY in ground.marks(Site.UNKNOWN):
        bits |= IS_URINE_ROW | (0 if site is Site.URINE else IS_ELSEWHERE)
    exact = table.cells[row][:DILUTIONS][_OFF_SCALE - MINIMUM_EXPONENT + 1 :]
    if is_one_sided(table, row):
        bits |= IS_ONE_SIDED
    elif _S_CODE not in exact and not _SILENT[exact].all():
        bits |= HAS_NO_S
    return bits


Results = Mapping[str, DrugResults]
"""Results by model column."""
