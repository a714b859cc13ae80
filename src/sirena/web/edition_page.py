"""The page that shows what another guideline edition would change in an open file."""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from sirena.web.opened_file import CODE, ROW
from sirena.web.other_editions import OtherEditions
from sirena.web.pages import Pages

_SHOWN_ROWS: Final = 20
"""Most isolates of one change that are named."""


def add_edition(app: FastAPI, pages: Pages, other_editions: OtherEditions) -> None:
    """Add the route of the page that compares a file's answers with another edition."""

    @app.get("/files/{identifier}/edition")
    def show(request: Request, identifier: str, edition: str = "") -> HTMLResponse:
        opened_file = pages.require(request, identifier)
        return pages.show(
            request,
            "edition.html",
            identifier=identifier,
            opened_file=opened_file,
            editions=other_editions.names,
            chosen=edition,
            outcome=other_editions.changes(opened_file, edition) if edition in other_editions.names else None,
            shown_rows=_SHOWN_ROWS,
            ROW=ROW,
            CODE=CODE,
        )
