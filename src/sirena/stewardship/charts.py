"""Charts of an antibiogram as Vega-Lite specifications: plain data, drawn by `sirena.stewardship.drawing`.

Rules, each with a test of like name:

- a heat map has shades of one blue, darker for lower susceptibility, so that a grey printer shows it too; cells with
  fewer than 30 isolates have no colour;
- a trend shows %R and its interval year by year; years of fewer than 30 isolates are hollow;
- breakpoint lines lie between two dilutions, and MICs outside the tested range have a separate tone;
- wards are in the order of their names, never ranked.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from sirena.domain.language import Language
from sirena.domain.mic import DILUTIONS, MINIMUM_EXPONENT, Interval, spell_dilution
from sirena.stewardship.antimicrobial_names import drug_name
from sirena.stewardship.breakpoint_edges import BreakpointEdges
from sirena.stewardship.cells import FEW
from sirena.stewardship.chart import FILLS, INK, Chart, Specification, specification
from sirena.stewardship.intervals import wilson
from sirena.stewardship.strata import UNKNOWN
from sirena.stewardship.texts import text

LINE: Final = "#0b5394"
RAMP: Final = ("#0b3f6b", "#2c6fa3", "#5b9bc8", "#a9cbe4", "#d6e6f3", "#f3f8fc")
_WATCHED: Final = (
    ("Escherichia coli", ("CIP", "LVX")),
    ("Escherichia coli", ("CTX", "CRO", "CAZ")),
    ("Klebsiella pneumoniae", ("CTX", "CRO", "CAZ")),
    ("Klebsiella pneumoniae", ("MEM", "IPM")),
    ("Pseudomonas aeruginosa", ("MEM", "IPM")),
    ("Acinetobacter baumannii", ("MEM", "IPM")),
    ("Staphylococcus aureus", ("OXA", "FOX")),
    ("Enterococcus faecium", ("VAN",)),
    ("Streptococcus pneumoniae", ("PEN",)),
)
"""Resistances that are drawn if there are enough isolates, by the first of the drugs tested: WHO's list of 2024."""
_MOST_WARDS: Final = 12


def heat_map(cells: pl.DataFrame, language: Language) -> Iterator[Chart]:
    """Yield the heat map of the species with at least 30 isolates, if there are any.

    Args:
        cells: cells of the whole file, see `antibiogram_cells`.
        language: language of the words.
    """
    shown_cells = cells.filter((pl.col("isolates") >= FEW) & ((pl.col("n") > 0) | pl.col("is_expected")))
    if shown_cells.is_empty():
        return
    species = shown_cells["species"].unique(maintain_order=True).to_list()
    is_of_one_guideline = shown_cells["guideline"].n_unique() == 1
    records = [
        {
            "species": cell["species"],
            "drug": cell["drug"] if is_of_one_guideline else cell["column"],
            "share": None
            if cell["few"] or cell["is_expected"]
            else 100 - cell["percent_r"]
            if cell["no_s"]
            else cell["percent_s"],
            "text": _cell_text(cell),
        }
        for cell in shown_cells.iter_rows(named=True)
    ]
    title = text("words", "heat_map", language)
    encoding = {
        "x": {"field": "drug", "type": "nominal", "title": None, "axis": {"orient": "top", "labelAngle": -60}},
        "y": {
            "field": "species",
            "type": "nominal",
            "sort": species,
            "title": None,
            "axis": {"labelFontStyle": "italic"},
        },
    }
    thresholds = [100 * number / len(RAMP) for number in range(1, len(RAMP))]
    colour = {
        "field": "share",
        "type": "quantitative",
        "title": "%S",
        "scale": {"type": "threshold", "domain": thresholds, "range": list(RAMP)},
        "legend": {"format": ".0f"},
    }
    layers = [
        {
            "transform": [{"filter": "datum.share != null"}],
            "mark": {"type": "rect", "stroke": "#c5ced6"},
            "encoding": encoding | {"color": colour},
        },
        {
            "mark": {"type": "text", "fontSize": 9},
            "encoding": encoding
            | {
                "text": {"field": "text"},
                "color": {
                    "condition": {"test": "datum.share != null && datum.share < 34", "value": "white"},
                    "value": INK,
                },
            },
        },
    ]
    yield Chart(
        "heat-map",
        title,
        specification(title, {"layer": layers, "width": {"step": 27}, "height": {"step": 20}}, records),
    )


