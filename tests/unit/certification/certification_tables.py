"""Small reference tables, compiled by hand from cut points, and evidence built on them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sirena.certification.agreement import Agreement
from sirena.certification.certificate import Certificate, Subject, certify
from sirena.certification.evidence import GateStage, LearntSource, PromotionEvidence
from sirena.domain.category import Category, Reason
from sirena.domain.mic import DILUTIONS, MINIMUM_EXPONENT
from sirena.domain.truth_table import TruthTable, answer_code

S, I, R = (answer_code(category) for category in (Category.S, Category.I, Category.R))  # noqa: E741
CENSORED = answer_code(Category.NI, Reason.CENSORED)
NO_BREAKPOINT = answer_code(Category.NI, Reason.NO_BREAKPOINT)

CUTS = {"eco": (2, 4), "kpn": (2, 4), "pae": (4, 6), "sau": (-1, 0), "hin": None, "pmi": (-15, -14)}
"""Highest S and lowest R exponent; None has no breakpoint; pmi is R at any MIC (expected resistance)."""


def row(cuts: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Compile one organism: exact MICs by cut points, censored ones by what is certain."""
    if cuts is None:
        return np.full(3 * DILUTIONS, NO_BREAKPOINT, dtype=np.uint8)
    exponents = np.arange(DILUTIONS) + MINIMUM_EXPONENT
    susceptible, resistant = cuts
    exact = np.where(exponents <= susceptible, S, np.where(exponents >= resistant, R, I))
    at_most = np.where(exponents <= susceptible, S, R if resistant <= MINIMUM_EXPONENT else CENSORED)
    at_least = np.where(exponents >= resistant, R, CENSORED)
    return np.concatenate([exact, at_most, at_least]).astype(np.uint8)


def compile_by_hand(cuts: Mapping[str, tuple[int, int] | None] = CUTS, column: str = "AMK_NM") -> TruthTable:
    """Compile a table from cut points."""
    return TruthTable(
        column, tuple(cuts), np.vstack([row(pair) for pair in cuts.values()]), absent=Reason.NO_BREAKPOINT
    )


def certified(candidate: Any, reference: TruthTable | None = None, **options: Any) -> Certificate:
    """Certify against the hand-made edition."""
    return certify(
        candidate,
        reference or compile_by_hand(),
        edition="CLSI 2025",
        edition_digest="digest-2025",
        subject=Subject("modelo_AMK_NM", "3", "data-digest"),
        **options,
    )


def evidence(candidate: TruthTable | None = None, **changes: Any) -> PromotionEvidence:
    """Build evidence that passes every criterion of a laboratory's model for production, with changes."""
    certificate = certified(compile_by_hand() if candidate is None else candidate)
    complete = PromotionEvidence(
        certificate=certificate,
        model="modelo_AMK_NM",
        version="3",
        edition_digest="digest-2025",
        stage=GateStage.PRODUCTION,
        author="ana",
        approver="luis",
        embedded=False,
        labels=LearntSource.LABORATORY,
        held_out=Agreement(2000, 1990, 1980, 400, 1500, 2, 4, 4),
        training_isolates=5000,
        training_cells=400,
        answers_digest=certificate.answers_digest,
    )
    return replace(complete, **changes)
