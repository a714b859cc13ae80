"""The certificate of a model: everything it answers, compared with everything a guideline edition answers.

Rules, each with a test of like name:

- the questions asked are organisms × body sites × 41 numbers × 5 comparators; a body site is asked about separately
only if it may matter; - the questions compared are those to which the reference gives a category; - agreements and
disagreements of compared questions add up to the number compared; - an organism without a reference row (for the body
site) is asked about too, and each category given for it is listed as answered without reference; - if the model is a
truth table, MIC codes outside the MIC scale are compared too, and counted separately.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sirena import __version__
from sirena.certification.alignment import ComparedRow, compared_rows
from sirena.certification.asking import AskedTable, ask_table
from sirena.certification.comparison import (
    KIND_OF,
    KINDS,
    LEVEL,
    Disagreement,
    Kind,
    disagreements,
)
from sirena.certification.cut_points import CutPoint, read_cut_points
from sirena.certification.grid import (
    ASKED_LATTICE,
    BEYOND_SCALE,
    CODE_LATTICE,
    COMPARATORS,
    LOWEST_EXPONENT,
    QUESTION_CODES,
    SCALE,
    Comparator,
)
from sirena.certification.monotonicity import Reversal, reversals
from sirena.domain.category import Category
from sirena.domain.errors import UsageError
from sirena.domain.mic import CODES, MINIMUM_EXPONENT
from sirena.domain.truth_table import ANSWERS, NOT_ASKED, TruthTable, split_key

UNSTATED = "unstated"
"""Name, among the reasons of refusals, for a refusal without a reason."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The model version that is certified."""

    model: str
    """Registered name, ``modelo_AMK_NM``."""
    version: str
    """Version of the registered model."""
    data_digest: str = ""
    """Digest of the evidence that the model was trained on; empty if not known."""


@dataclass(frozen=True)
class Certificate:
    """The exhaustive check of one model version against one guideline edition."""

    subject: Subject
    column: str
    """Test column that the model answers, ``AMK_NM``."""
    edition: str
    """Name of the guideline edition, ``CLSI 2025``."""
    edition_digest: str
    """Digest of the edition's tables, overlay included, which identifies the rules that were compared with."""
    answers_digest: str
    """Digest of the model's answers, which identifies what was certified."""
    certified_at: str
    """Time of certification in UTC, ISO 8601."""
    sirena_version: str
    organisms: tuple[str, ...]
    """Codes of all organisms asked about."""
    keys: tuple[str, ...]
    """The same organisms, with the body sites that were compared separately: ``spn``, ``spn@csf``."""
    organisms_without_reference: tuple[str, ...]
    """Organisms for which the edition has no row."""
    readings: Mapping[str, int]
    """Number of compared rows by the number of readings of the guideline that they rest on: ``{"1": 40, "2": 900}``."""
    doubts: tuple[str, ...]
    """Doubts about the compared rows of the edition, which a person with the guideline should check."""
    asked: int
    """Number of questions: keys × 41 × 5."""
    compared: int
    """Number of questions to which the reference gives a category."""
    agreements: int
    """Number of compared questions answered with the same category."""
    kinds: Mapping[Kind, int]
    """Number of questions by kind of disagreement; every kind is present."""
    disagreements: tuple[Disagreement, ...]
    """Every disagreement on the grid of questions; equal ones at neighbouring numbers are merged."""
    beyond_asked: int
    """Number of the truth table's cells outside the MIC scale; 0 for a model that is no truth table."""
    beyond: tuple[Disagreement, ...]
    """Every disagreement in cells outside the MIC scale."""
    reversals: tuple[Reversal, ...]
    """For each organism and comparator with one, an example of a higher MIC that is called more susceptible."""
    cut_points: tuple[CutPoint, ...]
    refusals: Mapping[str, int]
    """Number of questions that the model refuses, by reason."""
    reference_refusals: Mapping[str, int]
    """Number of questions that the reference refuses, by reason."""
    spelling_conflicts: int = 0
    """Number of questions answered differently from the plainest spelling of the same MIC."""
    unintelligible: int = 0
    """Number of replies that were no category; they count as refusals."""
    failed: int = 0
    """Number of questions that ended in an error of the model; they count as refusals."""

    @property
    def monotone(self) -> bool:
        """True if no higher MIC is called more susceptible than a lower one."""
        return not self.reversals

    @property
    def disagreeing(self) -> int:
        """Number of questions on the grid with a disagreement of any kind."""
        return sum(self.kinds.values())

    @cached_property
    def beyond_disagreeing(self) -> int:
        """Number of the truth table's cells outside the MIC scale in which model and reference disagree."""
        return sum(entry.cells for entry in self.beyond)

    @property
    def total_agreement(self) -> bool:
        """True if the reference gives any category and the model agrees on all MICs, on and off the MIC scale."""
        return self.compared > 0 and not self.disagreements and not self.beyond

    @property
    def agreement_share(self) -> float:
        """Agreements as a fraction of the compared questions; NaN if nothing could be compared."""
        return self.agreements / self.compared if self.compared else float("nan")

    @property
    def unsafe_disagreements(self) -> tuple[Disagreement, ...]:
        """Disagreements in which the model says S and the reference R, on the MIC scale and outside it."""
        return tuple(entry for entry in (*self.disagreements, *self.beyond) if entry.kind is Kind.VERY_MAJOR)


