"""Agreement with held-out results, and its intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from sirena.certification.agreement import LEVELS, Agreement, Rate
from sirena.certification.comparison import LEVEL
from sirena.domain.category import Category
from sirena.domain.truth_table import ANSWERS, answer_code
from tests.unit.certification.certification_tables import CENSORED, I, R, S

NS, SDD = answer_code(Category.NS), answer_code(Category.SDD)
Codes = np.ndarray[tuple[int], np.dtype[np.uint8]]
CODES = st.integers(0, len(ANSWERS) - 1)


def codes(*values: int) -> Codes:
    """Return positions in `ANSWERS` as an array."""
    return np.array(values, dtype=np.uint8)


def measured(labels: Codes, answers: Codes) -> Agreement:
    """Count agreement of answers with labels; labels that are no category are left out."""
    expected, given_ = LEVEL[labels], LEVEL[answers]
    labelled = expected >= 0
    answered = labelled & (given_ >= 0)
    confusion = np.zeros((len(LEVELS), len(LEVELS)), dtype=np.int64)
    np.add.at(confusion, (expected[answered], given_[answered]), 1)
    return Agreement.of_confusion(int(labelled.sum()), confusion.tolist())


def test_errors_are_counted_over_their_own_reference() -> None:
    """VME over answered R, ME over answered S, mE and CA over answered; refusals in none of them."""
    labels = codes(R, R, R, S, S, S, S, I, R, S, 0)
    answers = codes(S, R, CENSORED, R, S, S, I, S, I, 0, S)
    assert measured(labels, answers) == Agreement(
        results=10, answered=8, agreed=3, resistant=3, susceptible=4, very_major=1, major=1, minor=3
    )


def test_names_of_one_level_agree() -> None:
    """A laboratory's NS is the model's R, its SDD the model's I."""
    agreement = measured(codes(NS, SDD, R, I), codes(R, I, NS, SDD))
    assert (agreement.agreed, agreement.answered) == (4, 4)


@given(st.lists(st.tuples(CODES, CODES), max_size=60), st.integers(0, 60))
def test_counts_add_up_and_pool(rows: list[tuple[int, int]], cut: int) -> None:
    """Agreed and the three errors make up answered; two parts pooled are the whole."""
    labels, answers = codes(*(label for label, _ in rows)), codes(*(answer for _, answer in rows))
    whole = measured(labels, answers)
    assert whole.agreed + whole.very_major + whole.major + whole.minor == whole.answered
    parts = [measured(labels[part], answers[part]) for part in (slice(cut), slice(cut, None))]
    assert sum(parts, Agreement()) == whole
    assert Agreement.from_json(whole.to_json()) == whole


@given(st.integers(0, 400), st.integers(0, 400))
def test_interval_is_the_exact_binomial_one(events: int, others: int) -> None:
    """At each limit the observed count is just as extreme as 2.5 % allow."""
    rate = Rate(events, events + others)
    if events + others == 0:
        assert (rate.lower, rate.upper) == (0.0, 1.0)
        assert np.isnan(rate.share)
        return
    assert rate.lower <= rate.share <= rate.upper
    if events:
        assert binom.sf(events - 1, events + others, rate.lower) == pytest.approx(0.025, abs=1e-6)
    if others:
        assert binom.cdf(events, events + others, rate.upper) == pytest.approx(0.025, abs=1e-6)


def test_known_interval() -> None:
    """None of 48 leaves an upper limit just below 7.5 %, none of 47 just above: the gate's figures rest on it."""
    assert Rate(0, 48).upper < 0.075 < Rate(0, 47).upper
    assert Rate(0, 72).upper < 0.05 < Rate(0, 71).upper
    assert str(Rate(83, 12741)) == "83 of 12741 (0.65%, 95 % 0.52% to 0.81%)"


def test_a_confusion_table_gives_the_same_counts() -> None:
    """Label's level by answer's level, refusals only among the labelled."""
    agreement = Agreement.of_confusion(20, [[5, 1, 2], [0, 3, 1], [4, 0, 2]])
    assert agreement == Agreement(20, 18, 10, resistant=6, susceptible=8, very_major=4, major=2, minor=2)


@pytest.mark.parametrize("confusion", [[[1]], [[1, 0, 0], [0, 1, 0]], [[30, 0, 0], [0, 0, 0], [0, 0, 0]]])
def test_a_confusion_that_cannot_be_is_refused(confusion: list[list[int]]) -> None:
    """A table of another shape, or with more answers than labels."""
    with pytest.raises(ValueError, match="confusion"):
        Agreement.of_confusion(20, confusion)
