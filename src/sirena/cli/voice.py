"""Speaking to a person in the language of their locale; what programs read goes past this door."""

import os
from typing import TYPE_CHECKING

import typer

from sirena.texts.language import SPANISH, spoken_language

if TYPE_CHECKING:
    from sirena.panel.basis import Language


def speaks_spanish() -> bool:
    """Return whether the locale asks for Spanish."""
    return spoken_language(os.environ) == SPANISH


def language_or_locale(language: "Language | None") -> "Language":
    """Return the language of what is printed for a person: the one that was asked for, else the locale's."""
    from sirena.panel.basis import Language

    return language or Language(spoken_language(os.environ))


def in_words(text: str) -> str:
    """Return one of Sirena's texts in the language of the locale."""
    if not speaks_spanish():
        return text
    from sirena.texts.messages import translate

    return translate(text, SPANISH).text


def say(text: str, *, err: bool = False) -> None:
    """Print one of Sirena's texts in the language of the locale.

    Args:
        text: in English, its values filled in.
        err: print on standard error.
    """
    typer.echo(in_words(text), err=err)
