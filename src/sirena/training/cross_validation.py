"""Cross-validation: what a training would answer on isolates it has not seen, for its report and the gate.

The isolates are divided into `FOLDS` folds. For each fold, cut points are learnt from the other folds, with the
settings and number of steps of the final training, and then answer the fold. So every labelled result is judged once,
by cut points that were learnt without its isolate, and even a rare error gets a confidence interval. An organism that
only this fold has is refused, as it would be in use.

Settings and number of steps were chosen on 5 % of the isolates (part 0), which are judged here too; so after a
`--search` the figures are slightly too good. Organisms that the file lacks are left out: with labels from both sources
they contribute nothing.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.truth_table import split_key
from sirena.training.cells import FOLDS, LEVELS, Cells
from sirena.training.evaluation import AgreementCounts
from sirena.training.lineage import Ancestry, groups_above
from sirena.training.optimisation import TrainingSettings
from sirena.training.schedule import Course

_UNANSWERED: Final = LEVELS


def cross_validate(
    cells: Cells, settings: TrainingSettings, steps: int, ancestry: Ancestry = groups_above
) -> tuple[AgreementCounts, dict[str, AgreementCounts]]:
    """Return the agreement with the labels of unseen isolates: for all organisms together, and for each.

    Args:
        cells: the evidence of one antimicrobial.
        settings: settings of the training.
        steps: number of steps of gradient descent.
        ancestry: returns the groups that an organism belongs to.
    """
    tested_cells = cells.of_tested_organisms()
    course = Course(tested_cells, settings, ancestry)
    confusion = np.zeros((len(tested_cells.keys), LEVELS, LEVELS + 1), dtype=np.int64)
    for fold in range(FOLDS):
        asked_weight = tested_cells.folds[:, fold]
        learnt_weight = tested_cells.weight - asked_weight
        if not asked_weight.any() or not learnt_weight.any():
            answer = np.full(len(asked_weight), -1)
        else:
            course.advance(course.start_from(learnt_weight), steps)
            is_known = np.bincount(tested_cells.key, weights=learnt_weight, minlength=len(tested_cells.keys)) > 0
            level = course.fit(()).levels()[tested_cells.key, tested_cells.mic_code]
            answer = np.where(is_known[tested_cells.key], level, -1)
        column = np.where(answer < 0, _UNANSWERED, answer)
        np.add.at(confusion, (tested_cells.key, tested_cells.level, column), asked_weight.astype(np.int64))
    by_organism: dict[str, NDArray[np.int64]] = {}
    for key, matrix in zip(tested_cells.keys, confusion, strict=True):
        organism = split_key(key)[0]
        by_organism[organism] = by_organism.get(organism, 0) + matrix
    return _counts(confusion.sum(axis=0)), {organism: _counts(matrix) for organism, matrix in by_organism.items()}


def _counts(matrix: NDArray[np.int64]) -> AgreementCounts:
    return AgreementCounts(int(matrix.sum()), tuple(tuple(int(n) for n in row[:LEVELS]) for row in matrix))
