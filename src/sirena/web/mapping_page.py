"""The page on which a person says what the columns of their file mean."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from sirena.domain.errors import SirenaError
from sirena.domain.test_column import GUIDELINES
from sirena.guidelines.rows import Guideline
from sirena.web.attachments import attachment
from sirena.web.column_mapping import ROLES, Word, mapping_of, read_again, words_of
from sirena.web.forms import read_fields
from sirena.web.opened_file import OpenedFile
from sirena.web.pages import Pages
from sirena.web.visitor import visitor_of
from sirena.whonet.mapping import METHODS
from sirena.whonet.mapping_writing import spell_laboratory_mapping

_UNPROCESSABLE: Final = 422
_MOST_FIELDS: Final = 20_000
_LONGEST_WORD: Final = 1024


async def _form(request: Request) -> dict[str, str]:
    return await read_fields(request, most=_MOST_FIELDS, longest=_LONGEST_WORD)


def add_mapping(app: FastAPI, pages: Pages) -> None:
    """Add the routes of the page on which columns are mapped."""

    @app.get("/files/{identifier}/mapping")
    def show(request: Request, identifier: str) -> HTMLResponse:
        opened_file = pages.require(request, identifier, to_correct=True)
        guideline = GUIDELINES.get(opened_file.file.mapping.guideline or "", "")
        return _shown(request, identifier, opened_file, words_of(opened_file.file), guideline)

    @app.post("/files/{identifier}/mapping")
    def say(request: Request, identifier: str, form: Annotated[dict[str, str], Depends(_form)]) -> Response:
        opened_file = pages.require(request, identifier, to_correct=True)
        words = {
            header: Word(
                role if (role := form.get(f"role-{place}", "")) in ROLES else "", form.get(f"drug-{place}", "")
            )
            for place, header in enumerate(opened_file.file.frame.columns)
        }
        words = {header: word if word.role in METHODS else Word(word.role) for header, word in words.items()}
        guideline = form.get("guideline", "")
        try:
            mapping = mapping_of(words, guideline, opened_file.file.mapping)
            file_read_again = read_again(opened_file, mapping)
        except SirenaError as error:
            return _shown(request, identifier, opened_file, words, guideline, error)
        pages.files.replace(identifier, file_read_again, visitor_of(request).owner)
        return RedirectResponse(f"{pages.place.root}/files/{identifier}", 303)

    @app.get("/files/{identifier}/mapping/file")
    def send(request: Request, identifier: str) -> Response:
        opened_file = pages.require(request, identifier, to_correct=True)
        content = spell_laboratory_mapping(opened_file.file.mapping).encode()
        return attachment(content, "mapping.toml")

    def _shown(
        request: Request,
        identifier: str,
        opened_file: OpenedFile,
        words: dict[str, Word],
        guideline: str,
        error: SirenaError | None = None,
    ) -> HTMLResponse:
        return pages.show(
            request,
            "mapping.html",
            _UNPROCESSABLE if error else 200,
            identifier=identifier,
            opened_file=opened_file,
            words=words,
            guideline=guideline,
            guidelines=[one.value for one in Guideline],
            readings={one.header: one for one in opened_file.file.header_readings},
            error=error,
        )
