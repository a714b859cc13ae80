"""The chart of drift: for each antimicrobial the mix of categories now, a year before and in training, as bars."""

from typing import Any, Final

from sirena.panel.basis import Language
from sirena.stewardship.antimicrobial_names import drug_name
from sirena.stewardship.cells import FEW
from sirena.stewardship.charts import FILLS, INK, Chart, specification
from sirena.stewardship.drift import Comparison, Drift, Measure, SideComparisons
from sirena.stewardship.drift_words import points
from sirena.stewardship.texts import text

_FILLS: Final = {
    "S": FILLS["S"], "SDD": "#fbe6a8", "I": FILLS["I"], "R": FILLS["R"], "NS": "#5b2a72", "WT": "#e3e8ec", "NWT": INK,
}  # fmt: skip
_WIDTH: Final = 300
_BAR: Final = 13


def drift_chart(drift: Drift, language: Language) -> Chart | None:
    """Return the chart; None when nothing has enough results on both sides.

    Antimicrobials that drift stand first, those of fewer than 30 answered results are left out.

    Args:
        drift: the comparisons.
        language: of the words.
    """
    shown = [(side, column, mix) for side in drift.sides for column, mix in _mixes(side).items()]
    if not shown:
        return None
    drifting = {column for side, column, mix in shown if any(one.drifts for one in mix)}
    columns = sorted({column for _, column, _ in shown}, key=lambda column: (column not in drifting, column))
    records = [record for column in columns for record in _records(column, shown, language)]
    title = text("drift", "title", language)
    order = list(dict.fromkeys(record["bar"] for record in records))
    present = [category for category in _FILLS if any(record["category"] == category for record in records)]
    y = {"field": "bar", "type": "nominal", "sort": order, "title": None, "axis": {"ticks": False, "domain": False}}
    bars = {
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
    notes = {
        "transform": [{"filter": "datum.note != ''"}],
        "mark": {"type": "text", "align": "left", "dx": 4, "fontWeight": "bold", "color": INK},
        "encoding": {"y": y, "x": {"datum": 100}, "text": {"field": "note"}},
    }
    parts = {
        "facet": {
            "row": {
                "field": "drug",
                "type": "nominal",
                "sort": list(dict.fromkeys(record["drug"] for record in records)),
                "title": None,
                "header": {"labelAngle": 0, "labelAlign": "left", "labelOrient": "top", "labelAnchor": "start",
                           "labelFontWeight": "bold", "labelColor": INK, "labelPadding": 2},
            }
        },
        "spec": {"width": _WIDTH, "height": {"step": _BAR}, "layer": [bars, notes]},
        "resolve": {"scale": {"y": "independent"}},
        "spacing": 6,
    }  # fmt: skip
    return Chart("drift", title, specification(title, parts, records))


def _mixes(side: SideComparisons) -> dict[str, list[Comparison]]:
    mixes: dict[str, list[Comparison]] = {}
    for one in side.comparisons:
        if one.measure is Measure.CATEGORY and min(one.n, one.n_before) >= FEW:
            mixes.setdefault(one.column, []).append(one)
    return mixes


def _records(
    column: str, shown: list[tuple[SideComparisons, str, list[Comparison]]], language: Language
) -> list[dict[str, Any]]:
    name = f"{drug_name(column, language)} ({column})"
    of_column = [(side, mix) for side, its, mix in shown if its == column]
    first = of_column[0][1]
    records = _bar(name, "now", first[0].n, {one.what: one.events for one in first}, "", language)
    for side, mix in of_column:
        moved = ", ".join(f"{one.what} {points(one.difference, language)}" for one in mix if one.drifts)
        note = text("drift", "drifts", language).format(what=moved) if moved else ""
        before = {one.what: one.events_before for one in mix}
        records += _bar(name, side.side.value, mix[0].n_before, before, note, language)
    return records


def _bar(name: str, key: str, n: int, counts: dict[str, int], note: str, language: Language) -> list[dict[str, Any]]:
    label, begin = f"{text('drift', key, language)} (n {n})", 0.0
    records: list[dict[str, Any]] = []
    for category in _FILLS:
        if not counts.get(category):
            continue
        share = 100 * counts[category] / n
        common = {"drug": name, "bar": label, "category": category}
        records.append({**common, "from": begin, "to": begin + share, "note": "" if records else note})
        begin += share
    return records
