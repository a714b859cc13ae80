"""The antibiogram as a file: CSV, a workbook with its method, complete JSON, or a page to print.

Every format states the rule of first isolates, the period, and the edition or release that answered.
"""

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import polars as pl
import xlsxwriter

from sirena.domain.errors import UsageError
from sirena.domain.language import Language
from sirena.stewardship.antibiogram import Antibiogram
from sirena.stewardship.page import Paper, render_page
from sirena.stewardship.pdf import write_pdf
from sirena.stewardship.report_parts import ReportParts
from sirena.stewardship.strata import WHOLE
from sirena.stewardship.texts import TEXTS
from sirena.stewardship.words import (
    method_sentences,
    mode_sentence,
    period_sentence,
    source_sentence,
    stratum_title,
    word,
)
from sirena.whonet.writing import replacing

FORMAT: Final = "sirena-antibiogram/1"
"""Name and version of the JSON form."""


def as_json(antibiogram: Antibiogram, language: Language) -> str:
    """Return the whole antibiogram as JSON: percentages as numbers, Sirena's sentences in both languages."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "source": antibiogram.source,
        "mode": antibiogram.request.first_isolates.mode.value,
        "mode_sentence": mode_sentence(antibiogram, language),
        "period": period_sentence(antibiogram),
        "deduplicated": antibiogram.is_deduplicated,
        "moved_by_expert_rules": antibiogram.moved_by_rules,
        "rows": antibiogram.rows,
        "isolates": antibiogram.isolates,
        "losses": [
            {"step": loss.step, "lost": loss.removed_rows, "left": loss.left_rows} for loss in antibiogram.losses
        ],
        "cautions": [
            {"code": caution.code, **caution.figures, "english": caution.english, "spanish": caution.spanish}
            for caution in antibiogram.cautions
        ],
        "cells": _rounded(antibiogram.cells).to_dicts(),
        "combinations": _rounded(antibiogram.combinations).to_dicts(),
        "wisca": _rounded(antibiogram.wisca).to_dicts(),
        "method": list(method_sentences(antibiogram, language)),
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def as_csv(antibiogram: Antibiogram, language: Language) -> str:
    """Return the cells as CSV, in the form of `cells_table`."""
    return cells_table(antibiogram, language).write_csv()


def cells_table(antibiogram: Antibiogram, language: Language) -> pl.DataFrame:
    """Return the cells, one per row; the last columns say how the table was made. `dictionary` explains the columns."""
    return _rounded(antibiogram.cells).with_columns(
        pl.lit(mode_sentence(antibiogram, language)).alias("mode"),
        pl.lit(period_sentence(antibiogram)).alias("period"),
        pl.lit(antibiogram.source).alias("source"),
    )


def dictionary(language: Language) -> pl.DataFrame:
    """Return the meaning of each column of `cells_table`."""
    headers = [word(name, language) for name in ("column", "meaning")]
    rows = [(name, entry[language.value]) for name, entry in TEXTS["columns"].items()]
    return pl.DataFrame(rows, schema=headers, orient="row")


def write_workbook(antibiogram: Antibiogram, path: Path | BytesIO, language: Language) -> None:
    """Write a workbook: one sheet per stratification, then combinations, coverage, losses and method."""
    title = " · ".join(
        (mode_sentence(antibiogram, language), period_sentence(antibiogram), source_sentence(antibiogram, language))
    )
    sheets: dict[str, pl.DataFrame] = {}
    for by in antibiogram.cells["by"].unique(maintain_order=True).to_list() or [WHOLE]:
        part = _rounded(antibiogram.cells.filter(pl.col("by") == by)).drop("by")
        sheets[stratum_title(by, language)] = part.drop("stratum") if by == WHOLE else part
    for name, frame in (("combinations", antibiogram.combinations), ("wisca", antibiogram.wisca)):
        if frame.height:
            sheets[word(name, language).partition(" (")[0]] = _rounded(frame)
    losses = [(word(loss.step, language), loss.removed_rows, loss.left_rows) for loss in antibiogram.losses]
    columns = [word(name, language) for name in ("step", "lost", "left")]
    sheets[word("losses", language)] = pl.DataFrame(losses, schema=columns, orient="row")
    method = word("method", language)
    sheets[method] = pl.DataFrame({method: [title, *method_sentences(antibiogram, language)]})
    sheets[word("dictionary", language)] = dictionary(language)
    with xlsxwriter.Workbook(
        path, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    ) as workbook:
        bold = workbook.add_format({"bold": True})
        for name, frame in sheets.items():
            sheet = workbook.add_worksheet(name[:31])
            sheet.write_string(0, 0, title, bold)
            sheet.freeze_panes(2, 0)
            for number, header in enumerate(frame.columns):
                sheet.write_string(1, number, header, bold)
            for line, row in enumerate(frame.iter_rows(), start=2):
                for number, value in enumerate(row):
                    if value is not None:
                        sheet.write(line, number, value)


def write_antibiogram(
    antibiogram: Antibiogram,
    path: Path,
    language: Language,
    further: ReportParts | None = None,
    *,
    paper: Paper = Paper.A4,
) -> None:
    """Write an antibiogram to a file; the suffix decides the file format.

    Args:
        antibiogram: the antibiogram.
        path: path of the file to write.
        language: language of its words.
        further: what a page shows in addition to the antibiogram.
        paper: paper size of a page.

    Raises:
        UsageError: no file format has this suffix.
        UnavailableFileError: the file cannot be written.
    """
    suffix = report_suffix(path)
    with replacing(path) as temporary:
        if suffix == _WORKBOOK:
            write_workbook(antibiogram, temporary, language)
        elif suffix == _PARQUET:
            cells_table(antibiogram, language).write_parquet(temporary)
        elif suffix == _PDF:
            write_pdf(render_page(antibiogram, language, further, paper=paper), temporary)
        elif suffix == _PAGE:
            temporary.write_text(render_page(antibiogram, language, further, paper=paper), encoding="utf-8")
        else:
            temporary.write_text(_TEXTS[suffix](antibiogram, language), encoding="utf-8")


def report_suffix(path: Path) -> str:
    """Return the suffix that decides the file format; ``.csv`` for standard output (``-``).

    Raises:
        UsageError: no file format has this suffix.
    """
    suffix = ".csv" if str(path) == "-" else path.suffix.lower()
    known_suffixes = (_PAGE, _PDF, _WORKBOOK, _PARQUET, *_TEXTS)
    if suffix not in known_suffixes:
        raise UsageError(f"{path}: no antibiogram has this suffix", hint=f"Use one of {', '.join(known_suffixes)}.")
    return suffix


_WORKBOOK: Final = ".xlsx"
_PAGE: Final = ".html"
_PDF: Final = ".pdf"
_PARQUET: Final = ".parquet"
PAGES: Final = (_PAGE, _PDF)
"""Suffixes of the forms for reading and printing, which also show charts."""
_TEXTS: Final[Mapping[str, Callable[[Antibiogram, Language], str]]] = {
    ".csv": as_csv,
    ".json": as_json,
}


def _rounded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with percentages rounded to one decimal; more digits would not be meaningful."""
    return frame.with_columns(pl.col(pl.Float64).round(1))
