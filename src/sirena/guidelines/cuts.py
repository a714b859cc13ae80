"""How a breakpoint's figures give the category of each of the 84 MIC codes.

Rules, each with a test of like name:

- CLSI R is at or above, EUCAST R is above; S is at or below in both;
- figures that are no two-fold dilution (560, 80) are compared unrounded: 512 is below 560, 64 below 80;
- figures in shortened spelling (0.12, 0.06, 0.016) are the dilution they stand for;
- between S and R lies I or SDD, as the row says;
- above an S-only breakpoint is NS; below an R-only breakpoint nothing is stated;
- S ≤ 0.001 means that no MIC is S;
- a dash is R at any MIC;
- insufficient evidence, a note, "not applicable" and a block give no category, each with its reason;
- a breakpoint in brackets gives R above, and at or below it neither S nor I (reason "bracketed");
- a censored MIC has a category only if all MICs of its interval have the same category; under the policy ``whonet`` its
  number is read as an exact MIC.
"""

import enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.category import Category, Reason
from sirena.domain.mic import DILUTIONS, MAXIMUM_EXPONENT, MINIMUM_EXPONENT, nearest_dilutions
from sirena.domain.truth_table import answer_code
from sirena.guidelines.rows import NO_SUSCEPTIBLE_CATEGORY, Breakpoint, Guideline, Statement

NO_BREAKPOINT: Final = answer_code(Category.NI, Reason.NO_BREAKPOINT)
CENSORED: Final = answer_code(Category.NI, Reason.CENSORED)
RESISTANT: Final = answer_code(Category.R)
BRACKETED: Final = answer_code(Category.NI, Reason.BRACKETED)
_WITHOUT_FIGURES: Final = {
    Statement.DASH: RESISTANT,
    Statement.INSUFFICIENT_EVIDENCE: answer_code(Category.NI, Reason.INSUFFICIENT_EVIDENCE),
    Statement.NOTE: answer_code(Category.NI, Reason.NOTE),
    Statement.NOT_APPLICABLE: answer_code(Category.NI, Reason.NOT_APPLICABLE),
    Statement.BLOCK: NO_BREAKPOINT,
}


class CensoredPolicy(enum.StrEnum):
    """What to answer if the interval of a censored MIC lies on both sides of a cut point."""

    REFUSE = "refuse"
    """Answer NI with reason `Reason.CENSORED`."""
    WHONET = "whonet"
    """Read the number as an exact MIC: ``<=4`` as 4, ``>8`` as 16, the next dilution."""


def exact_answers(row: Breakpoint, guideline: Guideline) -> NDArray[np.uint8]:
    """Return the answers for the exact MICs, one for each dilution of the MIC scale.

    >>> from sirena.guidelines.editions import load_edition
    >>> answers = exact_answers(load_edition("CLSI 2026").breakpoints[0], Guideline.CLSI)
    >>> (answers == RESISTANT).sum().item(), len(answers)
    (9, 28)
    """
    constant = _WITHOUT_FIGURES.get(row.statement)
    if constant is not None:
        return np.full(DILUTIONS, constant, dtype=np.uint8)
    susceptible = highest_susceptible(row)
    resistant = lowest_resistant(row, guideline)
    exponents = np.arange(MINIMUM_EXPONENT, MAXIMUM_EXPONENT + 1)
    answers = np.full(DILUTIONS, NO_BREAKPOINT, dtype=np.uint8)
    if row.statement is Statement.BRACKETED:
        answers[:] = BRACKETED
    elif susceptible is not None:
        answers[:] = answer_code(row.middle if resistant is not None else Category.NS)
    if resistant is not None:
        answers[exponents >= resistant] = RESISTANT
    if susceptible is not None and row.statement is not Statement.BRACKETED:
        answers[exponents <= susceptible] = answer_code(Category.S)
    return answers


def highest_susceptible(row: Breakpoint) -> int | None:
    """Return the exponent of the highest S dilution; one below the MIC scale if no MIC is S; None if no S is stated.

    >>> from sirena.guidelines.editions import load_edition
    >>> row = load_edition("CLSI 2026").breakpoints[0]
    >>> row.susceptible, highest_susceptible(row)
    (8.0, 3)
    """
    if row.susceptible is None:
        return None
    if row.susceptible <= NO_SUSCEPTIBLE_CATEGORY:
        return MINIMUM_EXPONENT - 1
    return nearest_dilutions(row.susceptible)[0]


def lowest_resistant(row: Breakpoint, guideline: Guideline) -> int | None:
    """Return the exponent of the lowest R dilution; None if the row states no R.

    >>> from sirena.guidelines.editions import load_edition
    >>> row = load_edition("CLSI 2026").breakpoints[0]
    >>> row.resistant, lowest_resistant(row, Guideline.CLSI), lowest_resistant(row, Guideline.EUCAST)
    (32.0, 5, 6)
    """
    if row.resistant is None:
        return None
    floor, ceiling = nearest_dilutions(row.resistant)
    return ceiling if guideline is Guideline.CLSI else floor + 1


def all_answers(exact: NDArray[np.uint8], policy: CensoredPolicy) -> NDArray[np.uint8]:
    """Return the answers for all MIC codes, in the order of `Interval`: exact, at most, at least.

    >>> exact = np.full(DILUTIONS, answer_code(Category.S), dtype=np.uint8)
    >>> all_answers(exact, CensoredPolicy.WHONET).shape
    (84,)
    """
    if policy is CensoredPolicy.WHONET:
        return np.tile(exact, 3)
    same_below = np.logical_and.accumulate(exact == exact[0])
    same_above = np.logical_and.accumulate(exact[::-1] == exact[-1])[::-1]
    at_most = np.where(same_below, exact, CENSORED)
    at_least = np.where(same_above, exact, CENSORED)
    return np.concatenate([exact, at_most, at_least]).astype(np.uint8)
