"""The pages: which address shows what.

Every page works without a script; with htmx the reason of a cell and the answers to one isolate come without leaving
the page. Nothing in an address names a patient: it holds identifiers, row numbers and test columns.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from sirena.domain.errors import SirenaError
from sirena.web.answers import Answers
from sirena.web.antibiogram_pages import add_antibiogram
from sirena.web.edition_page import add_edition
from sirena.web.file_pages import add_files
from sirena.web.isolate_page import add_isolate
from sirena.web.language import LANGUAGES
from sirena.web.opened_files import OpenedFiles
from sirena.web.other_editions import OtherEditions
from sirena.web.pages import LANGUAGE_COOKIE, Pages
from sirena.web.upload import MOST_BYTES
from sirena.web.visitors import OwnMachineOnly

_SWEEP_SECONDS: Final = 60
_UNPROCESSABLE: Final = 422
_STATIC: Final = Path(__file__).with_name("static")


def create_pages(answers: Answers, files: OpenedFiles, key: str, others: OtherEditions | None = None) -> OwnMachineOnly:
    """Return the application, for one person on their own machine.

    Args:
        answers: who answers.
        files: the files open at the start.
        key: what the address must hold, see `visitors`.
        others: editions a file can be compared with; those that come with Sirena by default.
    """

    @asynccontextmanager
    async def sweeping(_: FastAPI) -> AsyncIterator[None]:
        sweep = asyncio.create_task(_sweep(files))
        yield
        sweep.cancel()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=sweeping, max_body_size=MOST_BYTES)
    pages = Pages.of(answers, files)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    _add_errors(app, pages)
    add_files(app, pages)
    add_antibiogram(app, pages)
    add_edition(app, pages, others or OtherEditions())
    add_isolate(app, pages)

    @app.get("/")
    def home(request: Request) -> HTMLResponse:
        return pages.show(request, "home.html", files=files.all())

    @app.get("/language/{language}")
    def language(language: str, back: str = "/") -> RedirectResponse:
        inside = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
        chosen = RedirectResponse(inside, 303)
        if language in LANGUAGES:
            chosen.set_cookie(LANGUAGE_COOKIE, language, httponly=True, samesite="strict")
        return chosen

    return OwnMachineOnly(app, key)


def _add_errors(app: FastAPI, pages: Pages) -> None:
    @app.exception_handler(SirenaError)
    async def refused(request: Request, error: SirenaError) -> HTMLResponse:
        return pages.show(request, "error.html", _UNPROCESSABLE, error=error, cause=_UNPROCESSABLE)

    @app.exception_handler(HTTPException)
    async def missing(request: Request, error: HTTPException) -> HTMLResponse:
        return pages.show(request, "error.html", error.status_code, error=None, cause=error.status_code)


async def _sweep(files: OpenedFiles) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        files.forget_idle()
