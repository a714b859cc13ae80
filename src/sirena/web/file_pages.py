"""The pages of a file: opening it, its table, the reason of a cell, downloads, and forgetting it."""

from functools import partial
from io import BytesIO
from pathlib import PurePath
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from sirena.domain.errors import SirenaError
from sirena.web.approvals import approval_of
from sirena.web.attachments import attachment
from sirena.web.downloads import FORMATS, download
from sirena.web.explanation import CellExplanation, explain
from sirena.web.forms import read_fields
from sirena.web.model_pages import Models
from sirena.web.opened_file import CODE, ROW, OpenedFile, open_whonet_file
from sirena.web.other_editions import OtherEditions
from sirena.web.pages import NOT_FOUND, Pages
from sirena.web.records import downloaded_facts, opened_facts, unreadable_facts
from sirena.web.row_query import POSITION, RowQuery, select_rows
from sirena.web.upload import take_file
from sirena.web.visitor import visitor_of
from sirena.whonet.reading import read_stream
from sirena.whonet.source import Bounds

BOUNDS: Final = Bounds(400 * 1024**2, 60_000_000)
"""Most that a file opened on the pages may hold, unpacked: a million isolates."""
_LONGEST_NAME: Final = 120


async def _search(request: Request) -> dict[str, str]:
    return await read_fields(request, most=1, longest=_LONGEST_NAME)


def add_files(app: FastAPI, pages: Pages, other_editions: OtherEditions, installed_models: Models) -> None:
    """Add the routes of the pages that show opened files.

    Args:
        app: the application.
        pages: what all pages need.
        other_editions: guideline editions, whose answers are shown next to those of a model.
        installed_models: returns the models and releases.
    """
    root = pages.place.root

    @app.post("/files")
    async def take(request: Request) -> RedirectResponse:
        with pages.uploads.room_for(visitor_of(request).name):
            name, content = await pages.uploads.arrive(take_file(request, "file"))
            identifier = await pages.uploads.read(partial(_keep, pages, request, name, content))
        return RedirectResponse(f"{root}/files/{identifier}", 303)

    @app.get("/files")
    def lead_home() -> RedirectResponse:
        # the address of an answer to a form, where somebody changes the language or goes back to
        return RedirectResponse(f"{root}/", 303)

    @app.get("/files/{identifier}")
    def show(
        request: Request,
        identifier: str,
        organism: str = "",
        test: str = "",
        category: str = "",
        sort: str = "",
        page: int = 1,
        alert: str = "",
    ) -> Response:
        opened_file = pages.require(request, identifier, to_correct=True)
        if not opened_file.has_organisms:
            return RedirectResponse(f"{root}/files/{identifier}/mapping", 303)
        query = RowQuery(organism, test, category, sort, page, alert)
        expert_layer = opened_file.expert_layer(pages.own_expert_rules())
        search_text = pages.searches.of(visitor_of(request).owner).get(identifier, "")
        return pages.show(
            request,
            "file.html",
            identifier=identifier,
            opened_file=opened_file,
            question=query,
            found=select_rows(opened_file, query, search_text, expert_layer.rows_of(alert)),
            expert_layer=expert_layer,
            searched=search_text,
            address=lambda **changes: _address(f"{root}/files/{identifier}", query, **changes),
            ROW=ROW,
            CODE=CODE,
            POSITION=POSITION,
            formats=list(FORMATS),
        )

    @app.post("/files/{identifier}/search")
    def search(request: Request, identifier: str, form: Annotated[dict[str, str], Depends(_search)]) -> Response:
        pages.require(request, identifier)
        _keep_search(pages, visitor_of(request).owner, {identifier: form.get("text", "").strip()})
        return RedirectResponse(f"{root}/files/{identifier}", 303)

    @app.get("/files/{identifier}/rows/{position}/{test}")
    def why(request: Request, identifier: str, position: int, test: str) -> HTMLResponse:
        opened_file = pages.require(request, identifier)
        header = opened_file.test_at(test)
        if header is None or not 0 <= position < opened_file.answered_frame.height:
            raise HTTPException(NOT_FOUND)
        explanation = _explain_cell(opened_file, position, header)
        return pages.show(
            request,
            "cell.html",
            identifier=identifier,
            opened_file=opened_file,
            row=opened_file.rows[ROW][position],
            why=explanation,
            official=other_editions.official(explanation),
            approval=approval_of(installed_models, opened_file.answers, visitor_of(request)),
            rule=opened_file.expert_layer(pages.own_expert_rules()).rule_of(header, position),
            alone="HX-Request" not in request.headers,
        )

    @app.get("/files/{identifier}/download/{file_format}")
    def send(request: Request, identifier: str, file_format: str) -> Response:
        opened_file = pages.require(request, identifier)
        if file_format not in FORMATS:
            raise HTTPException(NOT_FOUND)
        content = download(opened_file, file_format, opened_file.expert_layer(pages.own_expert_rules()))
        pages.record("file_downloaded", downloaded_facts(request, opened_file, "rows", file_format, len(content)))
        return attachment(content, f"sirena.{file_format}")

    @app.post("/files/{identifier}/forget")
    def forget(request: Request, identifier: str) -> RedirectResponse:
        pages.refuse_anothers(request, identifier)
        owner = visitor_of(request).owner
        pages.files.remove(identifier, owner)
        _keep_search(pages, owner, {})
        return RedirectResponse(f"{root}/", 303)


def _keep_search(pages: Pages, owner: str, search_texts: dict[str, str]) -> None:
    """Keep the texts that an owner searches for, by file; those of files that are not open any more are dropped."""
    own = {name for name, _ in pages.files.all(owner)}
    former_texts = {name: text for name, text in pages.searches.of(owner).items() if name in own}
    pages.searches.keep(owner, former_texts | search_texts)


def _keep(pages: Pages, request: Request, name: str, content: bytes) -> str:
    """Open a file, record that, and return the identifier under which it stays open."""
    owner = visitor_of(request).owner
    shown_name = PurePath(name.replace("\\", "/")).name[-_LONGEST_NAME:]
    try:
        opened_file = open_whonet_file(
            shown_name, read_stream(BytesIO(content), shown_name, bounds=BOUNDS), pages.current_answers()
        )
        if opened_file.has_organisms:
            opened_file.expert_layer(pages.own_expert_rules())
        identifier = pages.files.add(opened_file, owner)
    except SirenaError as error:
        pages.record("file_opened", unreadable_facts(request, len(content), error.code))
        raise
    try:
        pages.record("file_opened", opened_facts(request, opened_file, len(content)))
    except SirenaError:
        pages.files.remove(identifier, owner)
        raise
    return identifier


def _explain_cell(opened_file: OpenedFile, position: int, test: str) -> CellExplanation:
    frame = opened_file.file.frame
    organism_column = opened_file.file.require_organism()
    organism, mic = frame[organism_column][position], frame[test][position]
    readings = opened_file.file.readings_of(organism_column, [organism] if organism else [])
    scale = opened_file.file.readings_of(test, frame[test].drop_nulls().unique().to_list())
    column = opened_file.tests[test].name
    return explain(
        opened_file.answers,
        column,
        readings.get(organism, organism),
        scale.get(mic, mic),
        opened_file.site_of(position),
    )


def _address(path: str, query: RowQuery, **changes: str | int) -> str:
    question = urlencode(query.parameters(**changes))
    return path + (f"?{question}" if question else "")