def certify(
    candidate: TruthTable | AskedTable,
    reference: TruthTable,
    *,
    edition: str,
    edition_digest: str,
    subject: Subject,
    cut_points: Mapping[str, tuple[float | None, float | None]] | None = None,
    certified_at: datetime | None = None,
) -> Certificate:
    """Return the certificate of a model: its answers compared with those of a guideline edition.

    Args:
        candidate: the model's truth table, or its answers from `table_of_predictor`.
        reference: the guideline edition's truth table for the same test column.
        edition: name of the guideline edition.
        edition_digest: digest of the guideline edition's tables.
        subject: model, version and digest of the training data.
        cut_points: the network's own (S, R) cut points in mg/L by key, shown next to those of its truth table.
        certified_at: time written on the certificate; now by default.

    Raises:
        UsageError: the two tables answer different test columns, or the candidate has no organism.

    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> edition = load_edition("CLSI 2026")
    >>> table = compile_tables(edition, ["AMK"], organisms=["eco", "kpn"])["AMK"]
    >>> proof = certify(
    ...     table, table, edition="CLSI 2026", edition_digest=edition.digest, subject=Subject("modelo_AMK_NM", "1")
    ... )
    >>> proof.disagreeing
    0
    """
    asked_table = ask_table(candidate) if isinstance(candidate, TruthTable) else candidate
    if asked_table.column != reference.column:
        raise UsageError(
            f"{subject.model}: answers {asked_table.column}, but the reference is for {reference.column}",
            hint="certify a model against the table of its own test column",
        )
    organisms = tuple(dict.fromkeys(split_key(key)[0] for key in asked_table.keys))
    if not organisms:
        raise UsageError(f"{subject.model}: the model knows no organism", hint="train it with evidence first")
    rows = tuple(compared_rows(asked_table.keys, reference))
    keys = tuple(row.key for row in rows)
    candidates = [row.candidate for row in rows]
    compared_table = AskedTable(
        asked_table.column,
        keys,
        asked_table.answers[candidates],
        None if asked_table.cells is None else asked_table.cells[candidates],
    )
    whole_reference = _reference_cells(reference, rows)
    reference_answers = whole_reference[:, QUESTION_CODES].reshape(compared_table.answers.shape)
    kinds = KIND_OF[reference_answers, compared_table.answers]
    counts = np.bincount(kinds.reshape(-1), minlength=1 + len(KINDS))
    is_stated = LEVEL[reference_answers] >= 0
    beyond_scale, lattice, ordered = _beyond(compared_table, whole_reference), ASKED_LATTICE, compared_table.answers
    if compared_table.cells is not None:
        lattice, ordered = CODE_LATTICE, compared_table.cells
    grounds = [reference.grounds[row.reference] for row in rows if row.reference is not None and reference.grounds]
    return Certificate(
        subject=subject,
        column=asked_table.column,
        edition=edition,
        edition_digest=edition_digest,
        answers_digest=asked_table.digest,
        certified_at=(certified_at or datetime.now(UTC)).isoformat(timespec="seconds"),
        sirena_version=__version__,
        organisms=organisms,
        keys=keys,
        organisms_without_reference=tuple(name for name in organisms if name not in reference.vocabulary),
        readings={str(number): count for number, count in sorted(Counter(g.readings for g in grounds).items())},
        doubts=tuple(sorted({ground.doubt for ground in grounds if ground.doubt})),
        asked=compared_table.answers.size,
        compared=int(is_stated.sum()),
        agreements=int((is_stated & (kinds == 0)).sum()),
        kinds={kind: int(counts[1 + position]) for position, kind in enumerate(KINDS)},
        disagreements=tuple(disagreements(ASKED_LATTICE, keys, reference_answers, compared_table.answers, kinds != 0)),
        beyond_asked=0 if compared_table.cells is None else len(keys) * int(BEYOND_SCALE.sum()),
        beyond=beyond_scale,
        reversals=reversals(lattice, keys, ordered),
        cut_points=_cut_points(compared_table, whole_reference, cut_points or {}),
        refusals=_refusals(compared_table.answers, UNSTATED),
        reference_refusals=_refusals(reference_answers, reference.absent.value),
        spelling_conflicts=asked_table.spelling_conflicts,
        unintelligible=asked_table.unintelligible_replies,
        failed=asked_table.failed_questions,
    )