def trends(trend: pl.DataFrame, language: Language) -> Iterator[Chart]:
    """Yield the trend of each watched resistance with at least 30 isolates in two years or more.

    Args:
        trend: cells by year, see `antibiogram_cells`.
        language: language of the words.
    """
    for species, column in _watched_resistances(trend.filter(pl.col("n") >= FEW), fewest_rows=2):
        cells = trend.filter((pl.col("species") == species) & (pl.col("column") == column) & (pl.col("n") > 0))
        title = f"{species} · {drug_name(column, language)}"
        x = {"field": "stratum", "type": "ordinal", "title": None, "axis": {"labelAngle": 0}}
        yield Chart(
            _file_name("trend", species, column),
            f"{text('words', 'trend', language)}: {title}",
            specification(
                title,
                {
                    "width": 240,
                    "height": 130,
                    "layer": [
                        {
                            "mark": {"type": "rule", "color": LINE, "strokeWidth": 1.5},
                            "encoding": {"x": x, **_interval("y")},
                        },
                        {"mark": {"type": "line", "color": LINE}, "encoding": {"x": x, **_share("y")}},
                        {
                            "mark": {"type": "point", "color": LINE, "size": 45, "opacity": 1},
                            "encoding": {"x": x, **_share("y"), "fill": _hollow_if_few()},
                        },
                    ],
                },
                _resistance(cells),
            ),
        )


def wards(cells: pl.DataFrame, language: Language) -> Iterator[Chart]:
    """Yield the comparison of wards for each watched resistance with at least 30 isolates in two wards or more.

    Args:
        cells: cells by ward, see `antibiogram_cells`.
        language: language of the words.
    """
    known_wards = cells.filter((pl.col("stratum") != UNKNOWN) & (pl.col("n") >= FEW))
    for species, column in _watched_resistances(known_wards, fewest_rows=2):
        shown_cells = known_wards.filter((pl.col("species") == species) & (pl.col("column") == column)).sort("stratum")
        title = f"{species} · {drug_name(column, language)}"
        y = {"field": "stratum", "type": "nominal", "title": None}
        yield Chart(
            _file_name("wards", species, column),
            f"{text('words', 'ward_comparison', language)}: {title}",
            specification(
                title,
                {
                    "width": 220,
                    "height": {"step": 20},
                    "layer": [
                        {
                            "mark": {"type": "rule", "color": LINE, "strokeWidth": 1.5},
                            "encoding": {"y": y, **_interval("x")},
                        },
                        {
                            "mark": {"type": "point", "color": LINE, "size": 45, "opacity": 1, "fill": LINE},
                            "encoding": {"y": y, **_share("x")},
                        },
                    ],
                },
                _resistance(shown_cells.head(_MOST_WARDS)),
            ),
        )


def histograms(
    distribution: pl.DataFrame, edges: Mapping[tuple[str, str], BreakpointEdges], language: Language
) -> Iterator[Chart]:
    """Yield the distribution of MICs of each watched species and antimicrobial with at least 30 isolates.

    Args:
        distribution: columns ``species``, ``column``, ``mic`` (`Mic.code`), ``n``.
        edges: breakpoints by species and column.
        language: language of the words.
    """
    totals = distribution.group_by("species", "column").agg(pl.col("n").sum()).filter(pl.col("n") >= FEW)
    for species, column in _watched_resistances(totals, fewest_rows=1):
        of_pair = distribution.filter((pl.col("species") == species) & (pl.col("column") == column))
        edge = edges.get((species, column), BreakpointEdges(None, None))
        title = f"{species} · {drug_name(column, language)}"
        yield Chart(
            _file_name("mic", species, column),
            f"{text('words', 'distribution', language)}: {title}",
            _histogram(title, of_pair, edge, language),
        )


