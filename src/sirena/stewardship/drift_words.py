"""Describing drift: the words of a comparison, and all comparisons as one document."""

from typing import Any

from sirena.domain.category import Reason
from sirena.domain.language import Language
from sirena.stewardship.cells import FEW
from sirena.stewardship.drift import LEAST, RISK, Comparison, Drift, Measure, SideComparisons
from sirena.stewardship.periods import Period
from sirena.stewardship.texts import text


def what_is_compared(comparison: Comparison, language: Language) -> str:
    """Return what a comparison compares, in words.

    >>> what_is_compared(Comparison("CIP_NM", Measure.MIC, "", 3, 40, 0, 50), Language.ENGLISH)
    'MICs not seen there'
    """
    if comparison.measure is Measure.CATEGORY:
        return comparison.what
    if comparison.measure is Measure.REFUSAL:
        reason = Reason(comparison.what)
        sentence = reason.spanish if language is Language.SPANISH else reason.sentence
        return text("drift", "refusal", language).format(reason=sentence.rstrip("."))
    return text("drift", comparison.measure.value, language)


def side_name(side: SideComparisons, language: Language) -> str:
    """Return the name of the side (the year before, or training) that a period is compared with."""
    return text("drift", side.side.value, language)


def points(share: float | None, language: Language) -> str:
    """Return a difference of shares in percentage points, with sign; empty for None.

    >>> points(0.0523, Language.SPANISH), points(None, Language.ENGLISH)
    ('+5,2', '')
    """
    if share is None:
        return ""
    spelled = f"{100 * share:+.1f}"
    return spelled.replace(".", ",") if language is Language.SPANISH else spelled


def percent(share: float | None, language: Language) -> str:
    """Return a share in per cent; a dash for None.

    >>> percent(0.0523, Language.SPANISH)
    '5,2 %'
    """
    if share is None:
        return "–"
    spelled = f"{100 * share:.1f}"
    return f"{spelled.replace('.', ',')} %" if language is Language.SPANISH else f"{spelled}%"


def drift_document(drift: Drift, answered_by: str) -> dict[str, Any]:
    """Return all comparisons as plain JSON values, for programs.

    Args:
        drift: the comparisons.
        answered_by: name of the release, or of the guideline editions.
    """
    training = drift.training
    return {
        "answered_by": answered_by,
        "period": _days(drift.period),
        "results": drift.results,
        "drift": drift.is_found,
        "rule": {
            "least_difference": LEAST,
            "risk": RISK,
            "fewest_results": FEW,
            "interval": "Newcombe 1998, method 10",
        },
        "training_without_results": [] if training is None else list(training.without_results),
        "training_not_kept": [] if training is None else list(training.columns_without_counts),
        "sides": [
            {
                "side": side.side.value,
                "period": _days(side.period),
                "results": side.results,
                "judged": side.judged_count,
                "comparisons": [_record(comparison) for comparison in side.comparisons],
            }
            for side in drift.sides
        ],
    }


def _days(period: Period | None) -> dict[str, str] | None:
    return None if period is None else {"first": str(period.first), "last": str(period.last)}


def _record(comparison: Comparison) -> dict[str, Any]:
    return {
        "column": comparison.column,
        "measure": comparison.measure.value,
        "what": comparison.what,
        "results": comparison.events,
        "of": comparison.n,
        "results_before": comparison.events_before,
        "of_before": comparison.n_before,
        "share": comparison.share,
        "share_before": comparison.share_before,
        "difference": comparison.difference,
        "low": comparison.low,
        "high": comparison.high,
        "by_organisms": comparison.by_organisms,
        "judged": comparison.is_judged,
        "drift": comparison.drifts,
    }
