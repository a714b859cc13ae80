"""The page of the antibiogram of an open file, with its form and its downloads."""

from functools import partial

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from sirena.domain.language import Language
from sirena.stewardship.first_isolates import Mode
from sirena.stewardship.strata import Stratum
from sirena.stewardship.words import mode_sentence, period_sentence, source_sentence, word
from sirena.web.antibiogram_query import AntibiogramQuery, screening_values, years_of
from sirena.web.antibiogram_report import REPORTS, look_at_antibiogram, report
from sirena.web.attachments import attachment
from sirena.web.pages import NOT_FOUND, Pages
from sirena.web.records import downloaded_facts


def add_antibiogram(app: FastAPI, pages: Pages) -> None:
    """Add the routes of the pages that show antibiograms."""

    @app.get("/files/{identifier}/antibiogram")
    def show(request: Request, identifier: str) -> HTMLResponse:
        opened_file = pages.require(request, identifier)
        language = Language(pages.language_of(request))
        query = _query(request)
        antibiogram = body = None
        if opened_file.file.mic_columns and not query.has_wrong_days:
            look = look_at_antibiogram(
                opened_file, query.request(opened_file.countable), language, pages.own_expert_rules()
            )
            pictures = f"{pages.place.root}/files/{identifier}/antibiogram/pictures"
            antibiogram, body = look.antibiogram, partial(look.body, pictures=pictures, query=query.address)
        return pages.show(
            request,
            "antibiogram.html",
            identifier=identifier,
            opened_file=opened_file,
            question=query,
            antibiogram=antibiogram,
            body=body,
            mode=antibiogram and mode_sentence(antibiogram, language),
            period=antibiogram and period_sentence(antibiogram),
            source=antibiogram and source_sentence(antibiogram, language),
            years=years_of(opened_file.countable),
            screening=screening_values(opened_file.countable),
            modes=list(Mode),
            parts=[(part, word(part.value, language)) for part in Stratum],
            reports=list(REPORTS),
        )

    @app.get("/files/{identifier}/antibiogram/pictures/{section}/{place}")
    def picture(request: Request, identifier: str, section: str, place: int) -> Response:
        opened_file = pages.require(request, identifier)
        query = _query(request)
        if not opened_file.file.mic_columns or query.has_wrong_days:
            raise HTTPException(NOT_FOUND)
        language = Language(pages.language_of(request))
        look = look_at_antibiogram(
            opened_file, query.request(opened_file.countable), language, pages.own_expert_rules()
        )
        picture = look.picture(section, place)
        if picture is None:
            raise HTTPException(NOT_FOUND)
        return Response(picture, media_type="image/svg+xml")

    @app.get("/files/{identifier}/antibiogram/{form}")
    def send(request: Request, identifier: str, form: str) -> Response:
        opened_file = pages.require(request, identifier)
        query = _query(request)
        if form not in REPORTS or query.has_wrong_days:
            raise HTTPException(NOT_FOUND)
        language = Language(pages.language_of(request))
        content = report(opened_file, query.request(opened_file.countable), form, language, pages.own_expert_rules())
        pages.record("file_downloaded", downloaded_facts(request, opened_file, "antibiogram", form, len(content)))
        return attachment(content, f"antibiogram.{form}")


def _query(request: Request) -> AntibiogramQuery:
    parameters = request.query_params
    return AntibiogramQuery.read(parameters, parameters.getlist("by"), parameters.getlist("screening"))
