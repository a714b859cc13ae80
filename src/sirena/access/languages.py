"""The language of a page: the one that a person chose on Sirena's pages, else the browser's, else Spanish."""

import enum
from collections.abc import Callable
from typing import Final

from fastapi import Request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from sirena.access.credentials import read_cookie

LANGUAGE_COOKIE: Final = "__Host-sirena_language"
"""Cookie that holds the language a person chose."""


class PageLanguage(enum.StrEnum):
    """A language of Sirena's pages, by its code of ISO 639-1."""

    SPANISH = "es"
    ENGLISH = "en"

    @property
    def other(self) -> "PageLanguage":
        """The other one of the pages' two languages."""
        return PageLanguage.ENGLISH if self is PageLanguage.SPANISH else PageLanguage.SPANISH

    @property
    def own_name(self) -> str:
        """The language's own name for itself: *English*, *Español*."""
        return "Español" if self is PageLanguage.SPANISH else "English"

    @property
    def says(self) -> Callable[[str, str], str]:
        """Function that takes a text in Spanish and the same in English, and returns the one in this language."""
        return lambda spanish, english: spanish if self is PageLanguage.SPANISH else english


def chosen_now(request: Request) -> PageLanguage | None:
    """Return the language that a request chooses by its query (``?lang=en``); None if the query chooses none."""
    language = request.query_params.get("lang", "")
    return PageLanguage(language) if language in set(PageLanguage) else None


def language_of(request: Request) -> PageLanguage:
    """Return the language in which to answer a request."""
    cookie = read_cookie(request.headers.get("cookie", ""), LANGUAGE_COOKIE)
    if cookie not in set(PageLanguage):
        # by quality, the best first; `es-AR` wants Spanish too
        preferences = parse_accept_header(request.headers.get("accept-language", ""), LanguageAccept)
        codes = (code.partition("-")[0].lower() for code, quality in preferences if quality > 0)
        cookie = next((code for code in codes if code in set(PageLanguage)), PageLanguage.SPANISH)
    return chosen_now(request) or PageLanguage(cookie)
