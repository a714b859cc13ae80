"""Agreement with labels."""

import numpy as np
import pytest
from scipy.stats import norm

from sirena.training.evaluation import WilsonRate, answered_cells, evaluate, summarise
from tests.laboratories import evidence_of, reference_table


def test_levels_are_compared_and_errors_counted() -> None:
    """SDD counts as I and NS as R; NI lowers the answered share and not the agreement."""
    evidence = evidence_of(
        ("eco", "=", 0, "S", 90),
        ("eco", "=", 0, "R", 4),
        ("eco", "=", 7, "R", 40),
        ("eco", "=", 7, "S", 3),
        ("eco", "=", 3, "S", 2),
        ("ecl", "=", 3, "I", 5),
        ("spn", "=", 1, "R", 6),
        ("eco", ">=", 0, "R", 8),
        ("abx", "=", 0, "S", 0),
        ("cfr", "=", 0, "S", 7),
    )
    found = evaluate({"AMK_NM": reference_table()}, evidence.rows)

    assert found.pooled_counts.labelled_results == 165
    assert found.pooled_counts.answered_rate.cases == 150
    assert found.pooled_counts.categorical_agreement.cases == 90 + 40 + 5 + 6
    assert (found.pooled_counts.very_major_errors.cases, found.pooled_counts.very_major_errors.total) == (4, 50)
    assert (found.pooled_counts.major_errors.cases, found.pooled_counts.major_errors.total) == (3, 95)
    assert found.pooled_counts.minor_errors.cases == 2
    assert {name: found.by_organism[name].answered_rate.cases for name in ("cfr", "ecl")} == {"cfr": 0, "ecl": 5}
    assert found.by_column["AMK_NM"] == found.pooled_counts


def test_a_column_without_a_table_goes_unanswered() -> None:
    """Its labels count as labelled."""
    found = evaluate({}, evidence_of(("eco", "=", 0, "S", 5)).rows)

    assert (found.pooled_counts.answered_rate.cases, found.pooled_counts.answered_rate.total) == (0, 5)


def test_no_labels_give_empty_rates() -> None:
    """Nothing is divided by zero, and the JSON holds null."""
    found = evaluate({}, evidence_of(("eco", "=", 0, "S", 5)).rows.clear())

    assert np.isnan(found.pooled_counts.categorical_agreement.share)
    assert found.to_json()["pooled"]["ca"] == {"cases": 0, "total": 0, "share": None, "interval_95": [0.0, 1.0]}


def test_folds_are_pooled() -> None:
    """The sum of two parts is the evaluation of both."""
    first, second = evidence_of(("eco", "=", 0, "S", 5)), evidence_of(("eco", "=", 7, "S", 4), ("pae", "=", 0, "S", 1))
    tables = {"AMK_NM": reference_table()}
    pooled = summarise([answered_cells(tables, evidence.rows) for evidence in (first, second)]).pooled_counts

    assert pooled.confusion == ((6, 0, 4), (0, 0, 0), (0, 0, 0))


def test_intervals_are_wilson_s() -> None:
    """Checked against the formula; a rate of nothing has the whole range."""
    z, cases, total = norm.ppf(0.975), 3, 40
    centre = (cases + z**2 / 2) / (total + z**2)
    half = z / (total + z**2) * np.sqrt(cases * (total - cases) / total + z**2 / 4)

    assert WilsonRate(cases, total).interval == pytest.approx((centre - half, centre + half))
    assert WilsonRate(0, 0).interval == (0.0, 1.0)
    assert str(WilsonRate(3, 40)) == "3 of 40 (7.50%, 2.58%-19.86%)"
