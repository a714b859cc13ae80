"""Cross-validation: what a training would answer on isolates it has not seen, for its report and the gate.

The isolates are divided into `FOLDS` folds. For each fold, cut points are learnt from the other folds, with the
settings and number of steps of the final training, and then answer the fold. So every labelled result is judged once,
by cut points that were learnt without its isolate, and even a rare error gets an interval. An organism that only this
fold has is refused, as it would be in use.

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
    """Return the agreement with the labels of unseen isolates: of all together, and by organism.

    Args:
        cells: the evidence of one antimicrobial.
        settings: settings of the training.
        steps: number of steps of gradient descent.
        ancestry: returns the groups above an organism.
    """
    tested = cells.of_tested_organisms()
    course = Course(tested, settings, ancestry)
    confusion = np.zeros((len(tested.keys), LEVELS, LEVELS + 1), dtype=np.int64)
    for fold in range(FOLDS):
        asked = tested.folds[:, fold]
        learnt = tested.weight - asked
        if not asked.any() or not learnt.any():
            answer = np.full(len(asked), -1)
        else:
            course.advance(course.start_from(learnt), steps)
            known = np.bincount(tested.key, weights=learnt, minlength=len(tested.keys)) > 0
            level = course.fit(()).levels()[tested.key, tested.mic_code]
            answer = np.where(known[tested.key], level, -1)
        column = np.where(answer < 0, _UNANSWERED, answer)
        np.add.at(confusion, (tested.key, tested.level, column), asked.astype(np.int64))
    by_organism: dict[str, NDArray[np.int64]] = {}
    for key, matrix in zip(tested.keys, confusion, strict=True):
        organism = split_key(key)[0]
        by_organism[organism] = by_organism.get(organism, 0) + matrix
    return _counts(confusion.sum(axis=0)), {organism: _counts(matrix) for organism, matrix in by_organism.items()}


def _counts(matrix: NDArray[np.int64]) -> AgreementCounts:
    return AgreementCounts(int(matrix.sum()), tuple(tuple(int(n) for n in row[:LEVELS]) for row in matrix))
