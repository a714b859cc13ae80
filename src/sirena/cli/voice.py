"""Printing texts for people in the language of their locale; output for programs is not translated."""

import os
from typing import TYPE_CHECKING

import typer

from sirena.domain.language import Language
from sirena.texts.language import SPANISH, spoken_language

if TYPE_CHECKING:
    from sirena.domain.language import Language


def speaks_spanish() -> bool:
    """Tell whether the locale's language is Spanish."""
    return spoken_language(os.environ) == SPANISH


def language_or_locale(language: "Language | None") -> "Language":
    """Return the language of output for people: the requested one, else the locale's."""
    return language or Language(spoken_language(os.environ))


def in_words(text: str) -> str:
    """Return one of Sirena's own texts in the language of the locale; one without a translation stays English."""
    if not speaks_spanish():
        return text
    from sirena.texts.messages import translate

    return translate(text, SPANISH).text


def say(text: str, *, err: bool = False) -> None:
    """Print one of Sirena's own texts, translated into the language of the locale.

    Args:
        text: the text in English, with its values filled in.
        err: True prints on standard error.
    """
    typer.echo(in_words(text), err=err)
