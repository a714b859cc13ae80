"""The page of the label audit: which cells the laboratory should check, and their isolates.

Rules, each with a test of like name:

- cells, words and isolates are those that `sirena inspect --audit` and `--audit-isolates` write;
- row and specimen number are shown only to the person who opened the file, on the page and in downloads.
"""

from typing import Final

import polars as pl
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from sirena.domain.language import Language
from sirena.web.attachments import attachment
from sirena.web.audited_labels import AuditedLabels
from sirena.web.downloads import FORMATS
from sirena.web.opened_file import ROW, OpenedFile
from sirena.web.pages import NOT_FOUND, Pages
from sirena.web.records import downloaded_facts

SHOWN_CELLS: Final = 100
"""Most cells on the page, the gravest first."""
_SHOWN_ISOLATES: Final = 20
"""Most isolates of one cell that are named."""


def add_labels(app: FastAPI, pages: Pages) -> None:
    """Add the routes of the pages that show the label audit."""

    @app.get("/files/{identifier}/labels")
    def show(request: Request, identifier: str) -> HTMLResponse:
        opened_file = pages.require(request, identifier)
        label_audit = _audited(opened_file)
        isolates = {} if label_audit is None else _isolates(label_audit, Language(pages.language_of(request)))
        return pages.show(
            request,
            "labels.html",
            identifier=identifier,
            opened_file=opened_file,
            audited=label_audit,
            cells=[] if label_audit is None else label_audit.cells.head(SHOWN_CELLS).to_dicts(),
            isolates=isolates,
            shown_isolates=_SHOWN_ISOLATES,
            address=lambda row, column: _address(opened_file, row, column),
            formats=list(FORMATS),
        )

    @app.get("/files/{identifier}/labels/{form}")
    def send(request: Request, identifier: str, form: str) -> Response:
        opened_file = pages.require(request, identifier)
        label_audit = _audited(opened_file)
        if form not in FORMATS or label_audit is None:
            raise HTTPException(NOT_FOUND)
        isolates = label_audit.isolates(Language(pages.language_of(request)))
        content = FORMATS[form](isolates.with_columns(pl.all().cast(pl.String)))
        pages.record("file_downloaded", downloaded_facts(request, opened_file, "labels", form, len(content)))
        return attachment(content, f"labels.{form}")

    def _audited(opened_file: OpenedFile) -> AuditedLabels | None:
        if pages.audit is None:
            raise HTTPException(NOT_FOUND)
        return pages.audit(opened_file.file)


def _isolates(audited: AuditedLabels, language: Language) -> dict[int, pl.DataFrame]:
    """Return the isolates of the cells on the page, by rank of the cell."""
    isolates = audited.isolates(language).filter(pl.col("rank") <= SHOWN_CELLS)
    return {rank: part for (rank,), part in isolates.partition_by("rank", as_dict=True, maintain_order=True).items()}


def _address(opened_file: OpenedFile, row: int, column: str) -> str:
    """Return the path of the page with a result's reason, below that of the file; empty if it is not certain.

    Args:
        opened_file: the file.
        row: number of the row, as the laboratory counts rows.
        column: model column, to which two columns of the file may belong.
    """
    headers = [header for header, test in opened_file.tests.items() if test.model_column == column]
    position = opened_file.rows[ROW].search_sorted(row)
    return f"rows/{position}/{opened_file.place_of(headers[0])}" if len(headers) == 1 else ""
