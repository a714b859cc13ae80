"""The pages of a file: taking it, its table, the reason of a cell, downloads, and forgetting it."""

from io import BytesIO
from pathlib import PurePath
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from sirena.web.answers import Answers
from sirena.web.downloads import FORMATS, download
from sirena.web.explanation import Explanation, explain
from sirena.web.opened_file import CODE, ROW, OpenedFile, open_whonet_file
from sirena.web.pages import NOT_FOUND, Pages
from sirena.web.row_query import POSITION, RowQuery, select_rows
from sirena.web.upload import take_file
from sirena.whonet.reading import read_stream


def add_files(app: FastAPI, pages: Pages) -> None:
    """Add the addresses of files."""

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
            raise HTTPException(NOT_FOUND)
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
            raise HTTPException(NOT_FOUND)
        name = f"sirena.{file_format}"
        disposition = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(download(opened, file_format), media_type="application/octet-stream", headers=disposition)

    @app.post("/files/{identifier}/forget")
    def forget(identifier: str) -> RedirectResponse:
        pages.files.remove(identifier)
        return RedirectResponse("/", 303)


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


def _address(identifier: str, query: RowQuery, **changes: str | int) -> str:
    question = urlencode(query.parameters(**changes))
    return f"/files/{identifier}" + (f"?{question}" if question else "")
