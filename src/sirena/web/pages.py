"""What every page needs: who answers, the open files, and templates in each language."""

from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.category import Category
from sirena.domain.organisms import ORGANISMS
from sirena.texts.messages import translate
from sirena.web.answers import Answers
from sirena.web.language import LANGUAGES, choose_language, spell_count, spell_share, translations
from sirena.web.opened_file import OpenedFile
from sirena.web.opened_files import OpenedFiles

LANGUAGE_COOKIE: Final = "sirena_language"
NOT_FOUND: Final = 404


@dataclass(frozen=True)
class Pages:
    """Shows pages of open files."""

    answers: Answers
    files: OpenedFiles
    environments: dict[str, Environment]
    """Templates by language."""

    @classmethod
    def of(cls, answers: Answers, files: OpenedFiles) -> "Pages":
        """Return the pages in every language.

        Args:
            answers: who answers.
            files: the files open at the start.
        """
        return cls(answers, files, {language: _environment(language) for language in LANGUAGES})

    def show(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a template in the reader's language.

        Args:
            request: says the language.
            template: file name.
            status: of HTTP.
            values: what the template names.
        """
        language = language_of(request)
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
        """Return an open file.

        Raises:
            HTTPException: 404, it is not, or no longer, there.
        """
        opened = self.files.get(identifier)
        if opened is None:
            raise HTTPException(NOT_FOUND)
        return opened


def language_of(request: Request) -> str:
    """Return the language a reader chose, else their browser's."""
    return choose_language(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))


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
    environment.globals["translate"] = lambda text: translate(text, language)
    environment.globals["Category"] = Category
    environment.globals["drugs"] = ANTIMICROBIALS
    environment.globals["species"] = ORGANISMS
    return environment
