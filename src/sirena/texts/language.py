"""The language that a person's locale asks for, by the rules of gettext."""

from collections.abc import Mapping
from typing import Final

ENGLISH: Final = "en"
SPANISH: Final = "es"
_NO_LANGUAGE: Final = {"", "C", "POSIX"}


def spoken_language(environment: Mapping[str, str]) -> str:
    """Return the language that an environment asks for, ``en`` or ``es``.

    The locale is the first of LC_ALL, LC_MESSAGES and LANG that is set. If it is C, the language is English. Otherwise
    LANGUAGE, a list separated by colons, comes before the locale, and the first language in it that Sirena has is
    chosen.

    Args:
        environment: variables of the process.

    >>> spoken_language({"LANG": "es_CO.UTF-8"}), spoken_language({"LANG": "es_ES.UTF-8", "LC_ALL": "C"})
    ('es', 'en')
    """
    names = (environment.get(variable, "") for variable in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, names), "")
    if locale in _NO_LANGUAGE:
        return ENGLISH
    for name in [*environment.get("LANGUAGE", "").split(":"), locale]:
        language = name.partition(".")[0].partition("@")[0].partition("_")[0].lower()
        if language in (ENGLISH, SPANISH):
            return language
    return ENGLISH
