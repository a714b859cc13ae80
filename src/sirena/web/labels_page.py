"""The page of the label audit: which cells somebody should look at, and whose isolates they are.

Rules, each with a test of like name:

- cells, words and isolates are those that `sirena inspect --audit` and `--audit-isolates` write;
- row and specimen number are for whoever opened the file, on the page and in what they take away, and nowhere else.
"""

from typing import Final

import polars as pl
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from sirena.panel.basis import Language
from sirena.web.attachments import attachment
from sirena.web.audited_labels import AuditedLabels
from sirena.web.downloads import FORMATS
from sirena.web.opened_file import ROW, OpenedFile
from sirena.web.pages import NOT_FOUND, Pages
from sirena.web.records import downloaded_facts

SHOWN_CELLS: Final = 100
"""So many of the gravest cells are on the page."""
_SHOWN_ISOLATES: Final = 20
"""So many isolates of one cell are named."""


def add_labels(app: FastAPI, pages: Pages) -> None:
    """Add the addresses of the label audit."""

    @app.get("/files/{identifier}/labels")
    def show(request: Request, identifier: str) -> HTMLResponse:
        opened = pages.require(request, identifier)
        audited = _audited(opened)
        isolates = {} if audited is None else _isolates(audited, Language(pages.language_of(request)))
        return pages.show(
            request,
            "labels.html",
            identifier=identifier,
            opened=opened,
            audited=audited,
            cells=[] if audited is None else audited.cells.head(SHOWN_CELLS).to_dicts(),
            isolates=isolates,
            shown_isolates=_SHOWN_ISOLATES,
            address=lambda row, column: _address(opened, row, column),
            formats=list(FORMATS),
        )

    @app.get("/files/{identifier}/labels/{form}")
    def send(request: Request, identifier: str, form: str) -> Response:
        opened = pages.require(request, identifier)
        audited = _audited(opened)
        if form not in FORMATS or audited is None:
            raise HTTPException(NOT_FOUND)
        isolates = audited.isolates(Language(pages.language_of(request)))
        content = FORMATS[form](isolates.with_columns(pl.all().cast(pl.String)))
        pages.record("file_downloaded", downloaded_facts(request, opened, "labels", form, len(content)))
        return attachment(content, f"labels.{form}")

    def _audited(opened: OpenedFile) -> AuditedLabels | None:
        if pages.audit is None:
            raise HTTPException(NOT_FOUND)
        return pages.audit(opened.file)


def _isolates(audited: AuditedLabels, language: Language) -> dict[int, pl.DataFrame]:
    """Return the isolates of the cells that are shown, by rank."""
    isolates = audited.isolates(language).filter(pl.col("rank") <= SHOWN_CELLS)
    return {rank: part for (rank,), part in isolates.partition_by("rank", as_dict=True, maintain_order=True).items()}


def _address(opened: OpenedFile, row: int, column: str) -> str:
    """Return where the reason of a result stands, below the file's address; empty where it cannot be said.

    Args:
        opened: the file.
        row: as the laboratory counts.
        column: model column; two columns of the file may be of one.
    """
    headers = [header for header, test in opened.tests.items() if test.model_column == column]
    position = opened.rows[ROW].search_sorted(row)
    return f"rows/{position}/{opened.place_of(headers[0])}" if len(headers) == 1 else ""
