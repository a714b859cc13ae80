"""The cut points from which training starts: the best positions on the MIC scale, estimated along the lineage.

For one organism and one kind of interval there are only 29 × 29 / 2 places for two ordered cut points, so counting
finds the best pair, which makes most labels right. Rare organisms have too few labels to place a cut point, so each
group's score adds the mean score of the group above it, with the weight of a few results (`Borrowing`). A descent from
zero would get stuck if MICs are far from it (fosfomycin: 64-256 mg/L).

Rules, each with a test of like name:

- cut position 0 is below every dilution (always resistant); position 28 above all (always susceptible);
- a handful of an organism's own labels outweighs its relatives; one or two do not;
- if the evidence leaves a gap, the cut point starts in its middle, and never outside the drug's evidence.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.mic import CODES, DILUTIONS, MINIMUM_EXPONENT
from sirena.training.cells import LEVELS, Cells

POSITIONS: Final = DILUTIONS + 1
KINDS: Final = CODES // DILUTIONS
_FORBIDDEN: Final = -1e12
_EQUAL: Final = 1e-6
_LARGEST_SHARE: Final = 50.0


@dataclass(frozen=True)
class Borrowing:
    """Weights, in number of results, that a group's estimate gives to the estimate of the group above it."""

    relatives: float = 5.0
    """Weight of the group above, in the estimate of a group or an organism."""
    kinds: float = 2.0
    """Weight of the organism's other kinds of interval and of its relatives, in the estimate of one kind."""


def best_cut_points(
    cells: Cells, weight: NDArray[np.float64], lineage: NDArray[np.int32], borrowing: Borrowing
) -> NDArray[np.float64]:
    """Return two ordered cut points for every organism and kind of interval.

    Args:
        cells: the evidence.
        weight: number of results in each cell.
        lineage: group numbers from the widest to the organism itself, shape (organisms, levels).
        borrowing: weights of the estimates of the groups above.

    Returns:
        Shape (organisms, KINDS, 2): cut points as exponents of 2 mg/L, halfway between dilutions; the level is 1
        above the first and 2 above the second.

    >>> import polars as pl
    >>> from sirena.training.cells import cells_of
    >>> labels = {"mic_code": [15, 16, 18], "label": ["S", "S", "R"], "level": [0, 0, 2]}  # S at 2 and 4 mg/L, R at 16
    >>> cells = cells_of("AMK_NM", pl.DataFrame({"key": "eco", "part": 1, "weight": 9.0, **labels}))
    >>> best_cut_points(cells, cells.weight, np.array([[0, 1]], dtype=np.int32), Borrowing())[0, 0].tolist()
    [2.5, 2.5]
    """
    counts = np.zeros((len(cells.keys), KINDS, DILUTIONS, LEVELS))
    interval, position = np.divmod(cells.mic_code, DILUTIONS)
    np.add.at(counts, (cells.key, interval, position, cells.level), weight)
    is_allowed = _within_evidence(counts)
    pooled_hits = np.where(is_allowed, _hits(counts.sum(axis=1)), _FORBIDDEN)
    results = counts.sum(axis=(1, 2, 3))
    above = np.zeros_like(pooled_hits)
    everyone = np.zeros(len(results), dtype=np.int32)
    for level, wider in enumerate((everyone, *lineage.T[:-2])):
        above = _group_score(
            lineage[:, level], wider, pooled_hits, results, above, borrowing.relatives if level else 0.0
        )
    # What is expected of one kind rests on the organism's other kinds only, or its labels would count twice.
    other_counts = counts.sum(axis=1, keepdims=True) - counts
    expected_hits = _hits(other_counts) + borrowing.relatives * above[:, None]
    expected_hits /= other_counts.sum(axis=(2, 3))[..., None, None] + borrowing.relatives
    first, second = _middle_of_best(np.where(is_allowed, _hits(counts) + borrowing.kinds * expected_hits, _FORBIDDEN))
    return np.stack([first, second], axis=-1) + (MINIMUM_EXPONENT - 0.5)


def _within_evidence(counts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which ordered pairs of positions are within the drug's evidence.

    So MICs outside the evidence are not given a level beyond it.
    """
    evidence_positions = np.flatnonzero(counts.sum(axis=(0, 1, 3)))
    position = np.arange(POSITIONS)
    is_inside = (position >= evidence_positions[0]) & (position <= evidence_positions[-1] + 1)
    is_ordered: NDArray[np.bool_] = position[:, None] <= position[None]
    is_allowed: NDArray[np.bool_] = is_ordered & is_inside[:, None] & is_inside[None]
    return is_allowed


def _hits(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the number of right labels under every pair of positions: (..., DILUTIONS, LEVELS) → (..., 29, 29)."""
    below = np.zeros((*counts.shape[:-2], POSITIONS, LEVELS))
    np.cumsum(counts, axis=-2, out=below[..., 1:, :])
    first, second = below[..., :, None, :], below[..., None, :, :]
    total = below[..., -1:, None, :]
    hits: NDArray[np.float64] = first[..., 0] + (second[..., 1] - first[..., 1]) + (total[..., 2] - second[..., 2])
    return hits


def _group_score(
    group: NDArray[np.int32],
    wider: NDArray[np.int32],
    score: NDArray[np.float64],
    results: NDArray[np.float64],
    above: NDArray[np.float64],
    weight: float,
) -> NDArray[np.float64]:
    """Return for each organism the mean score per result of its group, with that of the group above added.

    One organism counts for at most 50 results, so that a hospital's commonest species does not decide for the family. A
    group with the same members as the one above, or with one member, is skipped: counting it again would let a single
    label outweigh the relatives by repetition.
    """
    share = np.minimum(1.0, _LARGEST_SHARE / np.maximum(results, 1.0))
    answer = above.copy()
    for number in np.unique(group):
        members = np.flatnonzero(group == number)
        if weight and (len(members) == 1 or len(members) == np.count_nonzero(wider == wider[members[0]])):
            continue
        total = np.tensordot(share[members], score[members], axes=1) + weight * above[members[0]]
        answer[members] = total / max(float(share[members] @ results[members]) + weight, 1.0)
    return answer


def _middle_of_best(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the closest of the equally good pairs, and of these the middle one.

    The closest, because no evidence supports a level between the cut points. (organisms, KINDS, 29, 29) → two
    (organisms, KINDS).
    """
    best = scores >= scores.max(axis=(-2, -1), keepdims=True) - _EQUAL
    position = np.arange(POSITIONS, dtype=np.float64)
    gap = np.where(best, position[None] - position[:, None], np.inf)
    best &= gap <= gap.min(axis=(-2, -1), keepdims=True)
    centre = (best.sum(axis=-1) * position).sum(axis=-1) / best.sum(axis=(-2, -1))
    distance = np.where(best, np.abs(position[:, None] - centre[..., None, None]), np.inf)
    nearest = distance.reshape(*centre.shape, -1).argmin(axis=-1)
    return (nearest // POSITIONS).astype(np.float64), (nearest % POSITIONS).astype(np.float64)
