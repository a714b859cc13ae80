"""The antibiogram of an open file: counted by `stewardship`, in every form `sirena antibiogram` writes to a text.

Rules, each with a test of like name:

- every figure is the command line's, to the digit: the page holds the very table of its report;
- what a spreadsheet would run as a formula is made a text.
"""

import codecs
from collections.abc import Callable
from io import BytesIO
from typing import Final

import polars as pl
from markupsafe import Markup, escape

from sirena.panel.basis import Language
from sirena.stewardship.antibiogram import Antibiogram, Request, count_antibiogram
from sirena.stewardship.cautions import Caution
from sirena.stewardship.exports import as_csv, as_json
from sirena.stewardship.page import render_page
from sirena.web.formulas import without_formulas
from sirena.web.opened_file import OpenedFile

_WIDE: Final = '<div class="wide">'
_FIGURES: Final = ("percent_", "low", "high", "mic50", "mic90", "mic_")
"""Beginnings of the names of columns that hold figures with decimals."""


def count_opened(opened: OpenedFile, request: Request) -> Antibiogram:
    """Count an open file.

    Args:
        opened: the file.
        request: what is asked for.
    """
    file = opened.file
    zones = len(file.test_columns) - len(file.mic_columns)
    cautions = [Caution("zones", {"columns": zones})] if zones else []
    tables = (opened.answers.table_of(column) for column in file.mic_columns.values())
    if any(table is not None and table.keys and not table.grounds for table in tables):
        cautions.append(Caution("no_grounds"))
    source = opened.answers.source_of(column.model_column for column in file.mic_columns.values())
    return count_antibiogram(opened.countable, opened.drug_results, request, source=source, cautions=cautions)


def report_body(antibiogram: Antibiogram, language: Language, label: str) -> Markup:
    """Return what the report of the command line shows, for a page that has a head and a style of its own.

    Args:
        antibiogram: the counts.
        language: of the reader.
        label: says what a table is that can be scrolled sideways, for who does not see it.
    """
    _, _, after = render_page(antibiogram, language).partition("<main>")
    body, end, _ = after.partition("</main>")
    assert end  # the report is one page with one <main>
    region = f'<div class="wide" tabindex="0" role="group" aria-label="{escape(label)}">'
    return Markup(body.replace(_WIDE, region))  # noqa: S704 - the report escapes what comes from the file


def _excel_csv(antibiogram: Antibiogram, language: Language) -> str:
    table = without_formulas(pl.read_csv(BytesIO(as_csv(antibiogram, language).encode()), infer_schema=False))
    figures = [name for name in table.columns if name.startswith(_FIGURES)]
    commas = table.with_columns(pl.col(figures).str.replace(".", ",", literal=True))
    return codecs.BOM_UTF8.decode() + commas.write_csv(separator=";")


REPORTS: Final[dict[str, Callable[[Antibiogram, Language], str]]] = {
    "html": render_page,
    "excel-es.csv": _excel_csv,
    "csv": as_csv,
    "json": as_json,
}
"""What a browser may ask for, by the end of the file's name."""
