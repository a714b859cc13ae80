"""The pages: which address shows what.

Every page works without a script; with htmx the reason of a cell and the answers to one isolate come without leaving
the page. Nothing in an address names a patient: it holds identifiers, row numbers and test columns.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from sirena.domain.antimicrobials import ANTIMICROBIALS, FIRST_PANEL
from sirena.domain.category import Category
from sirena.domain.errors import SirenaError
from sirena.domain.organisms import ORGANISMS
from sirena.domain.site import Site
from sirena.guidelines.rows import Guideline
from sirena.panel.sites import read_specimen
from sirena.web.answers import Answers
from sirena.web.downloads import FORMATS, download
from sirena.web.explanation import Explanation, explain
from sirena.web.language import LANGUAGES, choose_language, spell_count, spell_share, translations
from sirena.web.opened_file import CODE, ROW, OpenedFile, open_whonet_file
from sirena.web.opened_files import OpenedFiles
from sirena.web.row_query import POSITION, RowQuery, select_rows
from sirena.web.upload import MOST_BYTES, take_file
from sirena.web.visitors import OwnMachineOnly
from sirena.whonet.reading import read_stream

_LANGUAGE: Final = "sirena_language"
_SWEEP_SECONDS: Final = 60
_NOT_FOUND: Final = 404
_UNPROCESSABLE: Final = 422
_STATIC: Final = Path(__file__).with_name("static")


@dataclass(frozen=True)
class _Pages:
    """What every page needs."""

    answers: Answers
    files: OpenedFiles
    environments: dict[str, Environment]

    def show(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        language = _language(request)
        page = self.environments[language].get_template(template)
        shared = {
            "answers": self.answers,
            "language": language,
            "others": [other for other in LANGUAGES if other != language],
            "path": request.url.path,
            "query": request.url.query,
            "categories": list(Category),
        }
        return HTMLResponse(page.render(shared | values), status)

    def require(self, identifier: str) -> OpenedFile:
        opened = self.files.get(identifier)
        if opened is None:
            raise HTTPException(_NOT_FOUND)
        return opened


def create_pages(answers: Answers, files: OpenedFiles, key: str) -> OwnMachineOnly:
    """Return the application, for one person on their own machine.

    Args:
        answers: who answers.
        files: the files open at the start.
        key: what the address must hold, see `visitors`.
    """

    @asynccontextmanager
    async def sweeping(_: FastAPI) -> AsyncIterator[None]:
        sweep = asyncio.create_task(_sweep(files))
        yield
        sweep.cancel()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=sweeping, max_body_size=MOST_BYTES)
    pages = _Pages(answers, files, {language: _environment(language) for language in LANGUAGES})
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    _add_errors(app, pages)
    _add_files(app, pages)
    _add_isolate(app, pages)

    @app.get("/")
    def home(request: Request) -> HTMLResponse:
        return pages.show(request, "home.html", files=files.all())

    @app.get("/language/{language}")
    def language(language: str, back: str = "/") -> RedirectResponse:
        inside = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
        chosen = RedirectResponse(inside, 303)
        if language in LANGUAGES:
            chosen.set_cookie(_LANGUAGE, language, httponly=True, samesite="strict")
        return chosen

    return OwnMachineOnly(app, key)


def _add_files(app: FastAPI, pages: _Pages) -> None:
    @app.post("/files")
    async def take(request: Request) -> RedirectResponse:
        name, content = await take_file(request, "file")
        opened = await run_in_threadpool(_open, name, content, pages.answers)
        return RedirectResponse(f"/files/{pages.files.add(opened)}", 303)

    @app.get("/files/{identifier}")
    def show(
        request: Request,
        identifier: str,
        organism: str = "",
        test: str = "",
        category: str = "",
        sort: str = "",
        page: int = 1,
    ) -> HTMLResponse:
        opened = pages.require(identifier)
        query = RowQuery(organism, test, category, sort, page)
        return pages.show(
            request,
            "file.html",
            identifier=identifier,
            opened=opened,
            question=query,
            found=select_rows(opened, query),
            address=lambda **changes: _address(identifier, query, **changes),
            ROW=ROW,
            CODE=CODE,
            POSITION=POSITION,
            formats=list(FORMATS),
        )

    @app.get("/files/{identifier}/rows/{position}/{test}")
    def why(request: Request, identifier: str, position: int, test: str) -> HTMLResponse:
        opened = pages.require(identifier)
        if test not in opened.tests or not 0 <= position < opened.answered.height:
            raise HTTPException(_NOT_FOUND)
        return pages.show(
            request,
            "cell.html",
            identifier=identifier,
            opened=opened,
            row=opened.rows[ROW][position],
            why=_explain_cell(opened, position, test),
            alone="HX-Request" not in request.headers,
        )

    @app.get("/files/{identifier}/download/{file_format}")
    def send(identifier: str, file_format: str) -> Response:
        opened = pages.require(identifier)
        if file_format not in FORMATS:
            raise HTTPException(_NOT_FOUND)
        name = f"sirena.{file_format}"
        disposition = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(download(opened, file_format), media_type="application/octet-stream", headers=disposition)

    @app.post("/files/{identifier}/forget")
    def forget(identifier: str) -> RedirectResponse:
        pages.files.remove(identifier)
        return RedirectResponse("/", 303)


def _add_isolate(app: FastAPI, pages: _Pages) -> None:
    names = sorted(organism.name for organism in ORGANISMS.values())

    @app.get("/isolate")
    def ask(request: Request) -> HTMLResponse:
        return pages.show(request, "isolate.html", **_drugs(_language(request)), organisms=names, asked={}, answered=[])

    @app.post("/isolate")
    async def answer(request: Request) -> HTMLResponse:
        form = {name: str(text) for name, text in (await request.form()).items()}
        template = "answers.html" if "HX-Request" in request.headers else "isolate.html"
        answered = _answer_isolate(pages.answers, form)
        return pages.show(
            request, template, **_drugs(_language(request)), organisms=names, asked=form, answered=answered
        )


def _add_errors(app: FastAPI, pages: _Pages) -> None:
    @app.exception_handler(SirenaError)
    async def refused(request: Request, error: SirenaError) -> HTMLResponse:
        return pages.show(request, "error.html", _UNPROCESSABLE, error=error, cause=_UNPROCESSABLE)

    @app.exception_handler(HTTPException)
    async def missing(request: Request, error: HTTPException) -> HTMLResponse:
        return pages.show(request, "error.html", error.status_code, error=None, cause=error.status_code)


def _open(name: str, content: bytes, answers: Answers) -> OpenedFile:
    shown = PurePath(name.replace("\\", "/")).name
    return open_whonet_file(shown, read_stream(BytesIO(content), shown), answers)


def _explain_cell(opened: OpenedFile, position: int, test: str) -> Explanation:
    frame = opened.file.frame
    organism_column = opened.file.require_organism()
    organism, mic = frame[organism_column][position], frame[test][position]
    meant = opened.file.readings_of(organism_column, [organism] if organism else [])
    scale = opened.file.readings_of(test, frame[test].drop_nulls().unique().to_list())
    column = opened.tests[test].name
    return explain(opened.answers, column, meant.get(organism, organism), scale.get(mic, mic), opened.site_of(position))


def _answer_isolate(answers: Answers, form: dict[str, str]) -> list[Explanation]:
    letter = Guideline(form["guideline"]).letter if form.get("guideline") in list(Guideline) else "N"
    site = read_specimen(form.get("specimen")) or Site.UNKNOWN
    return [
        explain(answers, f"{drug}_{letter}M", form.get("organism"), mic, site)
        for drug in ANTIMICROBIALS
        if (mic := form.get(drug, "").strip())
    ]


def _address(identifier: str, query: RowQuery, **changes: str | int) -> str:
    asked = urlencode(query.parameters(**changes))
    return f"/files/{identifier}" + (f"?{asked}" if asked else "")


def _drugs(language: str) -> dict[str, Any]:
    def listed(codes: Iterable[str]) -> list[tuple[str, str]]:
        named = [(code, getattr(ANTIMICROBIALS[code], "spanish" if language == "es" else "english")) for code in codes]
        return sorted(named, key=lambda pair: pair[1].casefold())

    return {
        "first_drugs": listed(FIRST_PANEL),
        "other_drugs": listed(code for code in ANTIMICROBIALS if code not in FIRST_PANEL),
        "guidelines": list(Guideline),
        "sites": list(Site),
    }


def _language(request: Request) -> str:
    return choose_language(request.cookies.get(_LANGUAGE), request.headers.get("accept-language", ""))


def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("sirena.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.filters["count"] = lambda number: spell_count(number, language)
    environment.globals["share"] = lambda part, whole: spell_share(part, whole, language)
    environment.globals["Category"] = Category
    environment.globals["drugs"] = ANTIMICROBIALS
    environment.globals["species"] = ORGANISMS
    return environment


async def _sweep(files: OpenedFiles) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        files.forget_idle()
