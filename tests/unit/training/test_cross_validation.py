"""Agreement with isolates that were not learnt from."""

from dataclasses import replace

import numpy as np

from sirena.domain.truth_table import ANSWERS
from sirena.training.cells import FOLDS
from sirena.training.cross_validation import cross_validate
from sirena.training.evidence import LabelSource
from sirena.training.fitting import TrainedModel, train_models
from sirena.training.optimisation import TrainingSettings
from sirena.training.schedule import Course
from tests.laboratories import counted, evidence_of, laboratory, reference_table


def test_every_result_is_judged_once() -> None:
    """The counts are those of the labels, pooled and by organism."""
    cells = counted(laboratory().rows)
    pooled, by_organism = cross_validate(cells, TrainingSettings(), steps=25)

    assert pooled.labelled_results == 400
    assert sum(counts.labelled_results for counts in by_organism.values()) == 400
    assert pooled.categorical_agreement.share > 0.97


def test_an_organism_that_only_the_fold_has_is_refused() -> None:
    """One isolate of a species cannot be answered by networks that never saw it."""
    one = evidence_of(*[("eco", "=", 0, "S", 60), ("eco", "=", 6, "R", 60), ("pae", "=", 0, "S", 1)])
    _, by_organism = cross_validate(counted(one.rows), TrainingSettings(), steps=25)

    assert (by_organism["pae"].labelled_results, by_organism["pae"].answered_rate.cases) == (1, 0)
    assert by_organism["eco"].answered_rate.cases == 120


def test_noise_is_not_learnt_from_the_results_that_judge() -> None:
    """With labels drawn by lot the agreement is a coin's, while what was learnt from agrees better."""
    random = np.random.default_rng(1)
    cells = [("eco", "=", int(exponent), "SR"[random.integers(2)], 1) for exponent in random.integers(-9, 9, 120)]
    pooled, _ = cross_validate(counted(evidence_of(*cells).rows), TrainingSettings(), steps=25)

    assert pooled.categorical_agreement.share < 0.6


def test_levels_are_what_the_network_answers() -> None:
    """The numbers a cross-validation compares are the categories of the network trained the same way."""
    (model,) = train_models(laboratory())
    assert isinstance(model, TrainedModel)
    cells = counted(laboratory().rows)
    course = Course(cells, TrainingSettings())
    course.advance(course.start(), model.report["steps"])

    levels = {"S": 0, "I": 1, "R": 2, "NI": -1}
    answers = np.vectorize(lambda code: levels[_name(code)])(model.table.cells)
    np.testing.assert_array_equal(course.fit(()).levels(), answers)


def test_a_report_holds_the_agreement_with_unseen_isolates() -> None:
    """From the laboratory's labels there is one; from a reference alone there are no isolates to judge by."""
    (own,) = train_models(laboratory())
    both = replace(laboratory(), label_source=LabelSource.BOTH, reference={"AMK_NM": reference_table()})
    (filled,) = train_models(both)
    (reference,) = train_models(replace(both, label_source=LabelSource.REFERENCE))
    assert isinstance(own, TrainedModel)
    assert isinstance(filled, TrainedModel)
    assert isinstance(reference, TrainedModel)

    assert own.report["held_out"]["pooled"]["labelled"] == 400
    assert own.report["held_out"]["method"] == f"{FOLDS}-fold cross-validation by isolate"
    assert filled.report["held_out"] is None, "the edition speaks of all three organisms"
    assert reference.report["held_out"] is None


def _name(code: int) -> str:
    answer = ANSWERS[code]
    return answer.category.value if answer else ""
