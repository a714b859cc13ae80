"""The antibiogram of an open file: counted by `stewardship`, in the forms that `sirena antibiogram` writes.

Rules, each with a test of like name:

- every figure is the command line's, to the digit: the page holds the very table of its report;
- what a spreadsheet would run as a formula is made a text.
"""

import codecs
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Final

import polars as pl
from markupsafe import Markup, escape

from sirena.guidelines.written_rules import RulesSource
from sirena.panel.basis import Language
from sirena.stewardship.antibiogram import Antibiogram, Request
from sirena.stewardship.counting import CountedFile, FileToCount, count_file
from sirena.stewardship.expert_rules import load_expert_rules
from sirena.stewardship.exports import as_csv, as_json, write_workbook
from sirena.stewardship.page import render_page
from sirena.stewardship.report import report_parts
from sirena.web.formulas import without_formulas
from sirena.web.opened_file import OpenedFile

_WIDE: Final = '<div class="wide">'
_FIGURES: Final = ("percent_", "low", "high", "mic50", "mic90", "mic_")
"""Beginnings of the names of columns that hold figures with decimals."""


def count_opened(opened: OpenedFile, request: Request, own: RulesSource | None = None) -> CountedFile:
    """Count an open file, by the expert rules in force as the command line does.

    Args:
        opened: the file.
        request: what is asked for.
        own: the hospital's own expert rules in force.
    """
    columns = (column.model_column for column in opened.file.mic_columns.values())
    return count_file(
        FileToCount.whole(opened.file, opened.countable),
        opened.answers.table_of,
        request,
        source=f"{opened.answers.source_of(columns)} · expert rules{f' + {own.name}' if own else ''}",
        rules=load_expert_rules(own),
    )


def report_page(counted: CountedFile, language: Language) -> str:
    """Return the report of the command line, charts, alerts and quality of the data included."""
    return render_page(counted.antibiogram, language, report_parts(counted, language))


def report_body(counted: CountedFile, language: Language, label: str) -> Markup:
    """Return what the report of the command line shows, for a page that has a head and a style of its own.

    Args:
        counted: the file, with the trend asked for.
        language: of the reader.
        label: says what a table is that can be scrolled sideways, for who does not see it.
    """
    _, _, after = report_page(counted, language).partition("<main>")
    body, end, _ = after.partition("</main>")
    assert end  # the report is one page with one <main>
    region = f'<div class="wide" tabindex="0" role="group" aria-label="{escape(label)}">'
    return Markup(body.replace(_WIDE, region))  # noqa: S704 - the report escapes what comes from the file


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
"""What a browser may ask for, by the end of the file's name."""


def report(
    opened: OpenedFile, request: Request, form: str, language: Language, own: RulesSource | None = None
) -> bytes:
    """Return the antibiogram of an open file as a file.

    Args:
        opened: the file.
        request: what is asked for.
        form: one of `REPORTS`.
        language: of the reader.
        own: the hospital's own expert rules in force.
    """
    if form == _PAGE:
        return report_page(count_opened(opened, replace(request, trend=True), own), language).encode()
    return _TABLES[form](count_opened(opened, request, own).antibiogram, language)