def _reference_cells(reference: TruthTable, rows: Sequence[ComparedRow]) -> NDArray[np.uint8]:
    """Return the reference's cells for the compared rows; rows that it lacks are refusals without a reason."""
    padded_cells = np.vstack([reference.cells, np.full((1, CODES), NOT_ASKED, dtype=np.uint8)])
    cells: NDArray[np.uint8] = padded_cells[[-1 if row.reference is None else row.reference for row in rows]]
    return cells


def _beyond(asked_table: AskedTable, whole_reference: NDArray[np.uint8]) -> tuple[Disagreement, ...]:
    if asked_table.cells is None:
        return ()
    reference_cells = whole_reference.reshape(asked_table.cells.shape)
    is_different = (KIND_OF[reference_cells, asked_table.cells] != 0) & BEYOND_SCALE
    return tuple(disagreements(CODE_LATTICE, asked_table.keys, reference_cells, asked_table.cells, is_different))


def _cut_points(
    asked_table: AskedTable,
    whole_reference: NDArray[np.uint8],
    network: Mapping[str, tuple[float | None, float | None]],
) -> tuple[CutPoint, ...]:
    exact = COMPARATORS.index(Comparator.EQUAL)
    if asked_table.cells is not None:
        official = whole_reference.reshape(asked_table.cells.shape)[:, exact]
        return read_cut_points(asked_table.keys, asked_table.cells[:, exact], official, MINIMUM_EXPONENT, network)
    codes = QUESTION_CODES[: len(SCALE) : 2]
    return read_cut_points(
        asked_table.keys, asked_table.answers[:, exact, ::2], whole_reference[:, codes], LOWEST_EXPONENT, network
    )


def _refusals(answers: NDArray[np.uint8], unstated_reason: str) -> dict[str, int]:
    counts = np.bincount(answers.reshape(-1), minlength=len(ANSWERS))
    refusals: dict[str, int] = {}
    for answer, count in zip(ANSWERS, counts.tolist(), strict=True):
        if count and (answer is None or answer.category is Category.NI):
            reason = answer.reason.value if answer is not None and answer.reason is not None else unstated_reason
            refusals[reason] = refusals.get(reason, 0) + count
    return refusals
