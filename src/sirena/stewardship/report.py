"""The report of a file: its charts, alerts and counts of data quality."""

import base64
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from sirena.domain.language import Language
from sirena.stewardship.alert_tables import alert_records
from sirena.stewardship.chart import Chart
from sirena.stewardship.charts import heat_map, histograms, trends, wards
from sirena.stewardship.counting import CountedFile
from sirena.stewardship.drawing import draw
from sirena.stewardship.report_parts import DrawnChart, ReportParts
from sirena.stewardship.strata import WHOLE, Stratum

_COMMONEST: Final = 12


def report_charts(counted_file: CountedFile, language: Language) -> Mapping[str, list[Chart]]:
    """Return the charts of a file by section: heat map, trends, wards, distributions of MICs."""
    antibiogram = counted_file.antibiogram
    whole_cells = antibiogram.cells.filter(pl.col("by") == WHOLE)
    by_ward = antibiogram.cells.filter(pl.col("by") == Stratum.WARD.value)
    return {
        "heat_map": list(heat_map(whole_cells, language)),
        "trends": list(trends(antibiogram.trend, language)),
        "wards": list(wards(by_ward, language)),
        "distributions": list(histograms(antibiogram.distribution, counted_file.edges, language)),
    }


AddressOf = Callable[[str, int, Chart], str]
"""Function of section, position in it and chart that returns the address of the chart's picture."""


def own_address(_section: str, _place: int, chart: Chart) -> str:
    """Return a chart as a ``data:`` URL that contains the whole picture."""
    return f"data:image/svg+xml;base64,{base64.b64encode(draw(chart.specification, 'svg')).decode()}"


def report_parts(counted_file: CountedFile, language: Language, address_of: AddressOf = own_address) -> ReportParts:
    """Return what a report shows in addition to the antibiogram; the heat map is left out, as it repeats the tables.

    Args:
        counted_file: a counted file, whose request included the trend.
        language: language of the words.
        address_of: returns the URL of a picture; by default the report contains its pictures.
    """
    charts = {
        section: [DrawnChart(chart.title, address_of(section, place, chart)) for place, chart in enumerate(charts)]
        for section, charts in report_charts(counted_file, language).items()
        if section != "heat_map"
    }
    whole_cells = counted_file.antibiogram.cells.filter(pl.col("by") == WHOLE).filter(
        ~pl.col("species").str.contains(r" \(M.SA\)$")
    )
    species = whole_cells.select("species", "isolates").unique().sort(["isolates", "species"], descending=[True, False])
    return ReportParts(
        charts,
        alert_records(counted_file.alerts, language),
        counted_file.quality,
        [(name, isolates) for name, isolates in species.head(_COMMONEST).iter_rows()],
    )
