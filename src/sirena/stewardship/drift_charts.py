"""The chart of drift: for each antimicrobial, bars of the categories now, a year before and in training."""

from typing import Any, Final

from sirena.domain.language import Language
from sirena.stewardship.antimicrobial_names import drug_name
from sirena.stewardship.cells import FEW
from sirena.stewardship.chart import FILLS, INK, Chart, specification
from sirena.stewardship.drift import Comparison, Drift, Measure, SideComparisons
from sirena.stewardship.drift_words import points
from sirena.stewardship.texts import text

_FILLS: Final = {
    "S": FILLS["S"], "SDD": "#fbe6a8", "I": FILLS["I"], "R": FILLS["R"], "NS": "#5b2a72", "WT": "#e3e8ec", "NWT": INK,
}  # fmt: skip
_WIDTH: Final = 300
_BAR: Final = 13
_BETWEEN: Final = "|"
"""Separates antimicrobial and words in a row's name, which must be unique."""


def drift_chart(drift: Drift, language: Language) -> Chart | None:
    """Return the chart of drift; None if nothing has enough results on both sides.

    Antimicrobials that drift come first; those with fewer than 30 answered results are left out.

    Args:
        drift: the comparisons.
        language: language of the words.
    """
    shown_mixes = [(side, column, mix) for side in drift.sides for column, mix in _mixes(side).items()]
    if not shown_mixes:
        return None
    drifting_columns = {column for _, column, mix in shown_mixes if any(comparison.drifts for comparison in mix)}
    columns = sorted(
        {column for _, column, _ in shown_mixes}, key=lambda column: (column not in drifting_columns, column)
    )
    records = [record for column in columns for record in _records(column, shown_mixes, language)]
    title = text("drift", "title", language)
    present = [category for category in _FILLS if any(record.get("category") == category for record in records)]
    y = {
        "field": "row",
        "type": "nominal",
        "sort": list(dict.fromkeys(record["row"] for record in records)),
        "title": None,
        "axis": {"ticks": False, "domain": False, "labelExpr": f"split(datum.value, '{_BETWEEN}')[1]", "labelLimit": 0},
    }
    bars = {
        "transform": [{"filter": "isValid(datum.category)"}],
        "mark": {"type": "bar", "stroke": INK, "strokeWidth": 0.5},
        "encoding": {
            "y": y,
            "x": {
                "field": "from",
                "type": "quantitative",
                "title": text("drift", "axis", language),
                "scale": {"domain": [0, 100]},
            },
            "x2": {"field": "to"},
            "color": {
                "field": "category",
                "type": "nominal",
                "title": None,
                "scale": {"domain": present, "range": [_FILLS[category] for category in present]},
                "legend": {"orient": "top", "direction": "horizontal"},
            },
        },
    }
    words = {
        "transform": [{"filter": "isValid(datum.words)"}],
        "mark": {"type": "text", "align": "left", "dx": 4, "fontWeight": "bold", "color": INK},
        "encoding": {"y": y, "x": {"field": "at", "type": "quantitative"}, "text": {"field": "words"}},
    }
    parts = {"width": _WIDTH, "height": {"step": _BAR}, "layer": [bars, words]}
    return Chart("drift", title, specification(title, parts, records))


def _mixes(side: SideComparisons) -> dict[str, list[Comparison]]:
    mixes: dict[str, list[Comparison]] = {}
    for comparison in side.comparisons:
        if comparison.measure is Measure.CATEGORY and min(comparison.n, comparison.n_before) >= FEW:
            mixes.setdefault(comparison.column, []).append(comparison)
    return mixes


def _records(
    column: str, shown_mixes: list[tuple[SideComparisons, str, list[Comparison]]], language: Language
) -> list[dict[str, Any]]:
    of_column = [(side, mix) for side, its, mix in shown_mixes if its == column]
    first_mix = of_column[0][1]
    records = [{"row": f"{column}{_BETWEEN}", "words": f"{drug_name(column, language)} ({column})", "at": 0}]
    records += _bar(
        column, "now", first_mix[0].n, {comparison.what: comparison.events for comparison in first_mix}, language
    )
    for side, mix in of_column:
        bar = _bar(
            column,
            side.side.value,
            mix[0].n_before,
            {comparison.what: comparison.events_before for comparison in mix},
            language,
        )
        moved_words = ", ".join(
            f"{comparison.what} {points(comparison.difference, language)}" for comparison in mix if comparison.drifts
        )
        if moved_words:
            drifts = text("drift", "drifts", language).format(what=moved_words)
            bar.append({"row": bar[0]["row"], "words": drifts, "at": 100})
        records += bar
    return records


def _bar(column: str, key: str, n: int, counts: dict[str, int], language: Language) -> list[dict[str, Any]]:
    row, begin = f"{column}{_BETWEEN}{text('drift', key, language)} (n {n})", 0.0
    records: list[dict[str, Any]] = []
    for category in _FILLS:
        if counts.get(category):
            share = 100 * counts[category] / n
            records.append({"row": row, "category": category, "from": begin, "to": begin + share})
            begin += share
    return records
