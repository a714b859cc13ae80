"""The antibiogram of an open file: counted by `stewardship`, in the formats that `sirena antibiogram` writes.

Rules, each with a test of like name:

- every figure is that of the command line, to the digit: the page shows the table of its report;
- a cell that a spreadsheet would run as a formula is made a text.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Final

import polars as pl
from markupsafe import Markup, escape

from sirena.domain.language import Language
from sirena.guidelines.written_rules import RulesSource
from sirena.stewardship.antibiogram import Antibiogram, Request
from sirena.stewardship.chart import Chart
from sirena.stewardship.counting import CountedFile, FileToCount, count_file
from sirena.stewardship.drawing import draw
from sirena.stewardship.expert_rules import load_expert_rules
from sirena.stewardship.exports import as_csv, as_json, write_workbook
from sirena.stewardship.page import render_page
from sirena.stewardship.report import report_parts
from sirena.web.formulas import without_formulas
from sirena.web.opened_file import OpenedFile

_WIDE: Final = '<div class="wide">'
_PICTURES: Final = "picture:"
"""Prefix in place of a picture's address, until `body` puts the address there."""
_PICTURE_BYTES: Final = 64 * 1024
"""Bytes of a chart with its data and as SVG, about."""
_FIGURES: Final = ("percent_", "low", "high", "mic50", "mic90", "mic_")
"""Beginnings of the names of columns that hold figures with decimals."""


def count_opened(opened_file: OpenedFile, request: Request, own: RulesSource | None = None) -> CountedFile:
    """Count the antibiogram of an open file, by the expert rules in force, like the command line.

    Args:
        opened_file: the file.
        request: the requested antibiogram.
        own: the hospital's own expert rules in force.
    """
    columns = (column.model_column for column in opened_file.file.mic_columns.values())
    return count_file(
        FileToCount.of_whole_file(opened_file.file, opened_file.countable),
        opened_file.answers.table_of,
        request,
        source=f"{opened_file.answers.source_of(columns)} · expert rules{f' + {own.name}' if own else ''}",
        rules=load_expert_rules(own),
    )


def report_page(counted_file: CountedFile, language: Language) -> str:
    """Return the HTML report of the command line, with charts, alerts and data quality."""
    return render_page(counted_file.antibiogram, language, report_parts(counted_file, language))


class AntibiogramLook:
    """An antibiogram as the page shows it; its pictures are drawn when a browser requests them, and kept."""

    def __init__(self, counted_file: CountedFile, language: Language) -> None:
        """Create the tables of the page from the counts.

        Args:
            counted_file: the counted file, with its trend.
            language: the reader's language.
        """
        # what the page's tables hold already is not held once more
        self.antibiogram = replace(
            counted_file.antibiogram,
            cells=counted_file.antibiogram.cells.clear(),
            trend=counted_file.antibiogram.trend.clear(),
        )
        self._charts: dict[tuple[str, int], Chart] = {}
        self._pictures: dict[tuple[str, int], bytes] = {}

        def address_of(section: str, place: int, chart: Chart) -> str:
            self._charts[section, place] = chart
            return f"{_PICTURES}{section}/{place}"

        parts = report_parts(counted_file, language, address_of)
        _, _, page_rest = render_page(counted_file.antibiogram, language, parts).partition("<main>")
        self._body, end, _ = page_rest.partition("</main>")
        assert end  # the report is one page with one <main>

    @property
    def size(self) -> int:
        """Approximate bytes of memory that the page takes with all charts drawn."""
        return len(self._body) + _PICTURE_BYTES * len(self._charts)

    def body(self, label: str, pictures: str, query: str) -> Markup:
        """Return the body of the command line's report, for a page with a head and a style of its own.

        Args:
            label: description of tables that can be scrolled sideways, for people who cannot see them.
            pictures: URL path below which the pictures are.
            query: query string of the page's address; empty for none.
        """
        region = f'<div class="wide" tabindex="0" role="group" aria-label="{escape(label)}">'
        ending = f"?{escape(query)}" if query else ""
        body = re.sub(f'"{_PICTURES}([a-z]+/[0-9]+)"', rf'"{escape(pictures)}/\1{ending}"', self._body)
        return Markup(body.replace(_WIDE, region))  # noqa: S704 - the report escapes what comes from the file

    def picture(self, section: str, place: int) -> bytes | None:
        """Return a picture as SVG; None if the report has no picture at this place of the section."""
        chart = self._charts.get((section, place))
        if chart is None:
            return None
        if (section, place) not in self._pictures:
            self._pictures[section, place] = draw(chart.specification, "svg")
        return self._pictures[section, place]


def look_at_antibiogram(
    opened_file: OpenedFile, request: Request, language: Language, own: RulesSource | None = None
) -> AntibiogramLook:
    """Return the antibiogram of an open file as the page shows it; it is counted once for the same request and rules.

    Args:
        opened_file: the file.
        request: the requested antibiogram.
        language: the reader's language.
        own: the hospital's own expert rules in force.
    """
    question = ("antibiogram", repr(request), language, own and own.name, date.today())

    def count() -> AntibiogramLook:
        return AntibiogramLook(count_opened(opened_file, replace(request, trend=True), own), language)

    return opened_file.looks.look(question, count)


def _excel_csv(antibiogram: Antibiogram, language: Language) -> bytes:
    table = without_formulas(pl.read_csv(BytesIO(as_csv(antibiogram, language).encode()), infer_schema=False))
    figures = [name for name in table.columns if name.startswith(_FIGURES)]
    commas = table.with_columns(pl.col(figures).str.replace(".", ",", literal=True))
    return codecs.BOM_UTF8 + commas.write_csv(separator=";").encode()


def _workbook(antibiogram: Antibiogram, language: Language) -> bytes:
    stream = BytesIO()
    write_workbook(antibiogram, stream, language)
    return stream.getvalue()


_TABLES: Final[dict[str, Callable[[Antibiogram, Language], bytes]]] = {
    "xlsx": _workbook,
    "excel-es.csv": _excel_csv,
    "csv": lambda antibiogram, language: as_csv(antibiogram, language).encode(),
    "json": lambda antibiogram, language: as_json(antibiogram, language).encode(),
}
_PAGE: Final = "html"
REPORTS: Final = (_PAGE, *_TABLES)
"""Formats that a browser may download, by the end of the file's name."""


def report(
    opened_file: OpenedFile, request: Request, form: str, language: Language, own: RulesSource | None = None
) -> bytes:
    """Return the antibiogram of an open file as the content of a file.

    Args:
        opened_file: the file.
        request: the requested antibiogram.
        form: one of `REPORTS`.
        language: the reader's language.
        own: the hospital's own expert rules in force.
    """
    if form == _PAGE:
        return report_page(count_opened(opened_file, replace(request, trend=True), own), language).encode()
    return _TABLES[form](count_opened(opened_file, request, own).antibiogram, language)