def _histogram(title: str, distribution: pl.DataFrame, edge: BreakpointEdges, language: Language) -> Specification:
    records, low, high = [], 99, -99
    height_of_exponent: dict[int, int] = {}
    for row in sorted(distribution.iter_rows(named=True), key=lambda row: row["mic"]):
        interval, exponent = Interval(row["mic"] // DILUTIONS), row["mic"] % DILUTIONS + MINIMUM_EXPONENT
        begin = height_of_exponent.get(exponent, 0)
        height_of_exponent[exponent] = begin + row["n"]
        low, high = min(low, exponent), max(high, exponent)
        records.append(
            {
                "left": exponent - 0.42,
                "right": exponent + 0.42,
                "from": begin,
                "to": begin + row["n"],
                "category": edge.category(exponent),
                "censored": interval is not Interval.EXACT,
            }
        )
    present = [category for category in FILLS if any(record["category"] == category for record in records)]
    lines = [{"edge": position} for position in edge.positions if low - 1 <= position <= high + 1]
    names = ", ".join(f"'{exponent}': '{spell_dilution(exponent)}'" for exponent in range(low - 1, high + 2))
    x_axis = {"values": list(range(low, high + 1)), "labelExpr": f"({{{names}}})['' + datum.value]", "grid": False}
    return specification(
        title,
        {
            "width": 240,
            "height": 130,
            "layer": [
                {
                    "mark": {"type": "rect", "stroke": INK, "strokeWidth": 0.7},
                    "encoding": {
                        "x": {
                            "field": "left",
                            "type": "quantitative",
                            "title": text("words", "mic_axis", language),
                            "scale": {"domain": [low - 0.7, high + 0.7], "nice": False},
                            "axis": x_axis,
                        },
                        "x2": {"field": "right"},
                        "y": {"field": "from", "type": "quantitative", "title": text("words", "isolates", language)},
                        "y2": {"field": "to"},
                        "color": {
                            "field": "category",
                            "type": "nominal",
                            "title": None,
                            "scale": {"domain": present, "range": [FILLS[category] for category in present]},
                            "legend": {"orient": "top", "direction": "horizontal", "offset": 2},
                        },
                        "fillOpacity": {"condition": {"test": "datum.censored", "value": 0.45}, "value": 1},
                    },
                },
                {
                    "data": {"values": lines},
                    "mark": {"type": "rule", "color": INK, "strokeDash": [5, 3], "strokeWidth": 1.5},
                    "encoding": {"x": {"field": "edge", "type": "quantitative"}},
                },
            ],
        },
        records,
    )


def _cell_text(cell: dict[str, Any]) -> str:
    if cell["is_expected"]:
        return "RI"
    if cell["no_s"]:
        return "I↑" if cell["guideline"] == "EUCAST" else "SDD" if cell["SDD"] else "I"
    return f"{cell['percent_s']:.0f}{'*' if cell['few'] else ''}"


def _watched_resistances(cells: pl.DataFrame, *, fewest_rows: int) -> Iterator[tuple[str, str]]:
    """Yield the watched species and columns that occur in at least so many rows, once for each guideline."""
    counts = {(row[0], row[1]): row[2] for row in cells.group_by("species", "column").len().rows()}
    suffixes = sorted({column.partition("_")[2] for _, column in counts})
    for species, drugs in _WATCHED:
        for suffix in suffixes:
            columns = [
                f"{drug}_{suffix}" for drug in drugs if counts.get((species, f"{drug}_{suffix}"), 0) >= fewest_rows
            ]
            if columns:
                yield species, columns[0]


def _resistance(cells: pl.DataFrame) -> list[dict[str, Any]]:
    resistant = cells["R"] + cells["NS"]
    low, high = wilson(resistant.to_numpy(), cells["n"].to_numpy())
    return [
        {
            "stratum": row["stratum"],
            "share": row["percent_r"],
            "low": 100 * low[number],
            "high": 100 * high[number],
            "few": row["few"],
        }
        for number, row in enumerate(cells.iter_rows(named=True))
    ]


def _share(channel: str) -> Specification:
    return {channel: {"field": "share", "type": "quantitative", "title": "%R", "scale": {"domain": [0, 100]}}}


def _interval(channel: str) -> Specification:
    return {
        channel: {"field": "low", "type": "quantitative", "title": "%R", "scale": {"domain": [0, 100]}},
        f"{channel}2": {"field": "high"},
    }


def _hollow_if_few() -> Specification:
    return {"condition": {"test": "datum.few", "value": "white"}, "value": LINE}


def _file_name(kind: str, species: str, column: str) -> str:
    return f"{kind}-{species}-{column}".lower().replace(" ", "-")
